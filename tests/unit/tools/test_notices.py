"""The notices that every wheel carries speak of what is linked into it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wheels.licences import collected, linked
from wheels.lock import read_lock

ROOT = Path(__file__).parents[3]
NOTICES = (ROOT / "THIRD_PARTY_NOTICES.md").read_text()
LINKED = {
    "libtgowt-dev": "WebRTC",
    "libabsl-dev": "Abseil",
    "libopus-dev": "Opus",
    "libsrtp2-dev": "libSRTP",
    "libssl-dev": "OpenSSL",
}


def locked_version(package: str) -> str:
    (version,) = {
        re.sub(r"^0~git|[-+.~](dfsg|deb).*$|-.*$", "", entry.version)
        for entry in read_lock(ROOT / "tools/wheels/packages.lock.toml")
        if entry.name == package
    }
    return version


@pytest.mark.parametrize(("package", "part"), LINKED.items())
def test_each_linked_library_is_named_with_its_version_and_has_its_licence_in_full(package: str, part: str) -> None:
    row = re.search(rf"^\| \[{part}\].*$", NOTICES, re.MULTILINE)
    assert row is not None
    noticed = row[0].split("|")[3].strip()
    assert locked_version(package).startswith(noticed)
    heading = re.search(rf"^## .*\b{part}\b.*$", NOTICES, re.MULTILINE)
    assert heading is not None
    assert NOTICES[heading.end() :].split("\n## ")[0].count("\n") > 15


def test_every_linked_package_is_noticed_and_its_licence_collected() -> None:
    names = linked(read_lock(ROOT / "tools/wheels/packages.lock.toml"))
    assert set(names) == LINKED.keys()
    licences = collected(ROOT / "licenses")
    assert list(licences) == [f"{name}.txt" for name in names]
    assert all("Redistribution" in text or "Apache" in text for text in licences.values())
