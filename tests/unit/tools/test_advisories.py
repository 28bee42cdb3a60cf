"""What is said when Debian has newer packages than are locked or linked in, with archives that are folders."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import linked
from wheels import commands, refresh
from wheels.advisories import complaints_about_lock, complaints_about_module
from wheels.apt import AptError, Archive, security_mirror
from wheels.build import BuildError
from wheels.lock import Package, read_lock, write_lock
from wheels.refresh import Offer, Selection, keep_unread, newest_packages

needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg"), reason="needs dpkg")
pytestmark = needs_dpkg


def package(
    version: str,
    *,
    architecture: str = "amd64",
    suite: str = "bookworm",
    name: str = "libssl-dev",
    root: str = "libraries",
    sha256: str = "00",
) -> Package:
    return Package(architecture, root, suite, name, version, f"pool/{name}.deb", sha256)


SECURE = package("3.0.22-1~deb12u2", suite="bookworm-security")


def test_what_is_as_new_as_what_is_offered_is_not_complained_of() -> None:
    assert not [*complaints_about_lock([SECURE], Offer([SECURE], {}))]
    assert not [*complaints_about_lock([SECURE], Offer([package("3.0.20-1~deb12u2")], {}))]


def test_a_newer_version_is_named_with_the_locked_one_and_what_to_do() -> None:
    (line,) = complaints_about_lock([package("3.0.20-1~deb12u2")], Offer([SECURE], {}))
    assert line == (
        "libssl-dev for amd64: 3.0.20-1~deb12u2 is locked, bookworm-security has 3.0.22-1~deb12u2: "
        "make refresh-lock, and build the wheels anew"
    )


def test_other_bytes_under_the_same_version_are_complained_of() -> None:
    tampered = package("3.0.22-1~deb12u2", suite="bookworm-security", sha256="ff")
    (line,) = complaints_about_lock([tampered], Offer([SECURE], {}))
    assert "is locked with SHA-256 ff, bookworm-security has 00" in line


def test_where_the_security_archive_is_not_read_the_other_architectures_tell() -> None:
    offer = Offer([SECURE, package("3.0.20-1~deb12u2", architecture="armhf")], {("bookworm-security", "armhf"): "404"})
    mine = package("3.0.20-1~deb12u2", architecture="armhf")
    (line,) = complaints_about_lock([mine], offer)
    assert "libssl-dev for armhf: 3.0.20-1~deb12u2 is locked" in line
    fixed = package("3.0.22-1~deb12u2", architecture="armhf", suite="bookworm-security")
    assert not [*complaints_about_lock([fixed], offer)]
    assert keep_unread(offer, [fixed]) == [SECURE, fixed]
    assert keep_unread(offer, [mine]) == offer.packages
    assert keep_unread(Offer(offer.packages, {}), [fixed]) == offer.packages


def test_what_a_module_was_linked_with_is_compared(tmp_path: Path) -> None:
    module = tmp_path / "_webrtc.so"
    offer = Offer([SECURE], {})

    def complaints(version: str) -> list[str]:
        module.write_bytes(f"ELF\0{linked.MARK}{linked.listing({'libssl-dev': version})}\0".encode())
        return [*complaints_about_module(module, offer)]

    (line,) = complaints("3.0.19-1~deb12u2")
    assert "_webrtc.so was linked with libssl-dev 3.0.19-1~deb12u2, bookworm-security has 3.0.22-1~deb12u2" in line
    assert "make build" in line
    assert complaints("3.0.22-1~deb12u2") == complaints("3.5.9-1~deb13u1") == complaints("3.0.13-0ubuntu3.7") == []
    module.write_bytes(b"ELF")
    assert [*complaints_about_module(module, offer)] == ["_webrtc.so does not say what it was linked with: make build"]


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release with libprobe-dev 1 and libother-dev 1, and its security archive with libprobe-dev 2."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("needs dpkg-deb")
    for suite, versions in {
        "probe": {"libprobe-dev": "1", "libother-dev": "1"},
        "probe-security": {"libprobe-dev": "2"},
    }.items():
        repository = tmp_path / suite
        repository.mkdir()
        entries = [entry_of(repository, name, version) for name, version in versions.items()]
        (repository / "Packages").write_text("\n".join(entries))

    def archive(suite: str, architecture: str, folder: Path) -> Archive:
        source = f"deb [trusted=yes arch={architecture}] copy:{tmp_path / suite} ./"
        return Archive(suite, architecture, folder, source)

    monkeypatch.setattr(refresh, "Archive", archive)
    selection = Selection("libraries", "probe", ("libprobe-dev", "libother-dev"), ("amd64",))
    monkeypatch.setattr(refresh, "SELECTIONS", (selection,))
    return tmp_path


def entry_of(repository: Path, name: str, version: str) -> str:
    """Make a package, and its entry in the list of its archive."""
    control = repository / name / "DEBIAN/control"
    control.parent.mkdir(parents=True)
    fields = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
    control.write_text(f"{fields}Maintainer: nobody <n@example.com>\nDescription: probe\n")
    file = repository / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--build", repository / name, file], check=True, capture_output=True)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"{fields}Filename: ./{file.name}\nSize: {file.stat().st_size}\nSHA256: {digest}\n"


def test_the_security_archive_is_taken_from_where_it_is_newer(debian: Path) -> None:
    offer = newest_packages(debian / "work")
    assert {(each.name, each.version, each.suite) for each in offer.packages} == {
        ("libprobe-dev", "2", "probe-security"),
        ("libother-dev", "1", "probe"),
    }
    assert not offer.unread


def test_a_security_archive_that_lacks_what_it_lists_is_told_and_the_release_taken(debian: Path) -> None:
    (debian / "probe-security/libprobe-dev.deb").unlink()
    offer = newest_packages(debian / "work")
    assert {(each.name, each.version) for each in offer.packages} == {("libprobe-dev", "1"), ("libother-dev", "1")}
    assert list(offer.unread) == [("probe-security", "amd64")]
    shutil.rmtree(debian / "probe-security")
    assert list(newest_packages(debian / "again").unread) == [("probe-security", "amd64")]


def test_a_release_that_lacks_a_package_is_an_error(debian: Path) -> None:
    (debian / "probe/Packages").write_text("")
    with pytest.raises(AptError, match="probe has no libother-dev libprobe-dev for amd64"):
        newest_packages(debian / "work")


def test_the_command_fails_until_the_newest_is_locked(
    debian: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = debian / "lock.toml"
    monkeypatch.setattr(commands, "LOCK", lock)
    monkeypatch.setattr(commands, "WORK", debian / "work")
    offered = newest_packages(debian / "work").packages
    write_lock(lock, [package("1", suite="probe", name=each.name) for each in offered if each.version == "2"])
    with pytest.raises(BuildError, match="libprobe-dev for amd64: 1 is locked, probe-security has 2"):
        commands.advisories([])
    write_lock(lock, offered)
    assert read_lock(lock) == sorted(offered)
    commands.advisories([])
    assert "nothing newer than what is locked" in capsys.readouterr().out


def test_the_security_archive_is_beside_the_mirror_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBIAN_MIRROR", "https://mirror.example/debian/")
    monkeypatch.delenv("DEBIAN_SECURITY_MIRROR", raising=False)
    assert security_mirror() == "https://mirror.example/debian-security"
    monkeypatch.setenv("DEBIAN_SECURITY_MIRROR", "https://elsewhere.example/security")
    assert security_mirror() == "https://elsewhere.example/security"


def test_the_lock_file_has_an_openssl_with_the_fix_for_every_architecture() -> None:
    locked = [each for each in read_lock(commands.LOCK) if each.name == "libssl-dev"]
    assert {each.architecture for each in locked} == {"amd64", "arm64", "armhf"}
    for each in locked:
        assert each.version == "3.0.22-1~deb12u2" or refresh.is_newer(each.version, "3.0.22-1~deb12u2")
        assert re.fullmatch(r"pool/.*\.deb", each.file)
