from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from support.telnyx_server import RefusalError
from telnyx_native.errors import CallError, ErrorCode, RequestError, RequestTimeoutError
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from support.telnyx_server import ScriptedServer
    from telnyx_native.client import TelnyxClient


def actions(server: ScriptedServer) -> list[str]:
    return [frame["params"]["action"] for frame in server.sent("telnyx_rtc.modify")]


async def test_hold_and_unhold(talking: Any, server: ScriptedServer) -> None:
    call = await talking()
    states = call.call_state_flow.collect()
    await call.hold()
    assert call.state is CallState.HELD
    await call.wait_active(LIMIT)
    await call.hold()
    await call.unhold()
    await call.unhold()
    assert call.state is CallState.ACTIVE
    assert actions(server) == ["hold", "unhold"]
    await call.wait_active(LIMIT)
    modify = server.sent("telnyx_rtc.modify")[0]["params"]
    assert (modify["sessid"], modify["dialogParams"]["callID"]) == ("S1", call.call_id)
    await call.end()
    assert [state.name async for state in states] == ["ACTIVE", "HELD", "ACTIVE", "DONE"]


async def test_toggles_take_turns(talking: Any, server: ScriptedServer) -> None:
    call = await talking()
    assert await asyncio.gather(*(call.toggle_hold() for _ in range(5))) == [True, False, True, False, True]
    assert call.state is CallState.HELD
    assert actions(server) == ["toggleHold"] * 5


async def test_the_server_decides(talking: Any, server: ScriptedServer) -> None:
    call = await talking()
    server.parts["telnyx_rtc.modify"] = lambda _: {"holdState": "held"}
    assert await call.toggle_hold() is True
    assert await call.toggle_hold() is True
    with pytest.raises(RequestError, match="unhold, but the call is on hold"):
        await call.unhold()
    server.parts["telnyx_rtc.modify"] = lambda _: {"holdState": "unheld"}
    await call.unhold()
    assert call.state is CallState.ACTIVE


def refuse(_: object) -> None:
    raise RefusalError(-32002, "CALL DOES NOT EXIST")


@pytest.mark.parametrize("part", [refuse, lambda _: {}, lambda _: {"holdState": []}, lambda _: {"holdState": "active"}])
async def test_refusal_leaves_the_call_as_it_is(talking: Any, server: ScriptedServer, part: Any) -> None:
    call = await talking()
    server.parts["telnyx_rtc.modify"] = part
    with pytest.raises(RequestError) as refused:
        await call.hold()
    assert refused.value.kind is ErrorCode.HOLD_FAILED
    assert call.state is CallState.ACTIVE


async def test_silent_server(talking: Any, server: ScriptedServer) -> None:
    call = await talking()
    server.parts["telnyx_rtc.modify"] = lambda _: None
    with pytest.raises(RequestTimeoutError):
        await call.hold()
    assert call.state is CallState.ACTIVE


async def test_only_a_call_that_stands_can_be_held(online: TelnyxClient, talking: Any) -> None:
    ringing = await online.new_invite("echo")
    with pytest.raises(CallError, match="CONNECTING cannot be changed"):
        await ringing.hold()
    over = await talking()
    await over.end()
    with pytest.raises(CallError, match="ended meanwhile"):
        await over.unhold()


async def test_call_that_ends_meanwhile(talking: Any, server: ScriptedServer) -> None:
    call = await talking()
    server.parts["telnyx_rtc.modify"] = lambda _: None
    holding = [asyncio.create_task(call.hold()), asyncio.create_task(call.toggle_hold())]
    await server.received("telnyx_rtc.modify")
    server.push("telnyx_rtc.bye", callID=call.call_id)
    for held in holding:
        with pytest.raises(CallError, match="ended meanwhile"):
            await held


@pytest.mark.parametrize("steps", range(12))
async def test_cancelled_anywhere_state_and_server_agree(
    talking: Any, server: ScriptedServer, until: Any, steps: int
) -> None:
    call = await talking()
    holding = asyncio.create_task(call.hold())
    for _ in range(steps):
        await asyncio.sleep(0)
    holding.cancel()
    with suppress(asyncio.CancelledError):
        await holding
    await until(lambda: (call.state == CallState.HELD) == (call.call_id in server.held))
    assert await call.toggle_hold() is (call.call_id in server.held)


async def test_several_calls(online: TelnyxClient, talking: Any) -> None:
    one, two, three = [await talking() for _ in range(3)]
    await online.swap_to(one)
    assert [call.state.name for call in (one, two, three)] == ["ACTIVE", "HELD", "HELD"]
    await online.swap_to(two)
    assert [call.state.name for call in (one, two, three)] == ["HELD", "ACTIVE", "HELD"]
    await online.hold_others()
    assert {call.state for call in online.calls.values()} == {CallState.HELD}


async def test_one_refusal_does_not_spare_the_others(
    online: TelnyxClient, server: ScriptedServer, talking: Any
) -> None:
    stubborn, *others = [await talking() for _ in range(3)]
    usual = server.parts["telnyx_rtc.modify"]
    server.parts["telnyx_rtc.modify"] = lambda params: (
        refuse(params) if params["dialogParams"]["callID"] == stubborn.call_id else usual(params)
    )
    with pytest.raises(RequestError):
        await online.hold_others()
    assert [call.state.name for call in (stubborn, *others)] == ["ACTIVE", "HELD", "HELD"]


async def test_a_call_that_ends_need_not_be_held(online: TelnyxClient, server: ScriptedServer, talking: Any) -> None:
    one, two = await talking(), await talking()
    usual = server.parts["telnyx_rtc.modify"]

    def hang_up_instead(params: dict[str, Any]) -> Any:
        if params["dialogParams"]["callID"] != one.call_id:
            return usual(params)
        server.push("telnyx_rtc.bye", callID=one.call_id)
        return None

    server.parts["telnyx_rtc.modify"] = hang_up_instead
    await online.swap_to(two)
    assert isinstance(one.state, CallState.DONE)
