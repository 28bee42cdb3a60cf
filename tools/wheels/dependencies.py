"""The packages that a wheel depends on, as wheels for another architecture."""

from __future__ import annotations

import email
import json
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

from wheels.build import BuildError, run

if TYPE_CHECKING:
    from pathlib import Path

    from wheels.targets import Target

MANYLINUX = ("manylinux_2_31", "manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
"""Tags of wheels that Debian 12 can run, and that pip does not derive from one another when it is told a platform."""


def requirements_of(wheel: Path) -> list[str]:
    """What a wheel asks for, without its extras."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    return [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]


def resolve(python: Path, requirements: list[str]) -> dict[str, str]:
    """The versions that pip would install for the requirements, with all they need in turn.

    Raises:
        BuildError: pip finds no solution.
    """
    pip = ["-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--ignore-installed", "--dry-run"]
    answer = subprocess.run([python, *pip, "--report", "-", *requirements], capture_output=True, check=False)
    if answer.returncode:
        raise BuildError(answer.stderr.decode())
    installs = json.loads(answer.stdout)["install"]
    return {entry["metadata"]["name"].lower(): entry["metadata"]["version"] for entry in installs}


def download(python: Path, requirements: list[str], target: Target, folder: Path) -> None:
    """Put what meets the requirements, with all it needs, into `folder`, for `target`, but what Debian has to provide.

    Raises:
        BuildError: Something is not on the index for that architecture.
    """
    shutil.rmtree(folder, ignore_errors=True)
    versions = resolve(python, requirements)
    wanted = [f"{name}=={version}" for name, version in versions.items() if name not in target.debian_pythons]
    platforms = [f"--platform={tag}_{target.machine}" for tag in MANYLINUX]
    pip = ["-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--only-binary=:all:", "--no-deps"]
    run([python, *pip, *platforms, "--dest", folder, *wanted])
