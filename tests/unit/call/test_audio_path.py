from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from support.field_descriptions import OFFER
from support.limit import LIMIT
from support.telnyx_server import RefusalError
from telnyx_native.codes import ErrorCode
from telnyx_native.errors import CallError, MediaError, RequestError, RequestTimeoutError, SdpError
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
