"""Whatever an application and a server do to a call at the same time, its states are legal and nothing is left."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.telnyx_server import RefusalError, ScriptedServer, listening
from telnyx_native.client import TelnyxClient
from telnyx_native.config import CredentialConfig, Timeouts, TxServerConfiguration
from telnyx_native.errors import TelnyxError
from telnyx_native.states import CallState, is_legal_transition

if TYPE_CHECKING:
    from support.fake_media import FakeEngine

TIMEOUTS = Timeouts(request=0.2, bye=0.1, gather=0.05, media=0.2, path_lost=0.01, ice_restart=0.2, close=0.5)

REQUESTS = st.sampled_from(["hold", "unhold", "toggle_hold", "dtmf", "restart_ice", "end", "cancel"])
MESSAGES = st.sampled_from(["ringing", "media", "answer", "candidate", "endOfCandidates", "display", "bye", "attach"])
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


async def live(media: FakeEngine, steps: list[tuple[str, Any]], *, answered: bool) -> None:
    server, asked = ScriptedServer(), []
    async with listening(server.serve) as address, TelnyxClient(timeouts=TIMEOUTS) as client:
        await client.connect(TxServerConfiguration.parse(address), CredentialConfig("alice", "s3cret"))
        call = await client.new_invite("echo", use_trickle_ice=True)
        states = call.call_state_flow.collect()
        if answered:
            server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0")
            await call.wait_active(1)
        for kind, what in steps:
            match kind:
                case "ask" if what == "cancel":
                    for task in asked:
                        task.cancel()
                case "ask":
                    asked.append(asyncio.create_task(call.dtmf("1") if what == "dtmf" else getattr(call, what)()))
                case "hear":
                    server.push(f"telnyx_rtc.{what}", callID=call.call_id, sdp="v=0", candidate="candidate:1")
                case "mood":
                    change_mood(server, what)
                case "path" if media.peers[-1].connection_state.value.name != "CLOSED":
                    media.peers[-1].become(what)
                case "cut":
                    server.cut()
                case "wait":
                    await asyncio.sleep(what / 1000)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        await call.end()
        seen = [state async for state in states]
    assert isinstance(seen[-1], CallState.DONE)
    assert all(is_legal_transition(old, new) for old, new in itertools.pairwise(seen))
    assert all(isinstance(outcome, TelnyxError | asyncio.CancelledError | bool | None) for outcome in outcomes), (
        outcomes
    )
    assert client.calls == {}
    assert (media.users, media.peers[-1].closed) == (0, True)
    left = [task for task in asyncio.all_tasks() if task.get_name().startswith("telnyx-")]
    assert left == []


@given(st.lists(STEPS, max_size=14), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
def test_no_interleaving_breaks_a_call(media: FakeEngine, steps: list[tuple[str, Any]], answered: bool) -> None:
    asyncio.run(live(media, steps, answered=answered))
