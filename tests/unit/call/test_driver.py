"""Whatever an application and a server do to a call at the same time, its states are legal and nothing is left."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.call_states import are_legal
from support.field_descriptions import OFFER
from support.limit import LIMIT
from support.telnyx_server import RefusalError, ScriptedServer, listening
from telnyx_native.client import TelnyxClient
from telnyx_native.config import CredentialConfig, Timeouts, TxServerConfiguration
from telnyx_native.errors import TelnyxError
from telnyx_native.signaling import machine
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from telnyx_native.call import Call

TIMEOUTS = Timeouts(request=0.2, bye=0.1, gather=0.05, media=0.2, path_lost=0.01, ice_restart=0.2, close=0.5)

REQUESTS = st.sampled_from(
    ["accept", "reject", "hold", "unhold", "toggle_hold", "dtmf", "restart_ice", "end", "cancel"]
)
OF_CALLS = ["invite", "ringing", "media", "answer", "candidate", "endOfCandidates", "display", "bye", "attach"]
OF_SESSIONS = ["clientReady", "gatewayState", "punt"]
MESSAGES = st.sampled_from(OF_CALLS + OF_SESSIONS)
BEGINNINGS = st.sampled_from(["placed", "answered", "ringing"])
MOODS = st.sampled_from(["willing", "unwilling", "silent", "mad"])
PATHS = st.sampled_from(["DISCONNECTED", "FAILED", "CONNECTED"])
STEPS = st.one_of(
    st.tuples(st.just("ask"), REQUESTS),
    st.tuples(st.just("hear"), MESSAGES),
    st.tuples(st.just("mood"), MOODS),
    st.tuples(st.just("path"), PATHS),
    st.just(("cut", None)),
    st.tuples(st.just("wait"), st.integers(1, 20)),
)


def change_mood(server: ScriptedServer, mood: str) -> None:
    def refuse(_: object) -> None:
        raise RefusalError(-32002, "CALL ERROR")

    def act(params: dict[str, Any]) -> Any:
        return server.modify(params) if "action" in params else {}

    parts = {"willing": act, "unwilling": refuse, "silent": lambda _: None, "mad": lambda _: {"holdState": 7}}
    for method in ("telnyx_rtc.modify", "telnyx_rtc.info"):
        server.parts[method] = parts[mood]


async def begun(client: TelnyxClient, server: ScriptedServer, beginning: str) -> Call:
    if beginning == "ringing":
        calls = client.incoming_calls.collect()
        server.push("telnyx_rtc.invite", callID="c1", sdp=OFFER)
        return await anext(calls)
    call = await client.new_invite("echo", use_trickle_ice=True)
    if beginning == "answered":
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0")
        await call.wait_active(LIMIT)
    return call


async def live(media: FakeEngine, steps: list[tuple[str, Any]], beginning: str) -> None:
    server, asked = ScriptedServer(), []
    server.parts["telnyx_rtc.attach"] = lambda _: {}
    # A busy machine may take its time until the call has begun; only then the short timeouts are what is tested.
    async with listening(server.serve) as address, TelnyxClient(timeouts=replace(TIMEOUTS, request=LIMIT)) as client:
        await client.connect(TxServerConfiguration.parse(address), CredentialConfig("alice", "s3cret"))
        call = await begun(client, server, beginning)
        client._session._timeouts = TIMEOUTS
        states = call.call_state_flow.collect()
        for kind, what in steps:
            match kind:
                case "ask" if what == "cancel":
                    for task in asked:
                        task.cancel()
                case "ask":
                    asked.append(asyncio.create_task(call.dtmf("1") if what == "dtmf" else getattr(call, what)()))
                case "hear":
                    about = {"sdp": "v=0", "candidate": "candidate:1", "state": "FAIL_WAIT", "reattached_sessions": []}
                    server.push(f"telnyx_rtc.{what}", callID=call.call_id, **about)
                case "mood":
                    change_mood(server, what)
                case "path" if media.peers and not media.peers[-1].closed:
                    media.peers[-1].become(what)
                case "cut":
                    server.cut()
                case "wait":
                    await asyncio.sleep(what / 1000)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        await call.end()
        seen = [state async for state in states]
    assert isinstance(seen[-1], CallState.DONE)
    assert are_legal(seen)
    assert all(isinstance(outcome, TelnyxError | asyncio.CancelledError | bool | None) for outcome in outcomes), (
        outcomes
    )
    assert client.calls == {}
    assert media.users == 0
    assert all(peer.closed for peer in media.peers)
    left = [task for task in asyncio.all_tasks() if task.get_name().startswith("telnyx-")]
    assert left == []


@pytest.fixture(autouse=True)
def quickly_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(machine, "LONGEST_DELAY_IN_CALL", 0.005)


@given(st.lists(STEPS, max_size=14), BEGINNINGS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None)
def test_no_interleaving_breaks_a_call(media: FakeEngine, steps: list[tuple[str, Any]], beginning: str) -> None:
    asyncio.run(live(media, steps, beginning))
