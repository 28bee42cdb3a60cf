"""Tries a wheel with the oldest glibc that Debian still carries: Debian 11's, 2.31.

That release's own Python is too old for the project, so Debian 12's is built there from its source. Needs root.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from wheels.apt import mirror
from wheels.build import run
from wheels.dependencies import download
from wheels.emulation import run_in
from wheels.pythons import fetch_cpython
from wheels.trial import install_and_call

if TYPE_CHECKING:
    from pathlib import Path

    from wheels.targets import Target

SUITE = "bullseye"
PACKAGES = ("gcc", "libc6-dev", "make", "libssl-dev", "zlib1g-dev", "libffi-dev")
PREFIX = "/opt/python"


def try_oldest(wheel: Path, target: Target, python: Path, folder: Path) -> None:
    """Install a wheel for Python 3.11 in a Debian 11 of this machine's architecture, and make a call with it.

    Args:
        wheel: The file.
        target: The architecture of this machine.
        python: A Python 3.11, whose pip fetches what the wheel depends on.
        folder: A folder of the build, below which the Debian is made, once.

    Raises:
        AptError: The source of Python cannot be fetched.
        BuildError: The Debian cannot be made, the wheel not be installed, or the call does not work.
    """
    root = make_oldest(target, folder)
    wheels = root / "root/wheels"
    download(python, wheel, target, wheels)
    shutil.copy(wheel, wheels)
    install_and_call(root, f"{PREFIX}/bin/python3.11")


def make_oldest(target: Target, folder: Path) -> Path:
    """A Debian 11 with a Python 3.11, below `folder`; made once, in some minutes."""
    root = folder / f"{SUITE}-{target.debian}"
    if (root / "complete").exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    log = folder / f"{root.name}.log"
    print(f"   making a Debian 11 with a Python 3.11 (minutes; {log} tells more)", flush=True)
    quietly: list[str | Path] = ["sh", "-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "quietly", log]
    run([*quietly, "debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root, mirror()])
    fetch_cpython("python3.11", "bookworm", root / "root/source", folder / "apt")
    steps = f"cd /root/source && ./configure --prefix={PREFIX} --with-ensurepip=install && make -j2 && make install"
    run_in(root, ["sh", "-c", f"({steps}) >/root/log 2>&1"])
    shutil.rmtree(root / "root/source")
    (root / "complete").touch()
    return root
