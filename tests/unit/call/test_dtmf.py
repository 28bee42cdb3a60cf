from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.telnyx_server import RefusalError
from telnyx_native.errors import CallError, ConfigurationError, RequestError
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from support.telnyx_server import ScriptedServer
    from telnyx_native.client import TelnyxClient


async def test_keys_are_sent(talking: Any, server: ScriptedServer) -> None:
    call = await talking()
    await call.dtmf("123#")
    await call.hold()
    await call.dtmf("w0")
    assert [frame["params"]["dtmf"] for frame in server.sent("telnyx_rtc.info")] == ["123#", "w0"]


async def test_what_is_no_key_is_not_sent(talking: Any, server: ScriptedServer) -> None:
    call = await talking()
    with pytest.raises(ConfigurationError, match="are no keys"):
        await call.dtmf("12x")
    assert server.sent("telnyx_rtc.info") == []


async def test_only_answered_calls_have_keys(online: TelnyxClient, talking: Any) -> None:
    ringing = await online.new_invite("echo")
    with pytest.raises(CallError, match="state CONNECTING"):
        await ringing.dtmf("1")
    over = await talking()
    await over.end()
    with pytest.raises(CallError):
        await over.dtmf("1")


async def test_refused_keys_leave_the_call_alone(talking: Any, server: ScriptedServer) -> None:
    def refuse(_: object) -> None:
        raise RefusalError(-32002, "CALL DOES NOT EXIST")

    call = await talking()
    server.parts["telnyx_rtc.info"] = refuse
    with pytest.raises(RequestError, match="CALL DOES NOT EXIST"):
        await call.dtmf("1")
    assert call.state is CallState.ACTIVE
