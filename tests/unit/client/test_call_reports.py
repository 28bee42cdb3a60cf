from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from support.telnyx_server import ScriptedServer
from telnyx_native.config import CredentialConfig, IceServer, TxServerConfiguration
from telnyx_native.report import upload
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from support.report_server import ReportServer
    from telnyx_native.client import TelnyxClient


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telnyx_native.call.stats_sampler.INTERVAL", 0.01)
    monkeypatch.setattr(upload, "PAUSES", (0.01, 0.01, 0.01))


async def one_call(client: TelnyxClient, server: ScriptedServer, config: CredentialConfig) -> str:
    where = replace(
        TxServerConfiguration.parse(server.address), ice_servers=(IceServer(("turn:127.0.0.1",), "u", "turn-hunter2"),)
    )
    await client.connect(where, config)
    call = await client.new_invite("echo")
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
    await call.wait_active(LIMIT)
    await call.call_quality_flow.first(timeout=LIMIT)
    await asyncio.sleep(0.05)
    await call.end()
    await client.disconnect()
    return call.call_id


async def test_report_is_posted_when_the_server_asks_for_it(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine, http: ReportServer
) -> None:
    server.ask_for_reports()
    call_id = await one_call(client, server, credentials)
    ((path, headers, body),) = http.posts
    assert path == "/call_report"
    assert (headers["x-call-report-id"], headers["x-call-id"], headers["x-voice-sdk-id"]) == ("R1", call_id, "VSDK1")
    summary = body["summary"]
    assert (summary["callId"], summary["destinationNumber"], summary["direction"]) == (call_id, "echo", "outbound")
    assert summary["terminationReason"]["cause"] == "NORMAL_CLEARING"
    assert summary["clientSummary"]["authentication"]["type"] == "login_password"
    assert summary["timingsSeconds"]["active"] >= 0
    assert len(body["stats"]) >= 1
    assert [entry["message"].partition("(")[0] for entry in body["logs"]][-1] == "DONE"
    for secret in ("s3cret", "turn-hunter2"):
        assert secret not in json.dumps(body)


async def test_without_being_asked_nothing_is_posted(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine, http: ReportServer
) -> None:
    await one_call(client, server, credentials)
    assert http.posts == []


async def test_reports_can_be_declined(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine, http: ReportServer
) -> None:
    server.ask_for_reports()
    await one_call(client, server, replace(credentials, call_reports=False))
    assert http.posts == []


async def test_report_is_written_to_a_file(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine, tmp_path: Path
) -> None:
    call_id = await one_call(client, server, replace(credentials, call_report_directory=tmp_path / "reports"))
    body: dict[str, Any] = json.loads((tmp_path / "reports" / f"{call_id}.json").read_text())
    assert body["summary"]["callId"] == call_id


async def test_report_that_cannot_be_delivered_is_no_harm(
    client: TelnyxClient,
    server: ScriptedServer,
    credentials: CredentialConfig,
    media: FakeEngine,
    http: ReportServer,
    tmp_path: Path,
) -> None:
    server.ask_for_reports()
    http.answers = [401]
    (tmp_path / "taken").write_text("")
    await one_call(client, server, replace(credentials, call_report_directory=tmp_path / "taken"))
    assert len(http.posts) == 1


async def test_segment_that_does_not_arrive_is_in_the_next_one(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine, http: ReportServer
) -> None:
    server.ask_for_reports()
    http.answers = [400]
    await client.connect(TxServerConfiguration.parse(server.address), credentials)
    call = await client.new_invite("echo")
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
    await call.wait_active(LIMIT)
    server.cut()
    await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
    await call.end()
    await client.disconnect()
    (_, _, lost), (_, _, final) = http.posts
    assert lost["flushReason"] == {"type": "socket-close"}
    assert not {"segment", "flushReason"} & final.keys()
    assert [log["message"] for log in lost["logs"]] == [log["message"] for log in final["logs"]][: len(lost["logs"])]
