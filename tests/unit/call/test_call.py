from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.call_states import are_legal
from support.field_descriptions import OFFER
from support.limit import LIMIT
from telnyx_native.call import Call
from telnyx_native.call.driver import CallDriver
from telnyx_native.call.observation import Observers
from telnyx_native.config import AudioConfig, Limits, PeerConfig, Timeouts
from telnyx_native.errors import CallError, ChannelLimitError, ErrorCode, RequestError, SdpError, WaitTimeoutError
from telnyx_native.events import (
    AnswerResponse,
    AttachResponse,
    ByeResponse,
    CallEvent,
    InviteResponse,
    MediaResponse,
    RingingResponse,
)
from telnyx_native.flow import SharedFlow
from telnyx_native.logs import Log, log_context
from telnyx_native.media.negotiation import MediaOptions
from telnyx_native.signaling.messages import Dialog, Message
from telnyx_native.states import (
    CallDirection,
    CallNetworkChangeReason,
    CallState,
    CallTerminationReason,
    HangupCause,
)

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from support.telnyx_server import ScriptedServer
    from telnyx_native.client import TelnyxClient


async def names(call: Call) -> list[str]:
    return [state.name async for state in call.call_state_flow.collect()]


async def incoming(client: TelnyxClient, server: ScriptedServer, **params: Any) -> Call:
    calls = client.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="C1", sdp=OFFER, **params)
    return await asyncio.wait_for(anext(calls), 1)


async def test_outbound_call(online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
    call = await online.new_invite("echo")
    states = call.call_state_flow.collect()
    assert call.direction is CallDirection.OUTBOUND
    assert call.state is CallState.CONNECTING
    server.push("telnyx_rtc.ringing", callID=call.call_id, telnyx_session_id="T", telnyx_leg_id="L")
    await call.call_state_flow.wait_for(CallState.RINGING, timeout=LIMIT)
    server.push(
        "telnyx_rtc.answer",
        callID=call.call_id,
        sdp="v=0 answer",
        telnyx_call_control_id="v3:x",
        dialogParams={"custom_headers": [{"name": "X-A", "value": "1"}]},
    )
    await call.wait_active(LIMIT)
    assert media.peers[0].applied == ["v=0 answer"]
    assert (call.telnyx_ids.session_id, call.telnyx_ids.call_control_id) == ("T", "v3:x")
    assert call.remote_headers == {"X-A": "1"}
    assert (await call.stats())["T1"]["type"] == "transport"

    await call.end()
    assert call.termination_reason == CallTerminationReason("NORMAL_CLEARING", 16)
    bye = await server.received("telnyx_rtc.bye")
    assert (bye["params"]["cause"], bye["params"]["causeCode"]) == ("NORMAL_CLEARING", 16)
    assert media.peers[0].closed
    assert [state.name async for state in states] == ["CONNECTING", "RINGING", "ACTIVE", "DONE"]
    assert server.acks() == ["telnyx_rtc.ringing", "telnyx_rtc.answer"]


async def test_timings_are_in_order(online: TelnyxClient, server: ScriptedServer) -> None:
    call = await online.new_invite("echo")
    server.push("telnyx_rtc.ringing", callID=call.call_id)
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0")
    await call.wait_active(LIMIT)
    await call.end()
    t = call.timings
    marks = [t.created, t.invite_sent, t.ringing, t.answered, t.media_connected, t.active, t.ended]
    assert all(mark is not None for mark in marks)
    assert marks == sorted(marks, key=float)  # type: ignore[arg-type]
    assert (t.since_created("active") or 0) > 0


async def test_early_media_is_applied_once(online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
    call = await online.new_invite("echo")
    server.push("telnyx_rtc.media", callID=call.call_id, sdp="v=0 early")
    server.push("telnyx_rtc.media", callID=call.call_id, sdp="v=0 again")
    await media.peers[0].connection_state.wait_for(lambda s: s.name == "CONNECTED", timeout=LIMIT)
    assert call.state is CallState.CONNECTING
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 again")
    server.push("telnyx_rtc.answer", callID=call.call_id)
    await call.wait_active(LIMIT)
    server.push("telnyx_rtc.ringing", callID=call.call_id)
    await call.end()
    assert media.peers[0].applied == ["v=0 early", "v=0 early"]  # as a provisional answer, and as the last word
    assert call.timings.media_connected is not None
    assert call.timings.answered is not None
    assert call.timings.media_connected <= call.timings.answered


async def test_answer_without_description_ends_the_call(online: TelnyxClient, server: ScriptedServer) -> None:
    call = await online.new_invite("echo")
    server.push("telnyx_rtc.answer", callID=call.call_id)
    reason = await call.wait_done()
    assert reason.cause == "MANDATORY_IE_MISSING"
    assert len(server.sent("telnyx_rtc.bye")) == 1


async def test_busy(online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
    call = await online.new_invite("busy")
    server.push(
        "telnyx_rtc.bye", callID=call.call_id, cause="USER_BUSY", causeCode=17, sipCode=486, sipReason="Busy Here"
    )
    with pytest.raises(CallError, match="USER_BUSY 17, SIP 486 Busy Here"):
        await call.wait_active(LIMIT)
    assert await call.wait_done() == CallTerminationReason("USER_BUSY", 17, 486, "Busy Here")
    assert server.sent("telnyx_rtc.bye") == []
    assert media.peers[0].closed


@pytest.mark.parametrize(
    ("sip_code", "reason", "error"),
    [
        (403, "Outbound channel limit exceeded", ChannelLimitError),
        (403, "User channel limit exceeded D60", ChannelLimitError),
        (403, "Forbidden", CallError),
        (486, "channel limit exceeded", CallError),
    ],
)
async def test_the_limit_of_the_account_is_an_error_of_its_own(
    online: TelnyxClient, server: ScriptedServer, sip_code: int, reason: str, error: type[CallError]
) -> None:
    call = await online.new_invite("+15550100")
    server.push(
        "telnyx_rtc.bye",
        callID=call.call_id,
        cause="CALL_REJECTED",
        causeCode=21,
        sipCode=sip_code,
        sipReason=reason,
    )
    with pytest.raises(CallError, match=reason) as caught:
        await call.wait_active(LIMIT)
    assert type(caught.value) is error


async def test_refused_invitation(online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
    def refuse(_: object) -> str:
        return "no"

    server.parts["telnyx_rtc.invite"] = refuse
    with pytest.raises(RequestError):
        await online.new_invite("echo")
    assert online.calls == {}
    await server.received("telnyx_rtc.bye")
    await media.peers[0].connection_state.wait_for(lambda state: state.name == "CLOSED", timeout=LIMIT)


async def test_bad_answer_ends_the_call(online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
    media.prepare = lambda peer: setattr(peer, "refuses", SdpError("no audio in it"))
    call = await online.new_invite("echo")
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 junk")
    reason = await call.wait_done()
    assert (reason.cause, reason.sip_code, reason.sip_reason) == (
        "INCOMPATIBLE_DESTINATION",
        488,
        "no audio in it",
    )
    assert await names(call) == ["DONE"]


async def test_media_that_never_connects_ends_the_call(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine
) -> None:
    media.prepare = lambda peer: setattr(peer, "connects", False)
    call = await online.new_invite("echo")
    states = call.call_state_flow.collect()
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0")
    reason = await call.wait_done()
    assert reason.cause == "MEDIA_TIMEOUT"
    assert [state.name async for state in states] == ["CONNECTING", "ERROR", "DONE"]
    assert len(server.sent("telnyx_rtc.bye")) == 1


async def test_media_that_breaks_ends_the_call(online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
    call = await online.new_invite("echo")
    server.push("telnyx_rtc.media", callID=call.call_id, sdp="v=0")
    media.prepare = lambda peer: setattr(peer, "connects", False)
    await media.peers[0].connection_state.wait_for(lambda s: s.name == "CONNECTED", timeout=LIMIT)
    other = await online.new_invite("echo")
    media.peers[1].become("FAILED")
    reason = await other.wait_done()
    assert (reason.cause, call.state) == ("MEDIA_TIMEOUT", CallState.CONNECTING)


async def test_ended_before_the_invitation_left(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine, until: Any
) -> None:
    gate = asyncio.Event()
    media.prepare = lambda peer: setattr(peer, "gate", gate)
    placing = asyncio.create_task(online.new_invite("echo"))
    await until(lambda: online.calls)
    (call,) = online.calls.values()
    await call.end()
    gate.set()
    with pytest.raises(CallError, match="ended meanwhile") as ended:
        await placing
    assert server.sent("telnyx_rtc.invite") == server.sent("telnyx_rtc.bye") == []
    assert ended.value.kind is ErrorCode.PEER_CLOSED_DURING_INIT


async def test_cancelled_invitation_ends_the_call(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine
) -> None:
    server.parts["telnyx_rtc.invite"] = lambda _: None
    placing = asyncio.create_task(online.new_invite("echo"))
    await server.received("telnyx_rtc.invite")
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    assert online.calls == {}
    assert (await server.received("telnyx_rtc.bye"))["params"]["cause"] == "NORMAL_CLEARING"


async def test_answer_may_overtake_the_result_of_the_invitation(online: TelnyxClient, server: ScriptedServer) -> None:
    def answer_first(params: Any) -> dict[str, str]:
        call_id = params["dialogParams"]["callID"]
        server.push("telnyx_rtc.ringing", callID=call_id)
        server.push("telnyx_rtc.answer", callID=call_id, sdp="v=0")
        return {"message": "CALL CREATED"}

    server.parts["telnyx_rtc.invite"] = answer_first
    call = await online.new_invite("echo")
    await call.wait_active(LIMIT)


async def test_inbound_call(online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
    call = await incoming(online, server, caller_id_name="Bob", callee_id_number="alice", telnyx_leg_id="L")
    states = call.call_state_flow.collect()
    assert (call.direction, call.caller_name, call.destination_number) == (CallDirection.INBOUND, "Bob", "alice")
    with pytest.raises(CallError, match="accept it first"):
        call.mute()
    await call.accept(custom_headers={"X-Yes": "1"})
    await call.wait_active(LIMIT)
    answer = await server.received("telnyx_rtc.answer")
    assert answer["params"]["sdp"] == "v=0 gathered"
    assert answer["params"]["dialogParams"]["custom_headers"] == [{"name": "X-Yes", "value": "1"}]
    assert media.peers[0].applied == [OFFER]
    with pytest.raises(CallError, match="ACTIVE cannot be accepted"):
        await call.accept()
    server.push("telnyx_rtc.bye", callID="C1", cause="NORMAL_CLEARING", causeCode=16)
    assert await call.wait_done() == CallTerminationReason("NORMAL_CLEARING", 16)
    assert [state.name async for state in states] == ["RINGING", "CONNECTING", "ACTIVE", "DONE"]
    assert server.acks()[0] == "telnyx_rtc.invite"


@pytest.mark.parametrize(("how", "cause", "code"), [("reject", "USER_BUSY", 17), ("end", "USER_BUSY", 17)])
async def test_refusing(online: TelnyxClient, server: ScriptedServer, how: str, cause: str, code: int) -> None:
    call = await incoming(online, server)
    await getattr(call, how)()
    bye = await server.received("telnyx_rtc.bye")
    assert (bye["params"]["cause"], bye["params"]["causeCode"]) == (cause, code)
    assert call.termination_reason == CallTerminationReason.of(HangupCause.USER_BUSY)
    with pytest.raises(CallError, match="cannot be rejected"):
        await call.reject()
    await call.end()


async def test_outbound_call_cannot_be_accepted(online: TelnyxClient) -> None:
    call = await online.new_invite("echo")
    with pytest.raises(CallError, match="an outbound call"):
        await call.accept()


async def test_caller_gives_up_while_it_is_accepted(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine
) -> None:
    gate = asyncio.Event()
    media.prepare = lambda peer: setattr(peer, "gate", gate)
    call = await incoming(online, server)
    accepting = asyncio.create_task(call.accept())
    await call.call_state_flow.wait_for(CallState.CONNECTING, timeout=LIMIT)
    server.push("telnyx_rtc.bye", callID="C1", cause="ORIGINATOR_CANCEL", causeCode=487)
    await call.wait_done()
    gate.set()
    with pytest.raises(CallError, match="ORIGINATOR_CANCEL"):
        await accepting
    assert server.sent("telnyx_rtc.answer") == []


async def test_offer_that_cannot_be_used(online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
    media.prepare = lambda peer: setattr(peer, "refuses", SdpError("no audio in it"))
    call = await incoming(online, server)
    with pytest.raises(SdpError):
        await call.accept()
    assert (await server.received("telnyx_rtc.bye"))["params"]["causeCode"] == 88


async def test_refused_answer(online: TelnyxClient, server: ScriptedServer) -> None:
    server.parts["telnyx_rtc.answer"] = lambda _: "CALL DOES NOT EXIST"
    call = await incoming(online, server)
    with pytest.raises(RequestError):
        await call.accept()
    assert isinstance(call.state, CallState.DONE)


async def test_cancelled_accept_refuses_the_call(online: TelnyxClient, server: ScriptedServer) -> None:
    server.parts["telnyx_rtc.answer"] = lambda _: None
    call = await incoming(online, server)
    accepting = asyncio.create_task(call.accept())
    await server.received("telnyx_rtc.answer")
    accepting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await accepting
    assert (await server.received("telnyx_rtc.bye"))["params"]["cause"] == "USER_BUSY"


@pytest.mark.parametrize("steps", range(25))
async def test_calls_cancelled_anywhere_end(online: TelnyxClient, server: ScriptedServer, steps: int) -> None:
    call = await incoming(online, server)
    tasks = [asyncio.create_task(call.accept()), asyncio.create_task(online.new_invite("echo"))]
    for _ in range(steps):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(each.end() for each in online.calls.values()))
    assert isinstance(call.state, CallState.DONE)
    assert online.calls == {}
    invited = {frame["params"]["dialogParams"]["callID"] for frame in server.sent("telnyx_rtc.invite")} | {"C1"}
    ended = {frame["params"]["dialogParams"]["callID"] for frame in server.sent("telnyx_rtc.bye")}
    assert ended <= invited


async def test_mute(online: TelnyxClient) -> None:
    call = await online.new_invite("echo")
    call.mute()
    assert call.muted
    assert call.toggle_mute() is False
    call.mute()
    call.unmute()
    assert not call.muted


async def test_ending_twice_says_good_bye_once(online: TelnyxClient, server: ScriptedServer) -> None:
    call = await online.new_invite("echo")
    await asyncio.gather(call.end(), call.end(HangupCause.CALL_REJECTED))
    assert len(server.sent("telnyx_rtc.bye")) == 1
    assert "DONE(NORMAL_CLEARING 16)" in repr(call)


async def test_silent_server_does_not_hold_up_the_end(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine
) -> None:
    server.parts["telnyx_rtc.bye"] = lambda _: None
    call = await online.new_invite("echo")
    async with asyncio.timeout(1):
        await call.end()
    assert media.peers[0].closed


EVENTS = st.sampled_from(
    [
        RingingResponse("C"),
        MediaResponse("C", sdp="v=0"),
        AnswerResponse("C", sdp="v=0"),
        AnswerResponse("C"),
        InviteResponse("C", sdp="v=0"),
        ByeResponse("C", cause="X"),
        "end",
        AttachResponse("C", sdp="v=0"),
        "lose",
        "await reattachment",
        "yield",
        "break",
    ]
)


@given(st.lists(EVENTS, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_no_sequence_of_events_makes_an_illegal_transition(media: FakeEngine, events: list[CallEvent | str]) -> None:
    class Host:
        session_id = "S"
        asks_servers = False

        def create_peer(self, audio: AudioConfig) -> Any:
            return media.create_peer(PeerConfig(), audio)

        def create_successor(self, peer: Any) -> Any:
            return media.create_successor(peer, PeerConfig())

        async def place_another(self, *_: object) -> Call:
            raise NotImplementedError

        def on_call_changed(self) -> None:
            pass

        def on_call_ended(self, call_id: str, teardown: asyncio.Task[None]) -> None:
            pass

        async def request(self, message: Message, *, timeout: float | None = None) -> dict[str, Any]:
            return {}

        async def tell(self, message: Message) -> None:
            pass

    async def live() -> None:
        host = Host()
        driver = CallDriver(
            Dialog("C"),
            CallDirection.OUTBOUND,
            host=host,
            signaling=host,
            timeouts=Timeouts(),
            limits=Limits(),
            observers=Observers(SharedFlow(), lambda _: None),
            log=Log("call"),
        )
        call = Call(driver, host.place_another)
        states = call.call_state_flow.collect()
        await driver.place(MediaOptions())
        for event in events:
            match event:
                case CallEvent():
                    driver.handle(event)
                case "end":
                    call.hang_up()
                case "lose":
                    driver.drop(CallNetworkChangeReason.NETWORK_LOST)
                case "await reattachment":
                    driver.await_reattachment(CallNetworkChangeReason.NETWORK_SWITCH)
                case "break":
                    media.peers[-1].become("FAILED")
                case _:
                    await asyncio.sleep(0)
        await call.end()
        seen = [state async for state in states]
        assert isinstance(seen[-1], CallState.DONE)
        assert are_legal(seen)

    asyncio.run(live())


async def test_waiting_for_the_end_has_a_limit(online: TelnyxClient, server: ScriptedServer) -> None:
    call = await online.new_invite("echo")
    with pytest.raises(WaitTimeoutError):
        await call.wait_done(0.01)
    assert call.termination_reason is None
    call.hang_up()
    assert (await call.wait_done(timeout=LIMIT)).cause == "NORMAL_CLEARING"


async def test_records_of_the_application_know_the_call(online: TelnyxClient, server: ScriptedServer) -> None:
    call = await online.new_invite("echo")
    with call.log_scope():
        seen = await asyncio.create_task(_context())
    assert seen == {"call_id": call.call_id, "session_id": "S1"}
    assert dict(log_context()) == {}


async def _context() -> dict[str, str]:
    await asyncio.sleep(0)
    return dict(log_context())


async def test_the_media_end_logs_as_its_call(online: TelnyxClient, media: FakeEngine) -> None:
    call = await online.new_invite("echo")
    (peer,) = media.peers
    with peer.log.scope():
        assert log_context()["call_id"] == call.call_id
