"""Telnyx's own JavaScript SDK, unmodified, in Chromium, as a client of the gateway: all it can do, with real audio."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from interop.packages import HERE, SDK
from interop.remote import HEARD_HZ, RATE, SPOKEN_HZ, over, spoken
from support.browser import needs_browser, open_page
from support.hearing import saying_tone
from support.limit import LIMIT
from support.signals import tone
from telnyx_native.gateway.faults.names import inject
from telnyx_native.media.files import write_wav
from telnyx_native.states import HangupCause

pytestmark = [pytest.mark.interop, needs_browser]


@asynccontextmanager
async def site():
    """A site with the page and the SDK; what an application's own server would be."""
    app = web.Application()
    app.router.add_static("/sdk", SDK)
    app.router.add_static("/page", HERE / "page")
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        listening = web.TCPSite(runner, "127.0.0.1", 0)
        await listening.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/page/index.html"
    finally:
        await runner.cleanup()


class Phone:
    """The SDK on the page."""

    def __init__(self, page, gateway):
        self.page = page
        self.gateway = gateway

    async def do(self, call, *arguments):
        """Call a method of the page's `phone`; return what it returns."""
        return await self.page.evaluate(f"phone.{call}({', '.join(map(json.dumps, arguments))})")

    async def log_in(self, **options):
        """Log in, as alice with her password if nothing else is said."""
        options = options or {"login": "alice", "password": "s3cret"}
        await self.do("logIn", {"host": self.gateway.url} | options)
        await self.happened("ready")

    async def happened(self, kind, details=None):
        arguments = json.dumps(kind) + ("" if details is None else f", {json.dumps(details)}")
        await self.page.until(f"phone.has({arguments})")

    async def dial(self, destination, **options):
        """Call; return the id of the call."""
        return await self.do("call", destination, options)

    async def enters(self, call_id, state):
        await self.page.until(f"phone.states[{json.dumps(call_id)}]?.at(-1) === {json.dumps(state)}")

    async def rings(self):
        """Wait for an inbound call; return its id."""
        found = "Object.values(phone.calls).find(call => call.state === 'ringing' && call.direction === 'inbound')?.id"
        return await self.page.until(found)

    async def states(self, call_id):
        return await self.page.evaluate(f"phone.states[{json.dumps(call_id)}]")

    async def on(self, call_id, expression):
        """Evaluate something about a call, such as `hold()`."""
        return await self.page.evaluate(f"phone.calls[{json.dumps(call_id)}].{expression}")

    async def hears(self, call_id, hz):
        """Wait until a call brings a tone; 0 is silence."""
        async with asyncio.timeout(LIMIT):
            while abs(await self.do("heard", call_id) - hz) > 12:
                pass


@pytest.fixture
async def browser(js_packages, gateway, tmp_path):
    microphone = tmp_path / "microphone.wav"
    write_wav(microphone, tone(SPOKEN_HZ, 2, 48_000), 48_000)
    async with site() as url, open_page(url, microphone=microphone) as page:
        await page.until("!!window.phone")
        yield Phone(page, gateway)


@pytest.fixture
async def phone(browser):
    """The SDK, logged in as alice."""
    await browser.log_in()
    return browser


async def test_credentials_and_a_call(phone, gateway):
    assert [connection.user_name for connection in gateway.connections] == ["alice"]
    call = await phone.dial("echo", callerName="Alice", customHeaders=[{"name": "X-Ticket", "value": "9"}])
    await phone.enters(call, "active")
    (leg,) = gateway.calls
    assert (leg.info.caller.name, dict(leg.info.custom_headers)) == ("Alice", {"X-Ticket": "9"})
    await phone.hears(call, SPOKEN_HZ)
    told = await phone.do("told", call)
    assert told["telnyxIDs"]["telnyxLegId"] == leg.info.ids.leg_id
    await phone.on(call, "hangup()")
    assert (await leg.wait_ended(LIMIT)).cause == "NORMAL_CLEARING"
    await phone.enters(call, "destroy")
    states = await phone.states(call)
    assert [state for state in states if state in ("requesting", "trying", "active", "hangup", "destroy")] == [
        "requesting",
        "trying",
        "active",
        "hangup",
        "destroy",
    ]


async def test_token(browser, gateway):
    await browser.log_in(login_token=gateway.mint_token("alice"))
    call = await browser.dial("tone:600")
    await browser.hears(call, 600)


@pytest.mark.parametrize("wrong", [{"login": "alice", "password": "guess"}, {"login_token": "eyJh.e30.x"}])
async def test_refused_login_is_an_error_and_no_storm(browser, gateway, wrong):
    await browser.do("logIn", {"host": gateway.url} | wrong)
    await browser.happened("error", 46001)  # its LOGIN_FAILED
    await asyncio.sleep(1)
    assert gateway.counters.failed_logins == 1, "it must not be led to try again"


async def test_inbound_call_that_the_server_ends(phone, gateway):
    leg = await gateway.place_call("alice", from_="+15550199", name="Desk", headers={"X-Ticket": "9"})
    call = await phone.rings()
    told = await phone.do("told", call)
    assert (told["remoteCallerName"], told["remoteCallerNumber"]) == ("Desk", "+15550199")
    assert told["customHeaders"] == [{"name": "X-Ticket", "value": "9"}]
    await phone.do("answer", call)
    await leg.wait_answered(LIMIT)
    leg.audio.play(tone(HEARD_HZ, 1, leg.audio.sample_rate), loop=True)
    await asyncio.gather(phone.hears(call, HEARD_HZ), spoken(leg, SPOKEN_HZ))
    await phone.enters(call, "active")
    await leg.send_display("The Shop", "+15550188")
    await phone.happened("participantData", "The Shop")
    await leg.hang_up()
    await phone.enters(call, "destroy")
    told = await phone.do("told", call)
    assert (told["cause"], told["causeCode"], told["sipCode"]) == ("NORMAL_CLEARING", 16, 200)


@pytest.mark.parametrize(
    ("destination", "cause", "sip_code"), [("busy", "USER_BUSY", 486), ("1234", "UNALLOCATED_NUMBER", 404)]
)
async def test_call_that_is_refused(phone, destination, cause, sip_code):
    call = await phone.dial(destination)
    await phone.enters(call, "destroy")
    told = await phone.do("told", call)
    assert (told["cause"], told["sipCode"]) == (cause, sip_code)


async def test_reject_and_cancel(phone, gateway, bob):
    leg = await gateway.place_call("alice", from_="+15550199")
    await phone.on(await phone.rings(), "hangup()")
    assert (await leg.wait_ended(LIMIT)).cause == "USER_BUSY"
    incoming = bob.incoming_calls.collect()
    call = await phone.dial("bob")
    ringing = await asyncio.wait_for(anext(incoming), LIMIT)
    await phone.on(call, "hangup()")
    assert (await asyncio.wait_for(ringing.wait_done(), LIMIT)).cause == "ORIGINATOR_CANCEL"
    await over(gateway)


async def test_caller_gives_up_while_the_page_rings(phone, gateway):
    leg = await gateway.place_call("alice", from_="+15550199")
    call = await phone.rings()
    await leg.hang_up(HangupCause.ORIGINATOR_CANCEL)
    await phone.enters(call, "destroy")
    assert (await phone.do("told", call))["sipCode"] == 487


async def test_user_to_user_hold_keys_and_mute(phone, gateway, bob):
    incoming = bob.incoming_calls.collect()
    call = await phone.dial("bob")
    theirs = await asyncio.wait_for(anext(incoming), LIMIT)
    await theirs.accept()
    await phone.enters(call, "active")
    theirs.audio.play(tone(HEARD_HZ, 1, RATE), loop=True)
    await asyncio.gather(phone.hears(call, HEARD_HZ), spoken(theirs, SPOKEN_HZ))
    # Keys.
    keys = theirs.dtmf_flow.collect()
    await phone.on(call, "dtmf('5#')")
    assert [(await asyncio.wait_for(anext(keys), LIMIT)).key for _ in range(2)] == ["5", "#"]
    # Hold: neither side hears the other.
    await phone.on(call, "hold()")
    await phone.enters(call, "held")
    await asyncio.gather(phone.hears(call, 0), spoken(theirs, 0))
    await phone.on(call, "unhold()")
    await phone.enters(call, "active")
    await asyncio.gather(phone.hears(call, HEARD_HZ), spoken(theirs, SPOKEN_HZ))
    await phone.on(call, "toggleHold()")
    await phone.enters(call, "held")
    await phone.on(call, "toggleHold()")
    await phone.enters(call, "active")
    # Mute: only the page is silent.
    await phone.on(call, "muteAudio()")
    await spoken(theirs, 0)
    await phone.on(call, "unmuteAudio()")
    await spoken(theirs, SPOKEN_HZ)
    # A text message passes, and does no harm to who does not expect it.
    await phone.on(call, "message('bob', 'hello')")
    await theirs.end()
    await phone.enters(call, "destroy")
    await over(gateway)


async def test_two_calls(phone, gateway):
    first = await phone.dial("tone:500")
    await phone.hears(first, 500)
    leg = await gateway.place_call("alice", from_="+15550199")
    second = await phone.rings()
    await phone.on(first, "hold()")
    await phone.do("answer", second, {"remoteElement": "speaker-2"})
    await leg.wait_answered(LIMIT)
    leg.audio.play(tone(HEARD_HZ, 1, leg.audio.sample_rate), loop=True)
    await phone.hears(second, HEARD_HZ)
    await phone.hears(first, 0)
    await phone.on(second, "hold()")
    await phone.on(first, "unhold()")
    await phone.hears(first, 500)
    await phone.on(second, "hangup()")
    await phone.on(first, "hangup()")
    await over(gateway)


async def test_early_media(phone):
    call = await phone.dial("early:4")
    await phone.enters(call, "early")
    async with asyncio.timeout(LIMIT):
        while not await phone.do("heard", call):  # the ringback tone
            pass
    assert (await phone.states(call))[-1] == "early"
    await phone.enters(call, "active")
    await phone.hears(call, SPOKEN_HZ)


async def test_call_that_the_server_ends_by_itself(phone):
    call = await phone.dial("hangup-after:5")
    await phone.enters(call, "active")
    await phone.enters(call, "destroy")
    told = await phone.do("told", call)
    assert (told["cause"], told["sipCode"]) == ("NORMAL_CLEARING", 200)


@pytest.mark.parametrize("inbound", [False, True])
async def test_trickled_candidates(browser, gateway, inbound):
    await browser.log_in(login="alice", password="s3cret", trickleIce=True)
    if inbound:
        leg = await gateway.place_call("alice", from_="+15550199")
        call = await browser.rings()
        await browser.do("answer", call, {"trickleIce": True})
        await leg.wait_answered(LIMIT)
        await spoken(leg, SPOKEN_HZ)
    else:
        with gateway.monitor.events.collect() as events:
            call = await browser.dial("echo", trickleIce=True)
            await browser.hears(call, SPOKEN_HZ)
            methods = set()
            while "telnyx_rtc.endOfCandidates" not in methods:
                event = await asyncio.wait_for(anext(events), LIMIT)
                methods.add(json.loads(event.data["text"]).get("method") if event.kind == "message" else None)
            assert "telnyx_rtc.candidate" in methods
    await browser.on(call, "hangup()")
    await over(gateway)


@pytest.mark.parametrize("fault", ["drop", "restart"])
async def test_lost_connection_and_re_attach(phone, gateway, bob, fault):
    incoming = bob.incoming_calls.collect()
    call = await phone.dial("bob")
    theirs = await asyncio.wait_for(anext(incoming), LIMIT)
    await theirs.accept()
    async with saying_tone(theirs.audio, HEARD_HZ):
        await phone.hears(call, HEARD_HZ)
        if fault == "restart":
            await gateway.restart(1)
        else:
            gateway.faults.drop("alice")
        await phone.page.until(f"phone.states['{call}'].includes('recovering')")
        await phone.enters(call, "active")
        await asyncio.gather(phone.hears(call, HEARD_HZ), spoken(theirs, SPOKEN_HZ))
        assert not await phone.page.evaluate("phone.has('error', 48501)")  # its SESSION_NOT_REATTACHED
        await theirs.wait_active(LIMIT)  # who is not back yet would not be told that the call ends
    await phone.on(call, "hangup()")
    assert (await asyncio.wait_for(theirs.wait_done(), LIMIT)).cause == "NORMAL_CLEARING"


async def test_held_call_is_brought_back_held(phone, gateway):
    call = await phone.dial("tone:500")
    await phone.hears(call, 500)
    await phone.on(call, "hold()")
    gateway.faults.drop("alice")
    await phone.page.until(f"phone.states['{call}'].includes('recovering')")
    await phone.enters(call, "held")
    await phone.on(call, "unhold()")
    await phone.hears(call, 500)


async def test_call_that_the_server_has_forgotten(phone, gateway):
    call = await phone.dial("tone:500")
    await phone.hears(call, 500)
    await gateway.faults.lose_call(gateway.calls[0])
    gateway.faults.drop("alice")
    await phone.happened("error", 48501)
    await phone.enters(call, "destroy")


async def test_reload_and_re_attach(browser, gateway, bob):
    kept = {"login": "alice", "password": "s3cret", "hangupOnBeforeUnload": False}
    await browser.log_in(**kept)
    incoming = bob.incoming_calls.collect()
    call = await browser.dial("bob")
    theirs = await asyncio.wait_for(anext(incoming), LIMIT)
    await theirs.accept()
    theirs.audio.play(tone(HEARD_HZ, 1, RATE), loop=True)
    await browser.hears(call, HEARD_HZ)
    await browser.page.reload()
    await browser.page.until("!!window.phone")
    await browser.log_in(**kept)
    await browser.enters(call, "active")
    await asyncio.gather(browser.hears(call, HEARD_HZ), spoken(theirs, SPOKEN_HZ))
    assert len(gateway.connections) == 2


async def test_page_that_is_left_hangs_up(phone, gateway):
    await phone.hears(await phone.dial("tone:500"), 500)
    (leg,) = gateway.calls
    await phone.page.reload()
    assert (await leg.wait_ended(LIMIT)).cause == "NORMAL_CLEARING"


async def test_ice_restart(phone, gateway):
    call = await phone.dial("echo")
    await phone.hears(call, SPOKEN_HZ)
    with gateway.monitor.events.collect() as events:
        assert (await phone.on(call, "peer.restartIce()"))["started"]
        async with asyncio.timeout(LIMIT):
            while '"action":"updateMedia"' not in (await anext(events)).data.get("text", ""):
                pass
    await phone.page.until(f"!phone.calls['{call}'].peer.isIceRestarting")
    await phone.hears(call, SPOKEN_HZ)
    assert not await phone.page.evaluate("phone.has('error')")


async def test_media_that_moves(phone, gateway):
    call = await phone.dial("tone:500")
    await phone.hears(call, 500)
    (leg,) = gateway.calls
    before = leg.peer
    await gateway.faults.move_media(leg)
    async with asyncio.timeout(LIMIT):
        while leg.peer is before:  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.02)
    await phone.enters(call, "active")
    await phone.hears(call, 500)
    gateway.faults.rebind_media(leg)
    await asyncio.sleep(1)
    await phone.hears(call, 500)


async def test_debug_and_call_reports(browser, gateway):
    await browser.log_in(login="alice", password="s3cret", debug=True, debugOutput="socket")
    with gateway.monitor.events.collect() as events:
        call = await browser.dial("echo", debug=True, debugOutput="socket")
        await browser.hears(call, SPOKEN_HZ)
        await browser.on(call, "hangup()")
        kinds = set()
        async with asyncio.timeout(LIMIT):
            while "debug_report_stop" not in kinds:
                event = await anext(events)
                # What is shown of a message may be cut, and a report is long: its type may come before or after that.
                if event.kind == "message":
                    kinds |= set(re.findall(r'"type": ?"(debug_report_\w+)"', event.data["text"]))
    assert {"debug_report_start", "debug_report_data"} <= kinds
    async with asyncio.timeout(LIMIT):
        while not len(gateway.call_reports):  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.05)
    (report,) = gateway.call_reports
    assert report.call_id == call
    assert report.body["summary"]["direction"] == "outbound"
    assert report.body["stats"]
    assert "s3cret" not in json.dumps(report.body)


async def test_speed_test(phone):
    measured = await phone.page.evaluate("phone.client.speedTest(20000)")
    assert float(measured["upKps"]) > 0


async def test_second_page_with_the_same_session_sends_the_first_away(phone, gateway, browser):
    (connection,) = gateway.connections
    await phone.dial("tone:500")
    connection.punt()
    await phone.happened("socket closed")
    await asyncio.sleep(2)
    assert gateway.connections == [], "after a punt it must not come back"


@pytest.mark.parametrize("name", ["malformed", "delay:0.5", "registration:NOREG:1"])
async def test_calls_while_the_gateway_misbehaves(browser, gateway, name):
    if name != "malformed":
        await inject(gateway.faults, "alice", name)
    await browser.log_in()
    if name == "malformed":
        await inject(gateway.faults, "alice", name)
    call = await browser.dial("echo")
    await browser.hears(call, SPOKEN_HZ)
    await browser.on(call, "hangup()")
    await over(gateway)


async def test_assistant(browser, gateway):
    await browser.log_in(anonymous_login={"target_type": "ai_assistant", "target_id": "assistant"})
    call = await browser.dial("")
    await browser.enters(call, "active")
    await browser.happened("widget_settings")
    await browser.happened("response.done")
    await browser.on(call, 'sendConversationMessage(\'use get_time {"zone": "UTC"}\', [])')
    used = """phone.log.map(([, params]) => params?.item).find(item => item?.type === 'function_call')"""
    item = await browser.page.until(used)
    assert (item["name"], json.loads(item["arguments"])) == ("get_time", {"zone": "UTC"})
    output = {"type": "function_call_output", "call_id": item["call_id"], "output": '{"time":"noon"}'}
    await browser.on(call, f"sendAIConversationMessage({json.dumps(output)})")
    said = "phone.log.filter(([kind]) => kind === 'response.text.delta').map(([, params]) => params.delta).join('')"
    await browser.page.until(f"({said}).includes('noon')")
    await browser.on(call, "hangup()")
    await over(gateway)
