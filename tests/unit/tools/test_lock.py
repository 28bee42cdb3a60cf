from __future__ import annotations

import re
from pathlib import Path

import pytest

from wheels.apt import SECURITY
from wheels.lock import Package, read_lock, write_lock
from wheels.refresh import SELECTIONS

LOCK = Path(__file__).parents[3] / "tools/wheels/packages.lock.toml"
OPUS = Package("arm64", "libraries", "bookworm", "libopus-dev", "1.3.1-3", "pool/o.deb", "ab" * 32)


def test_what_is_written_is_read_and_the_order_is_that_of_the_names(tmp_path: Path) -> None:
    abseil = Package("arm64", "libraries", "bookworm", "libabsl-dev", "20220623.1-1+deb12u2", "pool/a.deb", "cd" * 32)
    write_lock(tmp_path / "lock", [OPUS, abseil])
    assert read_lock(tmp_path / "lock") == [abseil, OPUS]


@pytest.mark.parametrize("text", ["", "[[package]]\nname = 'libopus-dev'\n", "package = 1\n"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock").write_text(text)
    with pytest.raises(ValueError, match="is not a lock file"):
        read_lock(tmp_path / "lock")


def test_the_lock_file_has_every_selected_package_for_every_architecture_to_the_byte() -> None:
    packages = read_lock(LOCK)
    selected = {
        (architecture, selection.root, selection.suite, name)
        for selection in SELECTIONS
        for architecture in selection.architectures
        for name in selection.names
    }
    assert {
        (package.architecture, package.root, package.suite.removesuffix(SECURITY), package.name) for package in packages
    } == selected
    assert len(packages) == len(selected)
    assert all(re.fullmatch("[0-9a-f]{64}", package.sha256) for package in packages)


def test_libraries_have_one_version_on_all_architectures() -> None:
    versions = {
        (package.name, package.version.split("+")[0]) for package in read_lock(LOCK) if package.root == "libraries"
    }
    assert len(versions) == len({name for name, _ in versions})
