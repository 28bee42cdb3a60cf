"""Faults by name, in Python and over HTTP."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from websockets.asyncio.client import connect

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import GatewayLimits
from telnyx_native.gateway.faults.names import CALL_FAULTS, USER_FAULTS, inject


@pytest.fixture
def limits():
    return GatewayLimits(close_time=2.0, ping_interval=0.05)


@pytest.mark.parametrize(
    "name", ["", "nonsense", "delay", "delay:x", "delay:-1", "delay:nan", "registration:REGED", "drop:1"]
)
async def test_names_that_make_no_sense(alice, gateway, name):
    with pytest.raises(ConfigurationError):
        await inject(gateway.faults, "alice", name)


@pytest.mark.parametrize("name", USER_FAULTS)
async def test_every_fault_of_a_user_has_a_name(gateway, alice, post, name):
    name = name.replace("SECONDS", "0.01").replace("FAULT", "EXPIRED").replace("TIMES", "3")
    name = name.replace("CODE", "-32603").replace("CALLS", "2")
    name = name.replace("STATE", "EXPIRED").replace("NAME=VALUE,...", "loss=0.1,jitter=0.03")
    assert await post("users/alice/faults", name) == HTTPStatus.OK
    assert await post("users/nobody/faults", name) == HTTPStatus.NOT_FOUND
    gateway.faults.clear("alice")
    async with connect(gateway.url):
        pass


@pytest.mark.parametrize("name", CALL_FAULTS)
async def test_every_fault_of_a_call_has_a_name(gateway, alice, post, name):
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    (leg,) = gateway.calls
    name = name.replace("NAME=VALUE,...", "loss=0.1,delay=0.1,reorder=0.1,rate=50000")
    assert await post(f"calls/{leg.info.ids.leg_id}/faults", name) == HTTPStatus.OK
    assert await post("calls/none/faults", name) == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "name", ["", "media", "media:", "media:loss", "media:loss=2", "media:lose=0.1", "media:loss=x", "drop", "move"]
)
async def test_names_of_faults_of_a_call_that_make_no_sense(gateway, alice, post, name):
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    (leg,) = gateway.calls
    assert await post(f"calls/{leg.info.ids.leg_id}/faults", name) == HTTPStatus.NOT_FOUND
