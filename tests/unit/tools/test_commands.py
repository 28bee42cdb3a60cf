from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
