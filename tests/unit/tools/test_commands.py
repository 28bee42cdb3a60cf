from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from wheels import commands
from wheels.build import BuildError
from wheels.commands import attempt, emulated, in_wheelhouse, python_with_pip
from wheels.targets import TARGETS, Version

ROOT = Path(__file__).parents[3]


def test_a_file_that_is_no_wheel_is_refused_without_a_traceback(tmp_path: Path) -> None:
    for name, said in (("README.md", "is not named like a wheel"), ("probe-1_x86_64.whl", "not a zip file")):
        file = tmp_path / name
        file.write_text("no wheel")
        command = [sys.executable, "-m", "wheels", "check", file]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 1
        assert said in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("version", "reason"),
    [(Version(3, 12), "no Debian has that Python"), (Version(3, 11), "a Debian for armv7l needs root")],
)
def test_a_wheel_that_cannot_be_tried_here_is_not_counted_and_the_reason_said(
    version: Version, reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    builder = SimpleNamespace(version=version, interpreter=Path(sys.executable))
    assert not attempt(Path("probe.whl"), TARGETS["armv7l"], builder)
    assert f"not tried: {reason}" in capsys.readouterr().out


def test_of_the_wheelhouse_those_are_tried_that_a_debian_has_a_python_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "PRODUCTS", tmp_path)
    for python, machine in (("cp311", "armv7l"), ("cp312", "armv7l"), ("cp313", "armv7l"), ("cp311", "aarch64")):
        (tmp_path / f"probe-1-{python}-{python}-manylinux_2_28_{machine}.whl").touch()
    found = in_wheelhouse(TARGETS["armv7l"])
    assert {str(version): wheel.name for version, wheel in found.items()} == {
        version: f"probe-1-{python}-{python}-manylinux_2_28_armv7l.whl"
        for version, python in (("3.11", "cp311"), ("3.13", "cp313"))
    }


def test_nothing_to_emulate_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PRODUCTS", tmp_path)
    with pytest.raises(BuildError, match="no wheel for another machine than this"):
        emulated([*TARGETS.values()])


def test_a_wheel_is_tried_with_the_python_that_built_it_wherever_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "WORK", tmp_path)
    built = tmp_path / "python3.99/bin/python"
    built.parent.mkdir(parents=True)
    built.symlink_to(sys.executable)
    assert python_with_pip(Version(3, 99)) == built
    with pytest.raises(BuildError, match=r"no Python python3\.98 here"):
        python_with_pip(Version(3, 98))
