from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from support.report_server import ReportServer
from support.telnyx_server import ScriptedServer
from telnyx_native.client import report_delivery
from telnyx_native.config import CredentialConfig, IceServer, TxServerConfiguration
from telnyx_native.errors import ReportError
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from telnyx_native.client import TelnyxClient


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telnyx_native.call.quality.INTERVAL", 0.01)
    monkeypatch.setattr(report_delivery, "PAUSES", (0.01, 0.01, 0.01))


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


async def test_report_arrives(http: ReportServer) -> None:
    await report_delivery.post(http.url, {"x-call-id": "C"}, {"summary": {"a": 1}}, proxy=False)
    ((path, headers, body),) = http.posts
    assert path == "/call_report"
    assert (headers["content-type"], headers["x-call-id"]) == ("application/json", "C")
    assert body == {"summary": {"a": 1}}


async def test_server_that_is_busy_is_asked_again(http: ReportServer) -> None:
    http.answers = [503, 500]
    await report_delivery.post(http.url, {}, {}, proxy=False)
    assert len(http.posts) == 3


async def test_server_that_stays_busy(http: ReportServer) -> None:
    http.answers = [503] * 9
    with pytest.raises(ReportError, match="503"):
        await report_delivery.post(http.url, {}, {}, proxy=False)
    assert len(http.posts) == 4


@pytest.mark.parametrize("status", [400, 401, 413])
async def test_refusal_is_final(http: ReportServer, status: int) -> None:
    http.answers = [status]
    with pytest.raises(ReportError, match=str(status)):
        await report_delivery.post(http.url, {}, {}, proxy=False)
    assert len(http.posts) == 1


async def test_server_that_is_not_there(unused_tcp_port: int) -> None:
    with pytest.raises(ReportError, match="did not get to"):
        await report_delivery.post(f"http://127.0.0.1:{unused_tcp_port}/call_report", {}, {}, proxy=False)


async def test_local_server_is_not_reached_through_a_proxy(http: ReportServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    await report_delivery.post(http.url, {}, {}, proxy=False)
    with pytest.raises(ReportError):
        await report_delivery.post(http.url, {}, {}, proxy=True)


async def test_file_is_there_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "C.json"
    await report_delivery.write(path, {"summary": {"a": 1}})
    assert json.loads(path.read_text()) == {"summary": {"a": 1}}
    assert list(path.parent.iterdir()) == [path]


async def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        await report_delivery.write(tmp_path / "taken" / "C.json", {})
