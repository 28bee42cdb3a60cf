"""The Voice API over HTTP: who gets in, and what becomes of nonsense."""

from __future__ import annotations

import json
import random
from http import HTTPStatus

import aiohttp
import pytest

from support.api_description import check
from support.webhook_receiver import API_KEY, webhook_receiver
from telnyx_native.gateway import Application, Gateway, GatewayLimits, User, VoiceApi

ODD_VALUES = [None, True, -1, 2**70, 1.5, "", "x", "\x00", "é" * 300, "\ud83d\x1b[31m", [], [[]], {}, {"a": {}}]

COMMANDS = ["answer", "reject", "hangup", "transfer", "bridge", "playback_start", "playback_stop"]

BODY = {
    "to": "sip:bob@x",
    "from": "+1",
    "connection_id": "support",
    "call_control_id": "v3:x",
    "cause": "USER_BUSY",
    "audio_url": "file:",
    "loop": 2,
    "client_state": "YQ==",
    "command_id": "1",
    "timeout_secs": 10,
    "custom_headers": [{"name": "X-A", "value": "b"}],
    "stop": "all",
}


@pytest.fixture
async def receiver():
    async with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
async def gateway(peers, receiver):
    users = [User("alice", "secret", "+15550100"), User("bob", "hidden", "+15550101")]
    application = Application("support", receiver.url, numbers=["+15550200"])
    limits = GatewayLimits(close_time=2.0, calls=5)
    async with Gateway(users, limits=limits, voice_api=VoiceApi(["another", API_KEY], [application])) as gateway:
        receiver.public_key = gateway.public_key
        yield gateway


@pytest.fixture
async def http(gateway):
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with aiohttp.ClientSession(gateway.voice_api_url + "/", headers=headers) as session:
        yield session


async def code_of(response):
    (error,) = (await response.json())["errors"]
    assert error["title"]
    assert error["detail"]
    return error["code"]


@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer wrong", f"Basic {API_KEY}", API_KEY, "Bearer é"])
@pytest.mark.parametrize("path", ["calls", "calls/v3:x/actions/answer", "calls/v3:x/actions/nothing"])
async def test_nobody_gets_in_without_a_key(gateway, authorization, path):
    headers = {"Authorization": authorization} if authorization else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{gateway.voice_api_url}/{path}", headers=headers) as response,
    ):
        assert response.status == HTTPStatus.UNAUTHORIZED
        assert await code_of(response) == "10009"


async def test_without_a_key_of_its_own_a_gateway_has_no_voice_api():
    async with Gateway() as gateway, aiohttp.ClientSession() as session:
        url = gateway.url.replace("ws:", "http:") + "/v2/calls"
        async with session.post(url, headers={"Authorization": "Bearer "}) as response:
            assert response.status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"{", HTTPStatus.BAD_REQUEST),
        (b"[]", HTTPStatus.BAD_REQUEST),
        (b'"x"', HTTPStatus.BAD_REQUEST),
        (b"\xff\xfe", HTTPStatus.BAD_REQUEST),
        (b"[" * 100_000, HTTPStatus.BAD_REQUEST),
        (b'{"a":[' + b"1," * 10_000 + b"1]}", HTTPStatus.BAD_REQUEST),
        (b"x" * 200_000, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (b"{}", HTTPStatus.UNPROCESSABLE_ENTITY),
        (b"", HTTPStatus.UNPROCESSABLE_ENTITY),
    ],
)
async def test_bodies_that_are_none(http, data, status):
    async with http.post("calls", data=data) as response:
        assert response.status == status
        assert await code_of(response) in {"10015", "10004"}


async def test_charset_that_is_none(http):
    async with http.post("calls", data=b"{}", headers={"Content-Type": "application/json; charset=no"}) as response:
        assert response.status == HTTPStatus.BAD_REQUEST


async def test_method_that_there_is_not(http):
    async with http.delete("calls") as response:
        assert response.status == HTTPStatus.METHOD_NOT_ALLOWED
        assert await code_of(response) == "10005"


@pytest.mark.parametrize("path", ["calls/v3:x", "nothing", "calls/v3:x/actions/dance", "calls/v3:x/actions/answer"])
async def test_what_there_is_not(http, path):
    async with http.get(path) if path == "calls/v3:x" else http.post(path, json=BODY) as response:
        assert response.status == HTTPStatus.NOT_FOUND
        assert await code_of(response) == "10005"


async def test_calls_are_limited(http, gateway, receiver, alice, bob):
    wanted = {"to": "alice", "from": "+1", "connection_id": "support"}
    for n in range(4):
        await bob.place("+15550200", call_id=f"Call-{n}")
    async with http.post("calls", json=wanted) as response:
        assert response.status == HTTPStatus.OK
    await alice.expect("telnyx_rtc.invite")
    async with http.post("calls", json=wanted) as response:
        assert response.status == HTTPStatus.TOO_MANY_REQUESTS
        assert await code_of(response) == "10011"
    control_id = (await receiver.find("call.initiated", direction="incoming"))["call_control_id"]
    async with http.post(f"calls/{control_id}/actions/transfer", json={"to": "alice"}) as response:
        assert response.status == HTTPStatus.TOO_MANY_REQUESTS
    assert gateway.counters.refused_calls == 2
    async with http.post(f"calls/{control_id}/actions/hangup") as response:
        assert response.status == HTTPStatus.OK


async def test_applications_are_shown_without_secrets(gateway):
    gateway.add_application(Application("other", "http://user:s3cret@127.0.0.1:1/?token=s3cret"))
    url = gateway.url.replace("ws:", "http:") + "/api/applications"
    headers = {"Authorization": f"Bearer {gateway.control_token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
        shown = await response.json()
    check("GET", "applications", response.status, response.content_type, shown)
    assert shown["public_key"] == gateway.public_key
    assert [each["name"] for each in shown["applications"]] == ["support", "other"]
    assert "s3cret" not in json.dumps(shown)


@pytest.mark.parametrize("command", COMMANDS)
async def test_mutated_commands_are_survived(http, gateway, alice, bob, receiver, command):
    chance = random.Random(command)
    for n in range(20):
        await alice.place("+15550200", call_id=f"Call-{n}")
        control_id = (await receiver.find("call.initiated", direction="incoming"))["call_control_id"]
        body = dict(BODY, command_id=f"{n}")
        for key in list(body):
            if chance.random() < 0.3:
                body[key] = chance.choice(ODD_VALUES)
        async with http.post(f"calls/{control_id}/actions/{command}", data=json.dumps(body)) as response:
            assert response.status == HTTPStatus.OK or 400 <= response.status < 500, await response.text()
        await alice.ask("telnyx_rtc.bye", dialogParams={"callID": f"Call-{n}"})
        await receiver.find("call.hangup", call_control_id=control_id)
    assert gateway.counters.handler_failures == 0
    async with http.get("calls/v3:x") as response:
        assert response.status == HTTPStatus.NOT_FOUND
