from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from support.fake_media import FakePeer, FoundCandidate
from support.field_descriptions import OFFER
from support.limit import LIMIT
from support.telnyx_server import RefusalError
from telnyx_native.call import audio_path
from telnyx_native.call.audio_path import watch_gathering
from telnyx_native.errors import (
    CallError,
    ErrorCode,
    MediaError,
    RequestError,
    RequestTimeoutError,
    SdpError,
    WarningCode,
)
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from support.telnyx_server import ScriptedServer
    from telnyx_native.call import Call
    from telnyx_native.client import TelnyxClient


async def names_until_done(call: Call, states: Any) -> list[str]:
    await call.end()
    return [state.name async for state in states]


def refuse(_: object) -> None:
    raise RefusalError(-32002, "MEDIA ERROR")


async def test_new_path(talking: Any, server: ScriptedServer, media: FakeEngine) -> None:
    call = await talking()
    states = call.call_state_flow.collect()
    await call.restart_ice()
    await call.hold()
    await call.restart_ice()
    assert call.state is CallState.HELD
    params = server.sent("telnyx_rtc.modify")[0]["params"]
    assert (params["action"], params["callID"], params["sdp"]) == ("updateMedia", call.call_id, "v=0 gathered")
    assert media.peers[0].applied == ["v=0 answer", "v=0 renewed", "v=0 renewed"]
    assert media.peers[0].restarts == 2
    assert await names_until_done(call, states) == [
        "ACTIVE", "RENEGOTIATING", "ACTIVE", "HELD", "RENEGOTIATING", "HELD", "DONE",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "error", "kind"),
    [
        (refuse, RequestError, ErrorCode.ICE_RESTART_FAILED),
        (lambda _: {"action": "updateMedia"}, RequestError, ErrorCode.ICE_RESTART_FAILED),
        (lambda _: {"sdp": ["v=0"]}, RequestError, ErrorCode.ICE_RESTART_FAILED),
    ],
)
async def test_refusal_keeps_the_old_path(
    talking: Any, server: ScriptedServer, part: Any, error: type[Exception], kind: ErrorCode
) -> None:
    call = await talking()
    server.parts["telnyx_rtc.modify"] = part
    with pytest.raises(error) as refused:
        await call.restart_ice()
    assert refused.value.kind is kind  # type: ignore[attr-defined]
    assert call.state is CallState.ACTIVE


async def test_useless_answer(talking: Any, media: FakeEngine) -> None:
    call = await talking()
    media.peers[0].refuses = SdpError("no audio in it")
    with pytest.raises(SdpError):
        await call.restart_ice()
    assert call.state is CallState.ACTIVE


async def test_silent_server(talking: Any, server: ScriptedServer) -> None:
    call = await talking()
    server.parts["telnyx_rtc.modify"] = lambda _: None
    with pytest.raises((RequestTimeoutError, MediaError)):
        await call.restart_ice()
    assert call.state is CallState.ACTIVE


async def test_path_that_does_not_come_up(talking: Any, media: FakeEngine) -> None:
    call = await talking()
    media.peers[0].connects = False
    media.peers[0].become("DISCONNECTED")
    with pytest.raises(MediaError, match="no new audio path was found"):
        await call.restart_ice()
    await call.end()


async def test_only_a_call_that_stands_can_be_restarted(online: TelnyxClient, server: ScriptedServer) -> None:
    ringing = await online.new_invite("echo")
    with pytest.raises(CallError):
        await ringing.restart_ice()
    incoming = online.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="C1", sdp=OFFER)
    with pytest.raises(CallError, match="accept it first"):
        await (await anext(incoming)).restart_ice()


@pytest.mark.parametrize("steps", range(14))
async def test_cancelled_anywhere_it_is_finished(talking: Any, until: Any, steps: int) -> None:
    call = await talking()
    restarting = asyncio.create_task(call.restart_ice())
    for _ in range(steps):
        await asyncio.sleep(0)
    restarting.cancel()
    with suppress(asyncio.CancelledError):
        await restarting
    await until(lambda: call.state == CallState.ACTIVE)
    await call.hold()


async def test_call_that_ends_during_a_restart(talking: Any, server: ScriptedServer) -> None:
    call = await talking()
    server.parts["telnyx_rtc.modify"] = lambda _: None
    restarting = asyncio.create_task(call.restart_ice())
    await server.received("telnyx_rtc.modify")
    await call.end()
    with pytest.raises(CallError, match="ended meanwhile"):
        await restarting


@pytest.mark.parametrize(
    ("broken", "warning"), [("DISCONNECTED", "ICE_CONNECTIVITY_LOST"), ("FAILED", "PEER_CONNECTION_FAILED")]
)
async def test_broken_path_is_replaced(
    talking: Any, online: TelnyxClient, media: FakeEngine, until: Any, broken: str, warning: str
) -> None:
    call = await talking()
    warnings = online.warning_flow.collect()
    media.peers[0].become(broken)
    await until(lambda: media.peers[0].restarts == 1)
    await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
    given = [await anext(warnings) for _ in range(2)]
    assert [one.name for one in given] == [warning, "MEDIA_RECOVERY_REQUIRED"]
    assert all(call.call_id in one.message for one in given)


async def test_before_the_answer_nobody_is_asked_for_a_new_path(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine
) -> None:
    call = await online.new_invite("echo")
    server.push("telnyx_rtc.media", callID=call.call_id, sdp="v=0")
    (peer,) = media.peers
    await peer.connection_state.wait_for(lambda state: state.name == "CONNECTED", timeout=LIMIT)
    peer.become("DISCONNECTED")
    await asyncio.sleep(0.2)
    assert (peer.restarts, server.sent("telnyx_rtc.modify")) == (0, [])
    peer.become("CONNECTED")
    server.push("telnyx_rtc.answer", callID=call.call_id)
    await call.wait_active(LIMIT)
    await call.hold()
    assert peer.restarts == 0


async def test_path_that_comes_back_by_itself_is_left_alone(talking: Any, media: FakeEngine) -> None:
    await talking()
    for state in ("DISCONNECTED", "CONNECTED"):
        media.peers[0].become(state)
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    assert media.peers[0].restarts == 0


async def test_call_is_given_up_when_no_new_path_is_found(
    talking: Any, server: ScriptedServer, media: FakeEngine
) -> None:
    call = await talking()
    server.parts["telnyx_rtc.modify"] = refuse
    media.peers[0].become("FAILED")
    reason = await asyncio.wait_for(call.wait_done(), 2)
    assert reason.cause == "MEDIA_TIMEOUT"
    assert media.peers[0].restarts == 3


def with_candidates(peer: FakePeer) -> None:
    for n in range(2):
        peer.candidates.emit(FoundCandidate(f"candidate:{n}"))


def trickled(server: ScriptedServer) -> list[str | None]:
    """What was sent about candidates, in order; `None` for the end of them."""
    about = ("telnyx_rtc.candidate", "telnyx_rtc.endOfCandidates")
    return [frame["params"].get("candidate") for frame in server.frames if frame.get("method") in about]


async def test_candidates_follow_the_invitation(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine, until: Any
) -> None:
    media.prepare = with_candidates
    call = await online.new_invite("echo", use_trickle_ice=True)
    invite = server.sent("telnyx_rtc.invite")[0]["params"]
    assert (invite["trickle"], invite["sdp"]) == (True, "v=0 offer")
    await until(lambda: len(trickled(server)) == 2)
    media.peers[0].candidates.emit(FoundCandidate("candidate:late"))
    media.peers[0].candidates.close()
    end = await server.received("telnyx_rtc.endOfCandidates")
    assert trickled(server) == ["candidate:0", "candidate:1", "candidate:late", None]
    assert end["params"]["endOfCandidates"] is True
    assert end["params"]["dialogParams"]["callID"] == call.call_id
    methods = [frame.get("method") for frame in server.frames]
    assert methods.index("telnyx_rtc.invite") < methods.index("telnyx_rtc.candidate")
    await until(lambda: call.timings.gathered)


async def test_candidates_follow_the_answer(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine, until: Any
) -> None:
    media.prepare = with_candidates
    incoming = online.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="C1", sdp=OFFER)
    call = await online.accept_call((await anext(incoming)).call_id, use_trickle_ice=True)
    answer = server.sent("telnyx_rtc.answer")[0]["params"]
    assert (answer["trickle"], answer["sdp"]) == (True, "v=0 answer")
    await until(lambda: trickled(server) == ["candidate:0", "candidate:1"])
    await call.end()


async def test_without_trickle_nothing_follows(
    talking: Any, server: ScriptedServer, media: FakeEngine, until: Any
) -> None:
    media.prepare = with_candidates
    call = await talking()
    assert server.sent("telnyx_rtc.invite")[0]["params"]["sdp"] == "v=0 gathered"
    await call.end()
    assert trickled(server) == []


@pytest.mark.parametrize("place", ["params", "dialogParams"])
async def test_candidates_of_the_remote_wait_for_its_description(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine, until: Any, place: str
) -> None:
    call = await online.new_invite("echo", use_trickle_ice=True)
    named = {"callID": call.call_id} if place == "params" else {"dialogParams": {"callId": call.call_id}}
    for text in ("candidate:1", "junk", "candidate:2"):
        server.push("telnyx_rtc.candidate", candidate=text, sdpMid="0", sdpMLineIndex=0, **named)
    server.push("telnyx_rtc.endOfCandidates", **named)
    await until(lambda: server.acks() == ["telnyx_rtc.candidate"] * 3)
    assert media.peers[0].added == []
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0")
    await call.wait_active(LIMIT)
    await until(lambda: media.peers[0].added == ["candidate:1", "candidate:2"])


async def test_candidates_may_come_before_the_call_is_accepted(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine, until: Any
) -> None:
    incoming = online.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="C1", sdp=OFFER)
    server.push("telnyx_rtc.candidate", callID="C1", candidate="candidate:1")
    call = await anext(incoming)
    await call.accept()
    await until(lambda: media.peers[0].added == ["candidate:1"])


@pytest.mark.parametrize("steps", range(0, 24, 2))
async def test_invitation_cancelled_anywhere_leaves_nothing(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine, until: Any, steps: int
) -> None:
    media.prepare = with_candidates
    placing = asyncio.create_task(online.new_invite("echo", use_trickle_ice=True))
    for _ in range(steps):
        await asyncio.sleep(0)
    placing.cancel()
    with suppress(asyncio.CancelledError):
        await (await placing).end()
    assert online.calls == {}
    await until(lambda: all(peer.closed for peer in media.peers))


@pytest.mark.parametrize("steps", range(0, 24, 2))
async def test_acceptance_cancelled_anywhere_leaves_nothing(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine, until: Any, steps: int
) -> None:
    media.prepare = with_candidates
    incoming = online.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="C1", sdp=OFFER)
    call = await anext(incoming)
    accepting = asyncio.create_task(call.accept(use_trickle_ice=True))
    for _ in range(steps):
        await asyncio.sleep(0)
    accepting.cancel()
    with suppress(asyncio.CancelledError):
        await accepting
    await call.end()
    assert online.calls == {}
    await until(lambda: all(peer.closed for peer in media.peers))


async def test_a_server_that_goes_away_during_trickle(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine
) -> None:
    media.prepare = with_candidates
    call = await online.new_invite("echo", use_trickle_ice=True)
    server.cut()
    assert (await call.wait_done()).cause == "NETWORK_LOST"


HOST = FoundCandidate("candidate:1 1 udp 2122260223 192.0.2.1 9 typ host generation 0")
RELAY = FoundCandidate("candidate:2 1 udp 41885439 192.0.2.9 9 typ relay raddr 192.0.2.1 rport 9")


async def warnings_of(peer: FakePeer, *found: FoundCandidate, asks_servers: bool = True) -> list[WarningCode]:
    given: list[WarningCode] = []
    for candidate in found:
        peer.candidates.emit(candidate)
    peer.candidates.close()
    await watch_gathering(peer, lambda code, _: given.append(code), asks_servers=asks_servers)  # type: ignore[arg-type]
    return given


@pytest.fixture
async def peer() -> FakePeer:
    return FakePeer()


async def test_nothing_odd(peer: FakePeer) -> None:
    assert await warnings_of(peer, HOST, RELAY) == []


async def test_no_server_answered(peer: FakePeer) -> None:
    assert await warnings_of(peer, HOST, HOST) == [WarningCode.ONLY_HOST_ICE_CANDIDATES]


async def test_without_servers_nothing_else_is_due(peer: FakePeer) -> None:
    assert await warnings_of(peer, HOST, asks_servers=False) == []


async def test_nothing_found(peer: FakePeer) -> None:
    assert await warnings_of(peer) == [WarningCode.ICE_GATHERING_EMPTY]


async def test_call_that_ends_first_is_no_reason_to_warn(peer: FakePeer) -> None:
    await peer.close()
    assert await warnings_of(peer) == []


async def test_search_that_takes_long(peer: FakePeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_path, "PATIENCE", 0.01)
    warned = asyncio.Event()
    watching = asyncio.create_task(watch_gathering(peer, lambda *_: warned.set(), asks_servers=False))  # type: ignore[arg-type]
    await asyncio.wait_for(warned.wait(), 1)
    assert not watching.done()
    peer.candidates.emit(HOST)
    peer.candidates.close()
    await watching
