"""Debian systems to try wheels in: a folder each. The programs of other architectures are run by qemu.

Needs root, for chroot; ``debootstrap`` and ``qemu-user-static``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from wheels.apt import mirror
from wheels.build import run

if TYPE_CHECKING:
    from wheels.targets import Target

PACKAGES = ("python3", "python3-venv")
FOREIGN_PACKAGES = ("libsndfile1",)
"""What soundfile's wheels do not bring on all architectures."""
BINFMT = Path("/proc/sys/fs/binfmt_misc")
ENTER = """
set -e
ip link set lo up
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
root=$1; shift
exec env -i HOME=/root LANG=C.UTF-8 PATH=/usr/bin:/bin:/usr/sbin:/sbin chroot "$root" "$@"
"""


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


def make_root(target: Target, suite: str, folder: Path) -> Path:
    """A Debian of the target's architecture with Python, below `folder`; made once, in some minutes.

    Raises:
        BuildError: It cannot be made.
        OSError: The kernel cannot run the target's programs.
    """
    if not target.is_here:
        register(target)
    root = folder / f"{suite}-{target.debian}"
    more = () if target.is_here else FOREIGN_PACKAGES
    packages = ",".join([*PACKAGES, *more, *target.debian_pythons.values()])
    recipe = root / "root/packages"
    if recipe.exists() and recipe.read_text() == packages:
        return root
    shutil.rmtree(root, ignore_errors=True)
    options = ["--variant=minbase", f"--arch={target.debian}", f"--include={packages}"]
    log = folder / f"{root.name}.log"
    print(f"   making a Debian {suite} for {target.machine} to try it in (minutes; {log} tells more)", flush=True)
    quietly: list[str | Path] = ["sh", "-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "quietly", log]
    run([*quietly, "debootstrap", *options, suite, root, mirror()])
    recipe.write_text(packages)
    return root


def run_in(root: Path, command: list[str]) -> None:
    """Run a command in a root, without a network but loopback.

    Raises:
        BuildError: It failed.
    """
    run(["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c", ENTER, "enter", root, *command])
