"""The machine moves to another network in the middle of a call."""

from __future__ import annotations

import pytest

from support.network_namespace import may_have_a_network, run_in_a_network


@pytest.mark.skipif(not may_have_a_network(), reason="needs iproute2 and network namespaces without root")
def test_call_goes_on_over_the_new_network() -> None:
    script = run_in_a_network("support.network_switch")
    assert script.returncode == 0, script.stderr
    *states, heard = script.stdout.splitlines()
    assert states[:3] == ["ACTIVE", "RECONNECTING(NETWORK_SWITCH)", "ACTIVE"]
    assert [state[:4] for state in states[3:]] == ["DONE"]
    assert 430 < int(heard.removesuffix(" Hz")) < 450
