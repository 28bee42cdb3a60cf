"""Telnyx's own JavaScript SDK, unmodified, as a client of the gateway, with real audio."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections import deque
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.signals import dominant_frequency, pcm, tone
from telnyx_native.gateway import Gateway, User

pytestmark = pytest.mark.interop

HERE = Path(__file__).parent
LIMIT = 20.0
"""Seconds to wait for what the SDK does next."""

RATE = 16_000
SPOKEN_HZ, HEARD_HZ = 1000, 600
"""The tone the SDK's microphone hears, and the one the gateway plays to it."""


@pytest.fixture(scope="session")
def packages():
    """The SDK and its WebRTC, from the npm registry."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js is not installed")
    if not (HERE / "node_modules" / "@telnyx" / "webrtc").exists():
        install = ["npm", "ci", "--no-audit", "--no-fund"]
        result = subprocess.run(install, cwd=HERE, capture_output=True, text=True, timeout=300, check=False)
        if result.returncode:
            pytest.skip(f"the npm packages cannot be fetched: {result.stderr.strip()[-300:]}")


class JsClient:
    """The SDK in a process of its own; it tells what happens, event by event."""

    def __init__(self, process):
        self._process = process
        self._events = deque()
        self.states = {"outbound": [], "inbound": []}

    async def event(self, kind, **wanted):
        """Return the next event of a kind with these details; those in between are skipped."""
        async with asyncio.timeout(LIMIT):
            async for line in self._process.stdout:
                event = json.loads(line)
                assert kind == "error" or event["event"] != "error", event
                if event["event"] == "state":
                    self.states[event["direction"]].append(event["state"])
                if event["event"] == kind and wanted.items() <= event.items():
                    return event
        raise AssertionError(f"the SDK ended without {kind} {wanted}")

    def write(self, line):
        """Hand it a line to work on."""
        self._process.stdin.write(f"{line}\n".encode())

    async def leave(self):
        """Let it disconnect and end; return its exit code."""
        self._process.stdin.close()
        return await asyncio.wait_for(self._process.wait(), LIMIT)


@pytest.fixture
async def gateway():
    async with Gateway([User("alice", "secret", "+15550100")]) as gateway:
        yield gateway


@pytest.fixture
def password():
    return "secret"


@pytest.fixture(params=["complete", "trickle"])
def candidates(request):
    return request.param


@asynccontextmanager
async def running(script, *arguments):
    """Run a script that uses the SDK."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(HERE / script),
        *arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield JsClient(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def js(packages, gateway, password, candidates):
    arguments = [gateway.url, "alice", password, str(SPOKEN_HZ), str(HEARD_HZ), candidates]
    async with running("js_client.mjs", *arguments) as client:
        yield client


async def test_telnyx_js_sdk(js, gateway):
    await js.event("ready")

    # It calls the echo, hears itself, holds, resumes and hangs up.
    echoed = await js.event("audio", direction="outbound")
    assert echoed["share"] == pytest.approx(1, abs=0.1)
    assert echoed["rms"] > 2000
    assert (await js.event("hold"))["state"] == "held"
    assert (await js.event("unhold"))["state"] == "active"
    await js.event("state", direction="outbound", state="destroy")
    assert js.states["outbound"][:4] == ["new", "requesting", "trying", "active"]
    assert js.states["outbound"][-2:] == ["hangup", "destroy"]
    assert gateway.calls == []

    # It is called, answers, and both sides hear each other.
    call = await gateway.place_call("alice", from_="+15550199", headers={"X-Ticket": "9"})
    ringing = await js.event("state", direction="inbound", state="ringing")
    assert ringing["from"] == "+15550199"
    assert ringing["headers"] == [{"name": "X-Ticket", "value": "9"}]
    await call.wait_answered(LIMIT)
    await call.audio.write(tone(HEARD_HZ, 5.0, RATE).data)
    heard = await js.event("audio", direction="inbound")
    assert heard["share"] == pytest.approx(1, abs=0.1)
    assert heard["rms"] > 2000
    spoken = pcm(await call.audio.read(round(call.audio.readable * RATE)))[-RATE:]
    assert dominant_frequency(spoken, RATE) == pytest.approx(SPOKEN_HZ, abs=3)
    await call.hang_up()
    ended = await js.event("state", direction="inbound", state="hangup")
    assert (ended["cause"], ended["sipCode"]) == ("NORMAL_CLEARING", 200)

    assert await js.leave() == 0
    counters = gateway.counters
    assert (counters.malformed_frames, counters.unknown_methods, counters.handler_failures) == (0, 0, 0)

    # It has reported about both calls.
    assert counters.refused_call_reports == 0
    reports = {report.call_id: report.body for report in gateway.call_reports}
    assert [report["summary"]["direction"] for report in reports.values()] == ["outbound", "inbound"]
    assert all(report["stats"] for report in reports.values())


@pytest.mark.parametrize("candidates", ["complete"], indirect=True)
@pytest.mark.parametrize("password", ["wrong"])
async def test_wrong_password(js, gateway):
    assert (await js.event("error"))["code"] == 46001  # its LOGIN_FAILED
    await asyncio.sleep(1)
    assert gateway.counters.failed_logins == 1, "it must not be led to try again"


async def test_login_with_a_token(packages, gateway):
    async with running("js_token.mjs", gateway.url, gateway.mint_token("alice")) as js:
        await js.event("ready")
        assert [session.user_name for session in gateway.sessions] == ["alice"]
        assert await js.leave() == 0


async def test_token_that_is_refused(packages, gateway):
    async with running("js_token.mjs", gateway.url, gateway.mint_token("alice", -1)) as js:
        assert (await js.event("error"))["code"] == 46001
        await asyncio.sleep(1)
        assert gateway.counters.failed_logins == 1, "it must not be led to try again"


async def test_guest_of_the_assistant(packages, gateway):
    async with running("js_guest.mjs", gateway.url, "assistant") as js:
        await js.event("ready")
        assert (await js.event("widget_settings"))["widget_settings"]["theme"] == "dark"
        await js.event("response.done")
        js.write('use get_time {"zone": "UTC"}')
        item = (await js.event("conversation.item.created"))["item"]
        assert (item["role"], item["content"][0]["transcript"]) == ("user", 'use get_time {"zone": "UTC"}')
        call = (await js.event("conversation.item.created"))["item"]
        assert (call["name"], json.loads(call["arguments"])) == ("get_time", {"zone": "UTC"})
        said = ""
        while "UTC" not in said:
            said += (await js.event("response.text.delta"))["delta"]
        assert said == 'get_time returned {"used":"get_time","arguments":{"zone":"UTC"}}'
        assert await js.leave() == 0
    counters = gateway.counters
    assert (counters.malformed_frames, counters.unknown_methods, counters.handler_failures) == (0, 0, 0)
