from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wheels.build import BuildError
from wheels.licences import collect, collected, compare, linked, stated
from wheels.lock import Package

if TYPE_CHECKING:
    from pathlib import Path


def package(name: str, root: str = "libraries") -> Package:
    return Package("arm64", root, "bookworm", name, "1", "", "00" * 32)


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """Unpacked packages, of which two state their licence."""
    for name in ("libopus-dev", "libssl-dev"):
        statement = tmp_path / "libraries/usr/share/doc" / name / "copyright"
        statement.parent.mkdir(parents=True)
        statement.write_text(f"the licence of {name}")
    return tmp_path / "libraries"


def test_headers_of_python_and_the_sysroot_are_not_linked_in() -> None:
    packages = [
        package("libssl-dev"),
        package("libpython3.11-dev"),
        package("libc6", "sysroot"),
        package("libopus-dev"),
    ]
    assert linked(packages) == ["libopus-dev", "libssl-dev"]


def test_what_the_packages_state_replaces_what_was_collected_before(tmp_path: Path, libraries: Path) -> None:
    folder = tmp_path / "licenses"
    collect({"gone-dev.txt": "the licence of gone-dev"}, folder)
    collect(stated(["libopus-dev", "libssl-dev"], libraries), folder)
    assert collected(folder) == {
        "libopus-dev.txt": "the licence of libopus-dev",
        "libssl-dev.txt": "the licence of libssl-dev",
    }
    compare(stated(["libopus-dev", "libssl-dev"], libraries), folder)


def test_a_package_without_a_licence_is_not_linked(libraries: Path) -> None:
    with pytest.raises(BuildError, match="libsrtp2-dev does not state its licence"):
        stated(["libsrtp2-dev"], libraries)


@pytest.mark.parametrize(
    ("held", "named"),
    [
        ({"libopus-dev.txt": "another licence"}, "libopus-dev.txt"),
        ({}, "libopus-dev.txt"),
        ({"libopus-dev.txt": "the licence of libopus-dev", "more.txt": ""}, "more.txt"),
    ],
)
def test_a_licence_that_changed_ends_the_build(
    tmp_path: Path, libraries: Path, held: dict[str, str], named: str
) -> None:
    folder = tmp_path / "licenses"
    collect(held, folder)
    with pytest.raises(BuildError, match=rf"what the packages state \({named}\): make refresh-lock"):
        compare(stated(["libopus-dev"], libraries), folder)
