"""POST /call_report, as a page of another origin sends it."""

from __future__ import annotations

import json
from http import HTTPStatus

import aiohttp
import pytest

from telnyx_native.gateway import GatewayLimits

PASSWORD = "s3cret-of-alice"


@pytest.fixture
def limits():
    return GatewayLimits(close_time=2.0, call_report_size=20_000, call_reports=3)


@pytest.fixture
async def http(gateway):
    async with aiohttp.ClientSession(gateway.url.replace("ws://", "http://")) as session:
        yield session


@pytest.fixture
async def headers(alice):
    """What lets a report in."""
    state = await alice.ask("telnyx_rtc.gatewayState")
    return {"x-call-report-id": state["result"]["params"]["call_report_id"], "x-call-id": "Call-1"}


async def post(http, headers, body):
    async with http.post("/call_report", data=body, headers=headers) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        return response.status


async def test_a_report_is_kept_without_its_secrets(http, gateway, headers):
    login = json.dumps({"method": "login", "params": {"login": "alice", "passwd": PASSWORD}})
    body = {"summary": {"durationSeconds": 5}, "logs": [{"message": login, "context": {"passwd": PASSWORD}}]}
    assert await post(http, headers | {"x-voice-sdk-id": "VSDK1"}, json.dumps(body)) == HTTPStatus.OK
    (report,) = gateway.call_reports
    assert (report.call_id, report.voice_sdk_id) == ("Call-1", "VSDK1")
    assert report.body["summary"]["durationSeconds"] == 5
    assert PASSWORD not in json.dumps(report.body)
    assert gateway.counters.call_reports == 1


async def test_the_preflight_allows_what_clients_send(http):
    async with http.options("/call_report", headers={"Origin": "http://localhost:5173"}) as response:
        assert response.status == HTTPStatus.NO_CONTENT
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        allowed = response.headers["Access-Control-Allow-Headers"]
    for name in ("content-type", "x-call-report-id", "x-call-id", "x-voice-sdk-id"):
        assert name in allowed


@pytest.mark.parametrize("body", ["", "[]", "{", "null", "[" * 15_000, b"\xff\xfe"])
async def test_a_report_that_makes_no_sense(http, gateway, headers, body):
    assert await post(http, headers, body) == HTTPStatus.BAD_REQUEST
    assert not list(gateway.call_reports)
    assert gateway.counters.refused_call_reports == 1


async def test_a_report_that_is_too_big(http, headers):
    async def in_parts():
        for _ in range(30):
            yield b"[" * 1000

    assert await post(http, headers, "{}" + " " * 20_000) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert await post(http, headers, in_parts()) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("report_id", [None, "x", "00000000-0000-0000-0000-000000000000"])
async def test_a_report_that_nobody_asked_for(http, report_id):
    headers = {"x-call-id": "Call-1"} | ({"x-call-report-id": report_id} if report_id else {})
    assert await post(http, headers, "{}") == HTTPStatus.UNAUTHORIZED


async def test_only_the_latest_reports_are_kept(http, gateway, headers):
    for number in range(5):
        assert await post(http, headers | {"x-call-id": str(number)}, "{}") == HTTPStatus.OK
    assert [report.call_id for report in gateway.call_reports] == ["2", "3", "4"]
