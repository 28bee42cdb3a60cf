"""Packages made by dpkg-deb itself, fetched from an archive that is a folder."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from wheels.apt import AptError, Archive, mirror
from wheels.lock import Package
from wheels.roots import assemble, unpack
from wheels.targets import TARGETS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
TARGET = TARGETS["aarch64"]
FILE = "./libprobe-dev_1_arm64.deb"


def make_package(folder: Path, name: str = "libprobe-dev") -> Path:
    """A package with a file, and an absolute link to it."""
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: arm64\nMaintainer: nobody <n@example.com>\nDescription: probe\n"
    )
    (tree / "lib/deep").mkdir(parents=True)
    (tree / "lib/real.so").write_text("real")
    (tree / "lib/deep/link.so").symlink_to("/lib/real.so")
    package = folder / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, package], check=True, capture_output=True)
    return package


def locked(file: Path) -> Package:
    return Package(
        "arm64", "libraries", "suite", "libprobe-dev", "1", FILE, hashlib.sha256(file.read_bytes()).hexdigest()
    )


def test_absolute_links_stay_inside_of_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    unpack(make_package(tmp_path), root)
    assert (root / "lib/deep/link.so").readlink().as_posix() == "../real.so"
    assert (root / "lib/deep/link.so").read_text() == "real"


def test_what_was_fetched_before_is_unpacked_without_a_network_and_only_once(tmp_path: Path) -> None:
    file = make_package(tmp_path)
    package = locked(file)
    work = tmp_path / "work"
    (work / "debs").mkdir(parents=True)
    shutil.copy(file, work / "debs" / f"{package.sha256}.deb")
    others = Package("amd64", "sysroot", "suite", "libc6", "1", FILE, "00" * 32)
    roots = assemble(TARGET, [package, others], work)
    assert (roots.libraries / "lib/real.so").read_text() == "real"
    (roots.libraries / "lib/real.so").write_text("changed")
    assemble(TARGET, [package, others], work)
    assert (roots.libraries / "lib/real.so").read_text() == "changed"


def test_another_file_than_the_locked_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make_package(tmp_path)
    repository = tmp_path / "repository"
    repository.mkdir()
    shutil.copy(file, repository / "libprobe-dev_1_arm64.deb")
    digest, size = hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size
    (repository / "Packages").write_text(
        f"Package: libprobe-dev\nVersion: 1\nArchitecture: arm64\nFilename: ./libprobe-dev_1_arm64.deb\n"
        f"Size: {size}\nSHA256: {digest}\n"
    )
    archive = Archive("suite", "arm64", tmp_path / "apt", f"deb [trusted=yes arch=arm64] copy:{repository} ./")
    assert archive.newest(["libprobe-dev"], "libraries") == [locked(file)]
    (fetched,) = archive.fetch([locked(file)], tmp_path / "debs")
    assert fetched.read_bytes() == file.read_bytes()
    tampered = Package("arm64", "libraries", "suite", "libprobe-dev", "1", FILE, "00" * 32)
    with pytest.raises(AptError, match="cannot be had as the lock file has it"):
        archive.fetch([tampered], tmp_path / "debs")
    gone = Package("arm64", "libraries", "suite", "libprobe-dev", "2", "libprobe-dev_2_arm64.deb", "00" * 32)
    with pytest.raises(AptError, match="make refresh-lock"):
        archive.fetch([gone], tmp_path / "debs")


def test_a_mirror_can_be_named_where_the_machine_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho 'https://elsewhere.example Ubuntu Ubuntu'\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("DEBIAN_MIRROR", raising=False)
    with pytest.raises(AptError, match="name one in DEBIAN_MIRROR"):
        mirror()
    monkeypatch.setenv("DEBIAN_MIRROR", "https://mirror.example/debian")
    assert mirror() == "https://mirror.example/debian"
