from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.report_server import ReportServer, report_server
from telnyx_native.errors import ReportError
from telnyx_native.report import upload


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "PAUSES", (0.01, 0.01, 0.01))


@pytest.fixture
async def server() -> AsyncIterator[ReportServer]:
    async with report_server() as running:
        yield running


async def test_report_arrives(server: ReportServer) -> None:
    await upload.post(server.url, {"x-call-id": "C"}, {"summary": {"a": 1}}, proxy=False)
    ((path, headers, body),) = server.posts
    assert path == "/call_report"
    assert (headers["content-type"], headers["x-call-id"]) == ("application/json", "C")
    assert body == {"summary": {"a": 1}}


async def test_server_that_is_busy_is_asked_again(server: ReportServer) -> None:
    server.answers = [503, 500]
    await upload.post(server.url, {}, {}, proxy=False)
    assert len(server.posts) == 3


async def test_server_that_stays_busy(server: ReportServer) -> None:
    server.answers = [503] * 9
    with pytest.raises(ReportError, match="503"):
        await upload.post(server.url, {}, {}, proxy=False)
    assert len(server.posts) == 4


@pytest.mark.parametrize("status", [400, 401, 413])
async def test_refusal_is_final(server: ReportServer, status: int) -> None:
    server.answers = [status]
    with pytest.raises(ReportError, match=str(status)):
        await upload.post(server.url, {}, {}, proxy=False)
    assert len(server.posts) == 1


async def test_server_that_is_not_there(unused_tcp_port: int) -> None:
    with pytest.raises(ReportError, match="did not get to"):
        await upload.post(f"http://127.0.0.1:{unused_tcp_port}/call_report", {}, {}, proxy=False)


async def test_local_server_is_not_reached_through_a_proxy(
    server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    await upload.post(server.url, {}, {}, proxy=False)
    with pytest.raises(ReportError):
        await upload.post(server.url, {}, {}, proxy=True)


async def test_file_is_there_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "C.json"
    await upload.write(path, {"summary": {"a": 1}})
    assert json.loads(path.read_text()) == {"summary": {"a": 1}}
    assert list(path.parent.iterdir()) == [path]


async def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        await upload.write(tmp_path / "taken" / "C.json", {})
