from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from wheels.build import cross_settings, differences, unpack
from wheels.roots import Roots
from wheels.targets import TARGETS, Version


def test_an_sdist_replaces_the_former_one_and_only_objects_stay(tmp_path: Path) -> None:
    tree = tmp_path / "probe-1"
    (tree / "src").mkdir(parents=True)
    (tree / "src/new.c").write_text("new")
    sdist = tmp_path / "probe-1.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        archive.add(tree, "probe-1")
    source = tmp_path / "source"
    for name in ("src/gone.c", "gone.txt", "build/objects/new.o", "build/lib.linux/gone.so"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    unpack(sdist, source)
    files = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    assert files == {"src/new.c", "build/objects/new.o"}


def test_a_cross_build_takes_nothing_from_this_machine() -> None:
    settings = cross_settings(Version(3, 11), TARGETS["armv7l"], Roots(Path("/libraries"), Path("/sysroot")))
    assert settings["CXX"] == "arm-linux-gnueabihf-g++"
    assert settings["LIBWEBRTC_ROOT"] == "/libraries"
    assert settings["LDFLAGS"].split()[:2] == ["--sysroot=/sysroot", "-L/sysroot/usr/lib/arm-linux-gnueabihf"]
    assert settings["SETUPTOOLS_EXT_SUFFIX"] == ".cpython-311-arm-linux-gnueabihf.so"
    assert settings["TELNYX_NATIVE_PYTHON_INCLUDE"] == "/libraries/usr/include/python3.11"
    assert settings["_PYTHON_HOST_PLATFORM"] == "manylinux_2_28_armv7l"


FILES = [("probe/__init__.py", "", 1980, 0o644), ("probe/_probe.so", "code", 1980, 0o755)]


def pack(wheel: Path, files: list[tuple[str, str, int, int]]) -> Path:
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text, year, mode in files:
            info = zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0))
            info.external_attr = mode << 16
            archive.writestr(info, text)
    return wheel


def test_the_same_files_in_the_same_order_make_the_same_wheel(tmp_path: Path) -> None:
    assert differences(pack(tmp_path / "first", FILES), pack(tmp_path / "second", FILES)) == []


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ([FILES[0], ("probe/_probe.so", "other code", 1980, 0o755)], ["probe/_probe.so"]),
        ([FILES[0], ("probe/_probe.so", "code", 1981, 0o755)], ["probe/_probe.so"]),
        ([FILES[0], ("probe/_probe.so", "code", 1980, 0o775)], ["probe/_probe.so"]),
        ([FILES[1]], ["probe/__init__.py"]),
        ([*FILES, ("probe/more.py", "", 1980, 0o644)], ["probe/more.py"]),
        (FILES[::-1], ["the order of its files"]),
    ],
    ids=["content", "time", "mode", "missing", "more", "order"],
)
def test_what_differs_is_named(tmp_path: Path, files: list[tuple[str, str, int, int]], named: list[str]) -> None:
    assert differences(pack(tmp_path / "first", FILES), pack(tmp_path / "second", files)) == named
