"""What is done with a wheel in a Debian, with a stand-in for the Debian, and which tests can be taken there."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from wheels import trial
from wheels.build import BuildError
from wheels.trial import CALLS, NATIVE_TESTS, PYTEST, check_startup, copy_native_tests, install_and_call

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


@pytest.mark.parametrize("spoilt", range(CALLS + 1))
def test_a_call_that_the_machine_spoilt_is_made_again_but_not_for_ever(
    spoilt: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def run_in(root: Path, command: list[str]) -> None:
        if "demo" in command:
            calls.append(root)
            if len(calls) <= spoilt:
                raise BuildError("the recording does not match")

    monkeypatch.setattr(trial, "run_in", run_in)
    if spoilt == CALLS:
        with pytest.raises(BuildError, match="does not match"):
            install_and_call(tmp_path, "python3", "probe.whl")
    else:
        install_and_call(tmp_path, "python3", "probe.whl")
    assert calls == [tmp_path] * min(spoilt + 1, CALLS)


def environment(folder: Path, module: str) -> Path:
    """The Python of an environment in which `telnyx_native` is such a module, and websockets loads nothing."""
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "telnyx_native.py").write_text(module)
    (packages / "websockets/asyncio").mkdir(parents=True)
    (packages / "websockets/asyncio/client.py").touch()
    return folder / "bin/python"


def test_an_import_that_loads_nothing_is_within_the_limits(tmp_path: Path) -> None:
    told = check_startup(environment(tmp_path, "x = 1"))
    assert told.startswith("import telnyx_native takes ")


@pytest.mark.parametrize(
    "module", ["import time; time.sleep(0.03)", "hoard = bytes(1) * 30_000_000"], ids=["slow", "big"]
)
def test_a_slow_or_a_big_import_is_refused(tmp_path: Path, module: str) -> None:
    with pytest.raises(BuildError, match="more than 20 ms or 20 MB"):
        check_startup(environment(tmp_path, module))
