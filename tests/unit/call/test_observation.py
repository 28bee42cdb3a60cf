from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from support.telnyx_server import ScriptedServer
from telnyx_native.config import CredentialConfig, TxServerConfiguration
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from telnyx_native.call import Call
    from telnyx_native.client import TelnyxClient


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telnyx_native.call.quality.INTERVAL", 0.01)


@pytest.fixture
async def watched(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine
) -> Call:
    await client.connect(TxServerConfiguration.parse(server.address), replace(credentials, debug=True))
    call = await client.new_invite("echo")
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
    await call.wait_active(LIMIT)
    return call


def of_type(server: ScriptedServer, kind: str) -> list[dict[str, Any]]:
    return [frame for frame in server.frames if frame.get("type") == kind]


async def test_report_from_the_beginning_to_the_end(watched: Call, server: ScriptedServer) -> None:
    await server.received(lambda f: f.get("debug_report_data", {}).get("event") == "stats")
    await watched.end()
    (start,), (stop,) = of_type(server, "debug_report_start"), of_type(server, "debug_report_stop")
    frames = [start, *of_type(server, "debug_report_data"), stop]
    assert all("method" not in frame for frame in frames)
    assert {(f["debug_report_id"], f["call_id"], f["debug_report_version"]) for f in frames} == {
        (start["debug_report_id"], watched.call_id, 1)
    }
    events = {frame["debug_report_data"]["event"] for frame in frames[1:-1]}
    assert events == {"stats", "onconnectionstatechange"}
    assert server.frames.index(start) < server.frames.index(frames[1])


async def test_server_that_refuses_it_is_no_harm(watched: Call, server: ScriptedServer) -> None:
    for kind in ("start", "data", "stop"):
        server.parts[f"debug_report_{kind}"] = lambda _: None
    await server.received(lambda f: "debug_report_data" in f)
    assert watched.state == CallState.ACTIVE


async def test_without_debug_nothing_of_it_leaves(talking: Any, server: ScriptedServer) -> None:
    await (await talking()).end()
    assert "debug_report" not in json.dumps(server.frames)
