"""What a build links in: the versions of the Debian packages, and whether OpenSSL has the fix that calls need.

setup.py asks before it builds, tools/system_packages.sh before it decides what to install (`python3 tools/linked.py`),
and `make advisories` afterwards. It stands alone: it runs before anything is installed, and is part of the sdist.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

PACKAGES = ("libabsl-dev", "libopus-dev", "libsrtp2-dev", "libssl-dev", "libtgowt-dev")

FLAW = "CVE-2026-75806"
"""One short DTLS record, which anybody can send under the remote side's address, ends the audio of a call."""

FIXED = {(3, 5): 9, (3, 6): 5}
"""By line of OpenSSL, the first release whose CHANGES name the fix. Lines after the newest of these have it."""

DEBIANS = (3, 0, 22)
"""What Debian 12 fixes as 3.0.22-1~deb12u2. OpenSSL itself had no more releases of that line."""

MARK = "telnyx-native links: "
"""Stands before `listing` in a module, to be found there."""


def changelog(root: Path, package: str) -> str | None:
    """Debian's changelog of a package below `root`; None where documentation was left out, as in slim containers."""
    path = root / "usr/share/doc" / package / "changelog.Debian.gz"
    try:
        return gzip.decompress(path.read_bytes()).decode(errors="replace")
    except OSError:
        return None


def package_versions(root: Path) -> dict[str, str]:
    """The Debian versions of what is linked in from `root`, of those packages that tell."""
    versions = {}
    for package in PACKAGES:
        newest = re.match(r"\S+ \(([^)\s]+)\)", changelog(root, package) or "")
        version = newest[1] if newest else installed_version(package) if root == Path("/") else None
        if version:
            versions[package] = version
    return versions


def installed_version(package: str) -> str | None:
    """The version of a package that dpkg has installed on this machine, if it has."""
    command = ["dpkg-query", "--show", "--showformat=${Version}", package]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return answer.stdout.strip() or None


def listing(versions: dict[str, str]) -> str:
    """Versions as a text, which `versions_in` reads."""
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def versions_in(module: bytes) -> dict[str, str]:
    """The versions that a built module says it was linked with."""
    found = re.search(re.escape(MARK.encode()) + rb"([\x20-\x7e]*)", module)
    return dict(entry.split(" ", 1) for entry in found[1].decode().split(", ") if " " in entry) if found else {}


def openssl_version(root: Path) -> tuple[int, int, int] | None:
    """The version that the headers below `root` are of; None if there are none."""
    try:
        header = (root / "usr/include/openssl/opensslv.h").read_text(errors="replace")
    except OSError:
        return None
    found = [re.search(rf"define OPENSSL_VERSION_{part}\s+(\d+)", header) for part in ("MAJOR", "MINOR", "PATCH")]
    major, minor, patch = (int(part[1]) if part else 0 for part in found)
    return major, minor, patch


def openssl_is_fixed(root: Path) -> bool:
    """Whether the OpenSSL below `root` has the fix of `FLAW`, by its version or by what its package says it fixed."""
    version = openssl_version(root)
    if version is None:
        return False
    line = version[:2]
    if line > max(FIXED) or version[2] >= FIXED.get(line, sys.maxsize):
        return True
    log = changelog(root, "libssl-dev")
    if log is not None and re.match(r"openssl \(", log):
        return FLAW in log
    return line == DEBIANS[:2] and version >= DEBIANS


if __name__ == "__main__":
    sys.exit(not openssl_is_fixed(Path("/")))
