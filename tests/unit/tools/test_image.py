"""What pyproject.toml tells cibuildwheel fits the image that is made for it, and the checks."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from wheels.commands import in_containers
from wheels.image import CERTIFICATES, IMAGE, certificates, container_settings
from wheels.targets import GLIBC_FLOOR, TARGETS

ROOT = Path(__file__).parents[3]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["cibuildwheel"]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_cibuildwheel_builds_in_the_image_that_is_made_for_it(machine: str) -> None:
    assert SETTINGS["linux"][f"manylinux-{machine}-image"] == f"{IMAGE}:{machine}"


def test_cibuildwheel_promises_the_glibc_that_the_checks_demand() -> None:
    major, minor = GLIBC_FLOOR
    repair, check = SETTINGS["linux"]["repair-wheel-command"]
    assert f"--plat manylinux_{major}_{minor}_$(uname -m)" in repair
    assert "wheels check" in check


def test_cibuildwheel_builds_each_python_that_is_promised() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    promised = [
        line.rsplit(" ", 1)[1] for line in classifiers if line.startswith("Programming Language :: Python :: 3.")
    ]
    assert SETTINGS["build"] == [f"cp{version.replace('.', '')}-*" for version in promised]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_linker_is_sent_to_the_folders_of_the_architecture(machine: str) -> None:
    flags = SETTINGS["linux"]["environment"]["LDFLAGS"].replace("$(uname -m)", machine).split()
    sysroot = "/opt/telnyx-native/sysroot"
    triplet = TARGETS[machine].triplet
    assert flags == [f"--sysroot={sysroot}", f"-L{sysroot}/usr/lib/{triplet}", f"-L{sysroot}/lib/{triplet}"]


@pytest.mark.skipif(not Path(f"/{CERTIFICATES}").exists(), reason="needs ca-certificates")
def test_pip_in_the_image_asks_whom_pip_asks_here_and_trusts_whom_this_machine_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    (home / ".config/pip").mkdir(parents=True)
    (home / ".config/pip/pip.conf").write_text("[global]\nindex-url = https://index.example/simple\n")
    (root / CERTIFICATES).parent.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    certificates(root)
    assert (root / CERTIFICATES).read_bytes() == Path(f"/{CERTIFICATES}").read_bytes()
    assert "index.example" in (root / "root/.config/pip/pip.conf").read_text()
    assert (root / "etc/pip.conf").exists() == Path("/etc/pip.conf").exists()


def test_without_podman_the_builds_are_skipped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    in_containers([Path(sys.executable), Path(sys.executable)])
    said = capsys.readouterr().out
    assert "not run, it needs root and podman; 0 wheels built, 2 skipped" in said


@pytest.mark.parametrize(
    ("script", "settings"),
    [
        ("exit 0", set()),
        ('[ -n "${CONTAINERS_CONF:-}" ]', {"CONTAINERS_CONF"}),
        ("exit 125", None),
    ],
    ids=["as it is", "confined", "not at all"],
)
def test_podman_is_confined_only_where_it_does_not_start_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, settings: set[str] | None
) -> None:
    podman = tmp_path / "podman"
    podman.write_text(f"#!/bin/sh\n{script}\n")
    podman.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CONTAINERS_CONF", raising=False)
    found = container_settings("localhost/probe", tmp_path)
    assert (found if found is None else set(found)) == settings
