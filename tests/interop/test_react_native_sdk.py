"""Telnyx's own React Native SDK, unmodified, on Node: what a phone gives it comes from stand-ins; the audio is real."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from itertools import count

import pytest

from interop.packages import HERE, MODULES
from interop.remote import HEARD_HZ, RATE, SPOKEN_HZ, over, spoken
from support.limit import LIMIT
from support.signals import tone
from telnyx_native.gateway.faults.names import inject

pytestmark = pytest.mark.interop

CHOICES = [500, 600, SPOKEN_HZ, HEARD_HZ]
"""The tones that there are."""


class CommandError(Exception):
    """The SDK refused."""


class Phone:
    """The SDK in a process of its own."""

    def __init__(self, process):
        self._process = process
        self._ids = count(1)
        self._answers = {}
        self._changed = asyncio.Condition()
        self.events = []

    async def read(self):
        async for line in self._process.stdout:
            message = json.loads(line)
            if "id" in message and "event" not in message:
                self._answers.pop(message["id"]).set_result(message)
                continue
            async with self._changed:
                self.events.append(message)
                self._changed.notify_all()

    async def do(self, command, *parameters):
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": number, "command": command, "parameters": parameters})
        self._process.stdin.write(f"{line}\n".encode())
        message = await asyncio.wait_for(answer, LIMIT)
        if "error" in message:
            raise CommandError(message["error"])
        return message["result"]

    async def event(self, kind, **wanted):
        """Wait for an event with these details, and take it."""

        def found():
            return next((one for one in self.events if one["event"] == kind and wanted.items() <= one.items()), None)

        async with asyncio.timeout(LIMIT), self._changed:
            await self._changed.wait_for(found)
            event = found()
            self.events.remove(event)
            return event

    async def log_in(self, **options):
        await self.do("logIn", options or {"login": "alice", "password": "s3cret"})

    async def call(self, destination, **options):
        return await self.do("call", destination, options)

    async def hears(self, call, hz):
        """Wait until a call brings a tone; 0 is silence."""
        async with asyncio.timeout(LIMIT):
            while await self.do("heard", call, CHOICES) != hz:
                pass


@pytest.fixture(scope="session")
def program(js_packages):
    """The SDK and what drives it, in one file beside the packages it needs."""
    file = MODULES / ".phone.mjs"
    subprocess.run(["node", HERE / "react_native" / "bundle.mjs", file], check=True, timeout=60)
    return file


@pytest.fixture
async def device(program, gateway):
    """A phone with the SDK on it."""
    process = await asyncio.create_subprocess_exec(
        "node",
        program,
        env=os.environ | {"GATEWAY": gateway.url, "MICROPHONE_HZ": str(SPOKEN_HZ)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        limit=1 << 20,
    )
    phone = Phone(process)
    reading = asyncio.create_task(phone.read())
    try:
        await phone.event("started")
        yield phone
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


@pytest.fixture
async def phone(device):
    """The SDK, logged in as alice."""
    await device.log_in()
    return device


async def answered_by_bob(phone, bob):
    """A call from the phone to Bob, who plays a tone."""
    incoming = bob.incoming_calls.collect()
    call = await phone.call("bob")
    theirs = await asyncio.wait_for(anext(incoming), LIMIT)
    await theirs.accept()
    theirs.audio.play(tone(HEARD_HZ, 1, RATE), loop=True)
    await phone.event("state", id=call, state="active")
    return call, theirs


async def test_credentials_and_a_call(phone, gateway):
    assert [connection.user_name for connection in gateway.connections] == ["alice"]
    call = await phone.call("echo", callerIdName="Alice", customHeaders=[{"name": "X-Ticket", "value": "9"}])
    for state in ("ringing", "active"):
        await phone.event("state", id=call, state=state)
    (leg,) = gateway.calls
    assert (leg.info.caller.name, dict(leg.info.custom_headers)) == ("Alice", {"X-Ticket": "9"})
    await phone.hears(call, SPOKEN_HZ)
    await phone.do("on", call, "hangup")
    assert (await leg.wait_ended(LIMIT)).cause == "NORMAL_CLEARING"
    await phone.do("leave")


async def test_token(device, gateway):
    await device.log_in(login_token=gateway.mint_token("alice"))
    await device.hears(await device.call("tone:600"), 600)


@pytest.mark.parametrize("wrong", [{"login": "alice", "password": "guess"}, {"login_token": "eyJh.e30.x"}])
async def test_refused_login(device, gateway, wrong):
    with pytest.raises(CommandError):
        await device.log_in(**wrong)
    assert gateway.counters.failed_logins == 1


async def test_inbound_call_that_the_server_ends(phone, gateway):
    leg = await gateway.place_call("alice", from_="+15550199", name="Desk", headers={"X-Ticket": "9"})
    ringing = await phone.event("incoming", **{"from": "+15550199"}, name="Desk")
    assert ringing["headers"] == [{"name": "X-Ticket", "value": "9"}]
    await phone.do("on", ringing["id"], "answer")
    await leg.wait_answered(LIMIT)
    leg.audio.play(tone(HEARD_HZ, 1, leg.audio.sample_rate), loop=True)
    await asyncio.gather(phone.hears(ringing["id"], HEARD_HZ), spoken(leg, SPOKEN_HZ))
    await leg.hang_up()
    await phone.event("state", id=ringing["id"], state="ended")


async def test_reject_and_cancel(phone, gateway, bob):
    leg = await gateway.place_call("alice", from_="+15550199")
    await phone.do("on", (await phone.event("incoming"))["id"], "hangup")
    assert (await leg.wait_ended(LIMIT)).cause == "USER_BUSY"
    incoming = bob.incoming_calls.collect()
    call = await phone.call("bob")
    ringing = await asyncio.wait_for(anext(incoming), LIMIT)
    await phone.do("on", call, "hangup")
    assert (await asyncio.wait_for(ringing.wait_done(), LIMIT)).cause == "ORIGINATOR_CANCEL"
    call = await phone.call("busy")
    await phone.event("state", id=call, state="ended")
    await over(gateway)


async def test_user_to_user_hold_keys_and_mute(phone, gateway, bob):
    call, theirs = await answered_by_bob(phone, bob)
    await asyncio.gather(phone.hears(call, HEARD_HZ), spoken(theirs, SPOKEN_HZ))
    keys = theirs.dtmf_flow.collect()
    await phone.do("on", call, "dtmf", "5#")
    assert [(await asyncio.wait_for(anext(keys), LIMIT)).key for _ in range(2)] == ["5", "#"]
    assert await phone.do("on", call, "hold") == "held"
    await asyncio.gather(phone.hears(call, 0), spoken(theirs, 0))
    assert await phone.do("on", call, "unhold") == "active"
    await asyncio.gather(phone.hears(call, HEARD_HZ), spoken(theirs, SPOKEN_HZ))
    await phone.do("on", call, "mute")
    await spoken(theirs, 0)
    await phone.do("on", call, "unmute")
    await spoken(theirs, SPOKEN_HZ)
    await theirs.end()
    await phone.event("state", id=call, state="ended")
    await over(gateway)


async def test_two_calls(phone, gateway):
    first = await phone.call("tone:500")
    await phone.hears(first, 500)
    leg = await gateway.place_call("alice", from_="+15550199")
    second = (await phone.event("incoming"))["id"]
    await phone.do("on", first, "hold")
    await phone.do("on", second, "answer")
    await leg.wait_answered(LIMIT)
    leg.audio.play(tone(HEARD_HZ, 1, leg.audio.sample_rate), loop=True)
    await phone.hears(second, HEARD_HZ)
    await phone.hears(first, 0)
    await phone.do("on", second, "hangup")
    await phone.do("on", first, "unhold")
    await phone.hears(first, 500)
    await phone.do("on", first, "hangup")
    await over(gateway)


async def test_early_media(phone):
    call = await phone.call("early:2")
    await phone.event("media")
    await phone.event("state", id=call, state="active")
    await phone.hears(call, SPOKEN_HZ)


async def test_trickled_candidates(device, gateway):
    await device.log_in(login="alice", password="s3cret", useTrickleIce=True)
    with gateway.monitor.events.collect() as events:
        call = await device.call("echo", peerConnectionOptions={"useTrickleIce": True})
        await device.hears(call, SPOKEN_HZ)
        async with asyncio.timeout(LIMIT):
            while '"telnyx_rtc.candidate"' not in (await anext(events)).data.get("text", ""):
                pass
    await device.do("on", call, "hangup")
    leg = await gateway.place_call("alice", from_="+15550199")
    inbound = (await device.event("incoming"))["id"]
    await device.do("on", inbound, "answer")
    await leg.wait_answered(LIMIT)
    await spoken(leg, SPOKEN_HZ)


async def test_lost_network_and_re_attach(phone, gateway, bob):
    call, theirs = await answered_by_bob(phone, bob)
    await phone.hears(call, HEARD_HZ)
    await phone.do("network", {"type": "none", "isConnected": False, "isInternetReachable": False})
    await phone.event("state", id=call, state="dropped")
    await phone.do("network", {"type": "cellular", "isConnected": True, "isInternetReachable": True})
    await phone.do("network", {"type": "cellular", "isConnected": True, "isInternetReachable": True})
    again = (await phone.event("reattached"))["id"]
    assert again == call
    await asyncio.gather(phone.hears(call, HEARD_HZ), spoken(theirs, SPOKEN_HZ))
    await phone.do("on", call, "hangup")
    await asyncio.wait_for(theirs.wait_done(), LIMIT)
    await over(gateway)


async def test_app_that_starts_again_gets_its_call(phone, gateway, bob):
    call, theirs = await answered_by_bob(phone, bob)
    await phone.hears(call, HEARD_HZ)
    gateway.faults.drop("alice")
    await phone.event("error")
    await phone.log_in()
    assert (await phone.event("reattached"))["id"] == call
    await asyncio.gather(phone.hears(call, HEARD_HZ), spoken(theirs, SPOKEN_HZ))


async def test_debug_and_call_reports(device, gateway):
    await device.log_in(login="alice", password="s3cret", debug=True, enableCallReports=True)
    with gateway.monitor.events.collect() as events:
        call = await device.call("echo")
        await device.hears(call, SPOKEN_HZ)
        await device.do("on", call, "hangup")
        kinds = set()
        async with asyncio.timeout(LIMIT):
            while "debug_report_stop" not in kinds:
                event = await anext(events)
                if event.kind == "message":
                    kinds.add(json.loads(event.data["text"]).get("type"))
    assert {"debug_report_start", "debug_report_data"} <= kinds
    async with asyncio.timeout(LIMIT):
        while not len(gateway.call_reports):  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.05)
    (report,) = gateway.call_reports
    assert report.call_id == call
    assert report.body["summary"]


async def test_push_wakes_the_app(device, gateway):
    options = {"login": "alice", "password": "s3cret", "pushNotificationDeviceToken": "device-token"}
    await device.log_in(**options)
    await device.do("leave")
    async with asyncio.timeout(LIMIT):
        while gateway.connections:  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.02)
    with gateway.push.sent.collect() as sent:
        leg = await gateway.place_call("alice", from_="+15550199")
        push = await asyncio.wait_for(anext(sent), LIMIT)
    await device.do("wake", options, dict(push.metadata))
    ringing = await device.event("incoming")
    await device.do("on", ringing["id"], "answer")
    await leg.wait_answered(LIMIT)
    await spoken(leg, SPOKEN_HZ)
    await leg.hang_up()
    await device.do("disablePush")
    async with asyncio.timeout(LIMIT):
        while gateway.push.announces("alice", active=False):  # noqa: ASYNC110 - nor here
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", ["duplicate", "malformed", "delay:0.5"])
async def test_calls_while_the_gateway_misbehaves(phone, gateway, name):
    await inject(gateway.faults, "alice", name)
    call = await phone.call("echo")
    await phone.hears(call, SPOKEN_HZ)
    await phone.do("on", call, "hangup")
    await over(gateway)
