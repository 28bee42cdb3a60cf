"""A whole session at `LogLevel.ALL`: no secret may show up anywhere."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import traceback
from dataclasses import is_dataclass
from typing import TYPE_CHECKING

import pytest

from support.credential_api import API_KEY, credential_api
from support.field_descriptions import OFFER
from support.limit import LIMIT
from support.tokens import token_for
from telnyx_native.client import TelnyxClient
from telnyx_native.config import CredentialConfig, IceServer, Timeouts, TokenConfig, TxServerConfiguration
from telnyx_native.errors import AuthenticationError, RestError
from telnyx_native.logs import JsonLinesFormatter, LogLevel
from telnyx_native.push import PushConfig
from telnyx_native.rest import TelephonyCredentials
from telnyx_native.states import ConnectionStatus

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from support.telnyx_server import ScriptedServer

PASSWORD = "s3cret"
WRONG_PASSWORD = "wr0ng-s3cret"
TURN_PASSWORD = "turn-hunter2"
TOKEN = token_for(86_400)  # made when tests are collected, used minutes later
REFUSED_TOKEN = token_for(80_000)
EXPIRED_TOKEN = token_for(-60)
DEVICE_TOKEN = "f1rebase-device"
KEYS = "4711*0815"
"""What a caller keys in may be a PIN."""
SECRETS = (PASSWORD, WRONG_PASSWORD, TURN_PASSWORD, TOKEN, REFUSED_TOKEN, EXPIRED_TOKEN, DEVICE_TOKEN, API_KEY, KEYS)


class Recorder:
    def __init__(self) -> None:
        self.records: list[str] = []

    def log(self, level: LogLevel, tag: str, message: str, exception: BaseException | None) -> None:
        self.records.append(f"{level.name} {tag} {message} {exception!r}")


def server_config(server: ScriptedServer) -> TxServerConfiguration:
    plain = TxServerConfiguration.parse(server.address)
    turn = IceServer(("turn:127.0.0.1:3478",), "user", TURN_PASSWORD)
    return TxServerConfiguration(plain.host, plain.port, secure=False, ice_servers=(turn,))


@pytest.fixture(autouse=True)
def warning_due_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telnyx_native.credentials.NOTICE", 100_000.0)


def visible(*roots: object) -> list[str]:
    """The reprs of objects, and of all that those of this package hold."""
    texts: list[str] = []
    known: set[int] = set()
    waiting = list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) in known:
            continue
        known.add(id(thing))
        texts.append(repr(thing))
        if isinstance(thing, dict):
            waiting += [*thing.keys(), *thing.values()]
        elif isinstance(thing, list | tuple | set | frozenset):
            waiting += thing
        elif isinstance(thing, BaseException):
            texts += traceback.format_exception(thing)
            waiting += [thing.__context__, *thing.args]
        elif type(thing).__module__.startswith("telnyx_native") and not is_dataclass(thing):
            waiting += getattr(thing, "__dict__", {}).values()
    return texts


async def session(server: ScriptedServer, timeouts: Timeouts, logger: Recorder | None) -> list[str]:
    """Run into every corner; return what could be seen on the way."""
    seen: list[str] = []
    credentials = CredentialConfig("alice", PASSWORD, log_level=LogLevel.ALL, custom_logger=logger)
    refused = CredentialConfig("alice", WRONG_PASSWORD, log_level=LogLevel.ALL, custom_logger=logger)
    async with TelnyxClient(timeouts=timeouts) as client:
        responses = client.socket_response_flow.collect()
        with pytest.raises(AuthenticationError) as refusal:
            await client.connect(server_config(server), refused)
        seen += visible(refusal.value)
        await client.connect(server_config(server), credentials)
        call = await client.new_invite("echo")
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0", iceServers=[{"credential": TURN_PASSWORD}])
        server.push_raw(f'{{"method":"login","params":{{"passwd":"{PASSWORD}')
        await call.wait_active(LIMIT)
        await call.dtmf(KEYS)
        server.cut()
        await client.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
        await client.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
        seen += visible(client, call, credentials, server_config(server))
        seen += [repr(task) for task in asyncio.all_tasks()]
    seen += [repr(response) async for response in responses]
    return seen + await session_with_token(server, timeouts, logger) + await session_with_key(logger)


async def session_with_token(server: ScriptedServer, timeouts: Timeouts, logger: Recorder | None) -> list[str]:
    """The same for a login with a token, and for push notifications."""
    seen: list[str] = []

    def config(token: str) -> TokenConfig:
        return TokenConfig(token, push=PushConfig(DEVICE_TOKEN), log_level=LogLevel.ALL, custom_logger=logger)

    server.tokens = {TOKEN}
    async with TelnyxClient(timeouts=timeouts) as client:
        responses, warnings = client.socket_response_flow.collect(), client.warning_flow.collect()
        for token in (EXPIRED_TOKEN, REFUSED_TOKEN):
            with pytest.raises(AuthenticationError) as refusal:
                await client.connect(server_config(server), token_config=config(token))
            seen += visible(refusal.value)
        await client.connect(server_config(server), token_config=config(TOKEN), tx_push_meta_data={"call_id": "P"})
        server.push("telnyx_rtc.invite", callID="C", sdp=OFFER)
        call = await client.wait_for_pushed_call()
        await call.accept()
        answer = await server.received("telnyx_rtc.answer")
        assert answer["params"]["answered_device_token"] == DEVICE_TOKEN
        await client.disable_push()
        server.push_raw(f'{{"method":"login","params":{{"login_token":"{TOKEN}')
        await client.connect_with_decline_push({"call_id": "P"}, config(TOKEN), server_config=server_config(server))
        seen += visible(client, call, config(TOKEN))
        seen += [repr(await anext(warnings))]
        seen += [repr(task) for task in asyncio.all_tasks()]
    return seen + [repr(response) async for response in responses]


async def session_with_key(logger: Recorder | None) -> list[str]:
    """From a key of the Telnyx API to the repr of a login with what it minted."""
    async with credential_api() as api, TelephonyCredentials(API_KEY, base_url=api.url) as credentials:
        made = await credentials.create("connection-7", "bot")
        token = await credentials.mint_token(made.id)
        with pytest.raises(RestError) as failure:
            await credentials.mint_token("credential-9")
        seen = [*visible(made, failure.value, TokenConfig(token, custom_logger=logger)), repr(credentials)]
    assert not any(secret in text for secret in (token, made.sip_password) for text in seen)
    return seen


async def test_no_secret_in_the_standard_logs(
    server: ScriptedServer, timeouts: Timeouts, media: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        seen = await session(server, timeouts, None)
    assert '"passwd":"***"' in caplog.text
    lines = [JsonLinesFormatter().format(record) for record in caplog.records]
    assert not any(secret in text for secret in SECRETS for text in [caplog.text, *lines, *seen])
    about_calls = [json.loads(line) for line in lines if '"telnyx_native.call"' in line]
    assert about_calls
    assert all(line["session_id"] == "S1" and line["call_id"] for line in about_calls)


async def test_no_secret_reaches_a_custom_logger(server: ScriptedServer, timeouts: Timeouts, media: FakeEngine) -> None:
    recorder = Recorder()
    seen = await session(server, timeouts, recorder)
    assert any('"passwd":"***"' in record for record in recorder.records)
    assert not any(secret in text for secret in SECRETS for text in [*recorder.records, *seen])


async def test_nothing_is_logged_unless_asked_for(
    online: TelnyxClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await online.new_invite("echo")
        await online.disconnect()
    gc.collect()
    assert [record for record in caplog.records if record.name.startswith(("telnyx_native", "websockets"))] == []
