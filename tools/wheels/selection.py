"""Which Debian packages a build takes, and from which release."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """Packages that are taken from one release.

    Attributes:
        root: The folder they are unpacked into: ``libraries`` or ``sysroot``.
        suite: The release.
        names: The packages.
        architectures: Debian's names of the architectures they are needed for.
    """

    root: str
    suite: str
    names: tuple[str, ...]
    architectures: tuple[str, ...] = ("amd64", "arm64", "armhf")


SELECTIONS = (
    # What is linked in. Debian 12's: later ones ask for a newer glibc.
    Selection("libraries", "bookworm", ("libtgowt-dev", "libabsl-dev", "libopus-dev", "libsrtp2-dev", "libssl-dev")),
    # Python's headers, for cross builds.
    Selection("libraries", "bookworm", ("libpython3.11-dev",), ("arm64", "armhf")),
    Selection("libraries", "trixie", ("libpython3.13-dev",), ("arm64", "armhf")),
    # What is linked against. Debian 11's is the oldest glibc that Debian still carries (2.31).
    Selection("sysroot", "bullseye", ("libc6", "libc6-dev", "libcrypt1", "libgcc-s1", "linux-libc-dev")),
)
