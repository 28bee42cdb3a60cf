"""A program that PyInstaller makes of this package. Run by `make frozen`: it takes minutes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("PyInstaller")

APP = Path(__file__).with_name("app.py")


@pytest.mark.timeout(1200)
def test_a_frozen_program_has_all_it_needs(tmp_path: Path) -> None:
    freeze = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", str(APP)]
    subprocess.run(freeze, cwd=tmp_path, check=True, timeout=1000)
    frozen = subprocess.run(
        [tmp_path / "dist/app/app"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert frozen.stdout.strip() == "heard the prompt", frozen.stderr
