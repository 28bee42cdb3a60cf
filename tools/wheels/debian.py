"""Debian systems, a folder each, to try wheels in and to build in. qemu runs the programs of other architectures.

Needs root, for chroot; ``debootstrap`` and ``qemu-user-static``.
"""

from __future__ import annotations

import email
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from wheels.apt import mirror
from wheels.build import BuildError, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wheels.targets import Target


PACKAGES = ("python3", "python3-venv")
FOREIGN_PACKAGES = ("libsndfile1",)
"""What soundfile's wheels do not bring on all architectures."""
BINFMT = Path("/proc/sys/fs/binfmt_misc")
QUIETLY = ["sh", "-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "quietly"]
"""Runs a command; all it has to say goes into a file."""
ENTER = """
set -e
ip link set lo up
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
root=$1; shift
exec env -i HOME=/root LANG=C.UTF-8 PATH=/usr/bin:/bin:/usr/sbin:/sbin chroot "$root" "$@"
"""


def make_debian(
    root: Path, suite: str, target: Target, packages: Iterable[str], finish: Callable[[Path], None] = lambda _: None
) -> None:
    """Make a minimal Debian with these packages as the folder `root`, in some minutes; nothing if it was made before.

    Args:
        root: The folder; the log is beside it.
        suite: The Debian release.
        target: The architecture.
        packages: What it has besides what every Debian needs.
        finish: Is called with the folder, for what is not in packages.

    Raises:
        BuildError: It cannot be made.
        OSError: The kernel cannot run the target's programs.
    """
    if not target.is_here:
        register(target)
    wanted = ",".join(packages)
    recipe = root / "root/packages"
    if recipe.exists() and recipe.read_text() == wanted:
        return
    shutil.rmtree(root, ignore_errors=True)
    log = root.with_suffix(".log")
    print(f"   making a Debian {suite} for {target.machine} (minutes; {log} tells more)", flush=True)
    options = ["--variant=minbase", f"--arch={target.debian}", f"--include={wanted}"]
    run([*QUIETLY, log, "debootstrap", *options, suite, root, mirror()])
    finish(root)
    recipe.write_text(wanted)


def register(target: Target) -> None:
    """Have the kernel run the target's programs with qemu, if it does not yet. Lasts until the machine restarts.

    Raises:
        OSError: The kernel does not take it, or qemu-user-static is not installed.
        BuildError: binfmt_misc cannot be mounted.
    """
    handler = f"qemu-{target.emulator}"
    if not (BINFMT / "register").exists():
        run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT])
    if not (BINFMT / handler).exists():
        (BINFMT / "register").write_bytes(Path(f"/usr/lib/binfmt.d/{handler}.conf").read_bytes())


def make_bare(target: Target, suite: str, folder: Path) -> Path:
    """A Debian of the target's architecture with Python and little else, below `folder`.

    Raises:
        BuildError: It cannot be made.
        OSError: The kernel cannot run the target's programs.
    """
    root = folder / f"{suite}-{target.debian}"
    more = () if target.is_here else FOREIGN_PACKAGES
    make_debian(root, suite, target, [*PACKAGES, *more, *target.debian_pythons.values()])
    return root


def run_in(root: Path, command: list[str]) -> None:
    """Run a command in a root, without a network but loopback.

    Raises:
        BuildError: It failed.
    """
    try:
        run(["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c", ENTER, "enter", root, *command])
    except BuildError:
        raise BuildError(f"This failed in {root}: {' '.join(command)}") from None


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
