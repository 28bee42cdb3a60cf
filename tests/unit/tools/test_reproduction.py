from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from wheels.reproduction import differences

if TYPE_CHECKING:
    from pathlib import Path

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
