"""The machine moves to another network in the middle of a call."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
OWN_NETWORK = ["unshare", "--user", "--map-root-user", "--net"]


def may_have_a_network() -> bool:
    tools = shutil.which("unshare") and shutil.which("ip")
    return bool(tools) and subprocess.run([*OWN_NETWORK, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not may_have_a_network(), reason="needs iproute2 and network namespaces without root")
def test_call_goes_on_over_the_new_network() -> None:
    script = subprocess.run(
        [*OWN_NETWORK, sys.executable, "-m", "support.network_switch"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert script.returncode == 0, script.stderr
    *states, heard = script.stdout.splitlines()
    assert states[:3] == ["ACTIVE", "RECONNECTING(NETWORK_SWITCH)", "ACTIVE"]
    assert [state[:4] for state in states[3:]] == ["DONE"]
    assert 430 < int(heard.removesuffix(" Hz")) < 450
