from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from wheels.commands import attempt
from wheels.targets import TARGETS
from wheels.version import Version

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
