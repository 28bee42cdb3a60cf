"""Scenarios by name."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus

import aiohttp
import pytest
from typer.main import get_command
from typer.testing import CliRunner
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from support.hurry import Hurry
from support.limit import LIMIT
from telnyx_native.cli import app
from telnyx_native.cli.command import ExitCode
from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.faults import scenarios
from telnyx_native.gateway.faults.faults import MALFORMED
from telnyx_native.gateway.faults.scenarios import SCENARIOS


@pytest.fixture
def hurry(monkeypatch):
    monkeypatch.setattr(scenarios, "asyncio", Hurry(100))


async def cut_off(alice, gateway):
    with pytest.raises(ConnectionClosedError) as closed:
        await alice.expect("nothing any more")
    assert closed.value.rcvd is None


async def is_there(gateway):
    """Wait until the gateway listens: a restart may be under way."""
    async with asyncio.timeout(LIMIT):
        while True:
            with suppress(OSError):
                async with connect(gateway.url):
                    return
            await asyncio.sleep(0.02)


async def bad_audio(alice, gateway):
    assert gateway.calls[0].media.network.sending.conditions.jitter > 0.02


async def flaky(alice, gateway):
    await bad_audio(alice, gateway)
    await cut_off(alice, gateway)


async def forgotten(alice, gateway):
    (leg,) = gateway.calls
    await cut_off(alice, gateway)
    assert leg.reason is not None


async def late_and_twice(alice, gateway):
    ping = await alice.request("telnyx_rtc.ping")
    for _ in range(2):
        await alice.frame(lambda frame: frame.get("id") == ping)


async def silent(alice, gateway):
    async with asyncio.timeout(LIMIT):
        while True:
            await alice.request("telnyx_rtc.ping")
            try:
                await asyncio.wait_for(alice.socket.recv(), 0.3)
            except TimeoutError:
                return


async def garbage(alice, gateway):
    async with asyncio.timeout(LIMIT):
        while await alice.socket.recv() != MALFORMED[-1]:
            pass


async def moved(alice, gateway):
    await alice.expect("telnyx_rtc.attach")
    (leg,) = gateway.calls
    async with asyncio.timeout(LIMIT):
        while not leg.media.network.rebound:  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.01)


async def not_ready(alice, gateway):
    await cut_off(alice, gateway)
    answer = {}
    async with asyncio.timeout(LIMIT):
        while answer.get("error", {}).get("message") != "Service Unavailable":
            with suppress(OSError, ConnectionClosed):  # the next restart
                async with connect(gateway.url) as socket:
                    answer = await type(alice)(socket).ask("login", login="alice", passwd="secret")


EFFECTS = {
    "flaky-wifi": flaky,
    "congested-link": bad_audio,
    "server-restart": cut_off,
    "amnesia": forgotten,
    "registration-storm": cut_off,
    "slow-start": not_ready,
    "slow-server": late_and_twice,
    "dead-link": silent,
    "garbage": garbage,
    "expired-tokens": cut_off,
    "moving-media": moved,
}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_each_has_its_effect_until_it_is_stopped(alice, gateway, open_client, hurry, name):
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    gateway.scenarios.start(name)
    gateway.scenarios.start(name)
    assert gateway.scenarios.running == [name]
    await asyncio.sleep(0)
    await EFFECTS[name](alice, gateway)
    assert gateway.scenarios.running == [name], "it has ended by itself"
    await gateway.scenarios.stop(name)
    assert gateway.scenarios.running == []
    assert gateway._context.faults.of("alice").media is None
    await is_there(gateway)
    async with open_client() as client:
        assert "result" in await client.login()
        assert (await client.ask("telnyx_rtc.gatewayState"))["result"]["params"]["state"] == "REGED"


@pytest.mark.parametrize("name", SCENARIOS)
async def test_none_needs_anybody_to_be_there(gateway, hurry, name):
    gateway.scenarios.start(name)
    await asyncio.sleep(0.4)
    assert gateway.scenarios.running == [name]


async def test_what_there_is_not(gateway):
    with pytest.raises(ConfigurationError, match="no scenario 'rain'; there are flaky-wifi"):
        gateway.scenarios.start("rain")
    with pytest.raises(ConfigurationError, match="does not go on"):
        await gateway.scenarios.stop("amnesia")


async def test_by_http(gateway):
    headers = {"Authorization": f"Bearer {gateway.control_token}"}
    url = gateway.url.replace("ws:", "http:") + "/api/scenarios"
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.put(f"{url}/garbage") as response:
            assert [one["name"] for one in await response.json() if one["running"]] == ["garbage"]
        async with http.get(url) as response:
            assert {one["name"]: one["summary"] for one in await response.json()} == {
                name: scenario.summary for name, scenario in SCENARIOS.items()
            }
        async with http.delete(f"{url}/garbage") as response:
            assert not [one for one in await response.json() if one["running"]]
        for request in (http.put, http.delete):
            async with request(f"{url}/rain") as response:
                assert response.status == HTTPStatus.NOT_FOUND


def test_the_command_tells_which_there_are():
    (option,) = [one for one in get_command(app).commands["gateway"].params if "--scenario" in one.opts]
    assert [name for name in SCENARIOS if name not in option.help] == []
    refused = CliRunner().invoke(app, ["gateway", "--scenario", "rain"])
    assert refused.exit_code == ExitCode.USAGE
    assert "there are flaky-wifi" in " ".join(refused.output.split())
