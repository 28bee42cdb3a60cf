"""What runs under emulation: the tests of the native part, but those that measure time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from wheels.trial import NATIVE_TESTS, PYTEST, copy_native_tests

ROOT = Path(__file__).parents[3]


def test_the_native_tests_can_be_taken_elsewhere_and_those_of_time_left_out(tmp_path: Path) -> None:
    home = tmp_path / "project"
    (home / "left-over").mkdir(parents=True)
    copy_native_tests(ROOT, home)
    assert not (home / "left-over").exists()
    command = [sys.executable, "-m", *PYTEST, "--collect-only", NATIVE_TESTS]
    result = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    found = re.search(r"(\d+)/(\d+) tests collected \((\d+) deselected\)", result.stdout)
    assert found, result.stdout
    left, _, timed = map(int, found.groups())
    assert left > 10 * timed > 0
    assert "test_writing_waits_while_the_queue_is_full_and_paces_the_writer" not in result.stdout
