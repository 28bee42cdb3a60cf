"""Which OpenSSL may be linked in, by trees that look like an unpacked libssl-dev."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

import linked

ROOT = Path(__file__).parents[3]
FIXES = f"openssl (0) suite; urgency=high\n\n  * {linked.FLAW} (Undersized DTLS 1.2 AEAD Record)\n"
OTHERS = "openssl (0) suite; urgency=medium\n\n  * CVE-2026-42767\n"


def openssl(root: Path, version: str, changes: str | None = None) -> Path:
    """A root with the headers of that OpenSSL, and with Debian's changelog if there is one."""
    major, minor, patch = version.split(".")
    header = root / "usr/include/openssl/opensslv.h"
    header.parent.mkdir(parents=True)
    header.write_text(
        f"# define OPENSSL_VERSION_MAJOR  {major}\n# define OPENSSL_VERSION_MINOR  {minor}\n"
        f"# define OPENSSL_VERSION_PATCH  {patch}\n"
    )
    if changes is not None:
        log = root / "usr/share/doc/libssl-dev/changelog.Debian.gz"
        log.parent.mkdir(parents=True)
        log.write_bytes(gzip.compress(changes.encode()))
    return root


@pytest.mark.parametrize(
    ("version", "changes", "is_fixed"),
    [
        ("3.0.19", None, False),
        ("3.0.20", OTHERS, False),
        ("3.0.21", None, False),
        ("3.0.22", None, True),  # a slim container, which has no changelogs
        ("3.0.22", OTHERS, False),  # 3.0.22-1~deb12u1
        ("3.0.22", FIXES, True),
        ("3.0.13", FIXES, True),  # a distribution that keeps the version and adds the fix
        ("1.1.1", None, False),
        ("3.1.9", None, False),
        ("3.4.9", None, False),
        ("3.5.8", None, False),
        ("3.5.7", FIXES, True),
        ("3.5.9", OTHERS, True),
        ("3.6.4", None, False),
        ("3.6.5", None, True),
        ("3.7.0", None, True),
        ("4.0.0", None, True),
    ],
)
def test_openssl_is_taken_with_the_fix_only(
    tmp_path: Path, version: str, changes: str | None, *, is_fixed: bool
) -> None:
    assert linked.openssl_is_fixed(openssl(tmp_path, version, changes)) == is_fixed


def test_what_is_no_openssl_is_not_taken(tmp_path: Path) -> None:
    assert not linked.openssl_is_fixed(tmp_path)


def test_the_versions_of_packages_are_read_and_found_again_in_a_module(tmp_path: Path) -> None:
    openssl(tmp_path, "3.0.22", "openssl (3.0.22-1~deb12u2) bookworm-security; urgency=high\n")
    versions = linked.package_versions(tmp_path)
    assert versions == {"libssl-dev": "3.0.22-1~deb12u2"}
    versions["libopus-dev"] = "1:1.3.1-3"
    module = b"\x7fELF\0" + (linked.MARK + linked.listing(versions)).encode() + b"\0more"
    assert linked.versions_in(module) == versions
    assert linked.versions_in(b"\x7fELF") == {}


def test_the_build_refuses_what_has_not_the_fix_and_says_what_to_do(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    for name in ("tg_owt/api/peer_connection_interface.h", "absl/base/config.h", "srtp2/srtp.h"):
        header = tmp_path / "usr/include" / name
        header.parent.mkdir(parents=True)
        header.touch()
    (tmp_path / "usr/include/openssl").mkdir()
    (tmp_path / "usr/include/openssl/evp.h").touch()
    (tmp_path / "usr/lib").symlink_to("/usr/lib")
    (tmp_path / "usr/include/openssl/opensslv.h").write_text(
        "#define OPENSSL_VERSION_MAJOR 3\n#define OPENSSL_VERSION_MINOR 0\n#define OPENSSL_VERSION_PATCH 19\n"
    )
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", str(tmp_path / "build")]
    environment = {**os.environ, "LIBWEBRTC_ROOT": str(tmp_path)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if "not found" in result.stderr:
        pytest.skip("the libraries that the build needs are not installed")
    assert result.returncode != 0
    assert f"OpenSSL 3.0.19 is without the fix of {linked.FLAW}" in result.stderr
    assert str(tmp_path) in result.stderr
    assert "Traceback" not in result.stderr


def test_an_openssl_that_is_too_old_is_upgraded_before_a_build(tmp_path: Path) -> None:
    """With stand-ins for dpkg, apt and the question: as root, it would change this machine."""
    calls = tmp_path / "calls"
    for name, script in {
        "dpkg-query": "echo install ok installed",
        "python3": "exit 1",
        "apt-get": f'echo "$@" >>{calls}',
    }.items():
        tool = tmp_path / name
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [ROOT / "tools/system_packages.sh"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert calls.read_text().splitlines() == ["update", "install --yes --no-install-recommends libssl-dev"]
    (tmp_path / "python3").write_text("#!/bin/sh\n")
    calls.unlink()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert not calls.exists()
