"""Another build of libwebrtc than the system's, named by LIBWEBRTC_ROOT."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

setuptools = pytest.importorskip("setuptools")

ROOT = Path(__file__).parents[2]
SYSTEM = Path("/usr/include/tg_owt/api/peer_connection_interface.h")

pytestmark = pytest.mark.skipif(not SYSTEM.is_file(), reason="libtgowt-dev is not installed")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The system's libwebrtc under another name."""
    include = tmp_path / "usr/include"
    include.mkdir(parents=True)
    for name in ("tg_owt", "absl", "srtp2", "openssl", "opus"):
        (include / name).symlink_to(f"/usr/include/{name}")
    (tmp_path / "usr/lib").symlink_to("/usr/lib")
    return tmp_path


@pytest.fixture
def toolchain(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The toolchain of setup.py, which was told of it."""
    monkeypatch.setattr(setuptools, "setup", lambda **_: None)
    monkeypatch.setenv("LIBWEBRTC_ROOT", str(elsewhere))
    toolchain = runpy.run_path(str(ROOT / "setup.py"))["Toolchain"]()
    toolchain.check()
    return toolchain


def test_its_headers_are_compiled_against(toolchain: Any, elsewhere: Path, tmp_path: Path) -> None:
    module, source = tmp_path / "weak_ptr.o", ROOT / "csrc/link/weak_ptr.cc"
    flags = [*toolchain.webrtc_flags(), "-I", str(ROOT / "csrc")]
    toolchain.compile(source, module, flags)
    assert str(elsewhere).encode() not in module.read_bytes()
    listing = [*toolchain.cxx, "-std=c++20", *flags, "-M", "-fno-canonical-system-headers", str(source)]
    included = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()
    assert f"{elsewhere}/usr/include/tg_owt/rtc_base/weak_ptr.h" in included
    assert not [header for header in included if header.startswith("/usr/include/tg_owt")]


def test_its_archives_and_definitions_are_taken(toolchain: Any, elsewhere: Path) -> None:
    archives = [archive for archive in toolchain.webrtc_archives() if archive.endswith(".a")]
    assert all(archive.startswith(f"{elsewhere}/usr/lib/") and Path(archive).is_file() for archive in archives)
    assert {"libtg_owt.a", "libssl.a", "libopus.a"} <= {Path(archive).name for archive in archives}
    assert "-DWEBRTC_POSIX" in toolchain.webrtc_defines
    assert toolchain.webrtc_date.startswith("20")


@pytest.mark.parametrize("compiler", ["{machine}-redhat-linux", "{machine}-pc-linux-gnu", "{machine}-suse-linux"])
def test_compilers_of_other_distributions_find_it(compiler: str, toolchain: Any, tmp_path: Path) -> None:
    machine, _, system = toolchain.triplet.partition("-")
    if system != "linux-gnu":
        pytest.skip("other distributions have no such machine")
    foreign = tmp_path / "g++"
    foreign.write_text(f"#!/bin/sh\necho {compiler.format(machine=machine)}\n")
    foreign.chmod(0o755)
    toolchain.cxx = [str(foreign)]
    toolchain.check()
    assert toolchain.libraries.name == f"{machine}-linux-gnu"
