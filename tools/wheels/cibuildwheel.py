"""Builds wheels as the public workflow does: cibuildwheel, in containers, configured by pyproject.toml."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from wheels.build import run

if TYPE_CHECKING:
    from pathlib import Path

    from wheels.build import Builder

CIBUILDWHEEL = "cibuildwheel==4.3.5"


def build_in_containers(
    sdist: Path, builders: list[Builder], containers: dict[str, str], folder: Path, products: Path, epoch: int
) -> list[Path]:
    """Build and try an sdist's wheels for these Pythons, into `products`: the wheels.

    Args:
        sdist: What is built from: without what a working tree has beside.
        builders: Which Pythons.
        containers: The environment that lets podman start containers.
        folder: A folder of the build, for cibuildwheel itself.
        products: Where the wheels go.
        epoch: The time of all files, in seconds since 1970.

    Raises:
        BuildError: cibuildwheel fails.
    """
    home = folder / "cibuildwheel"
    if not (home / "bin/cibuildwheel").exists():
        run([builders[0].interpreter, "-m", "venv", "--clear", home])
        run([home / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", CIBUILDWHEEL])
    shutil.rmtree(products, ignore_errors=True)
    wanted = " ".join(f"cp{builder.version.tag}-*" for builder in builders)
    settings = {"CIBW_BUILD": wanted, "SOURCE_DATE_EPOCH": str(epoch)}
    environment = {**os.environ, **containers, **settings}
    run([home / "bin/cibuildwheel", "--platform", "linux", "--output-dir", products, sdist], environment)
    return sorted(products.glob("*.whl"))
