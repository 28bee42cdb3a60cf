"""A whole session at `LogLevel.ALL`: no secret may show up anywhere."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import traceback
from typing import TYPE_CHECKING

import pytest

from support.tokens import token_for
from telnyx_native.client import TelnyxClient, token_watch
from telnyx_native.config import CredentialConfig, IceServer, Timeouts, TokenConfig, TxServerConfiguration
from telnyx_native.errors import AuthenticationError
from telnyx_native.logs import JsonLinesFormatter, LogLevel
from telnyx_native.push import PushConfig

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
SECRETS = (PASSWORD, TURN_PASSWORD, TOKEN, REFUSED_TOKEN, EXPIRED_TOKEN, DEVICE_TOKEN)


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
    monkeypatch.setattr(token_watch, "NOTICE", 100_000.0)


async def session(server: ScriptedServer, timeouts: Timeouts, logger: Recorder | None) -> list[str]:
    """Run into every corner; return what could be seen on the way."""
    seen: list[str] = []
    credentials = CredentialConfig("alice", PASSWORD, log_level=LogLevel.ALL, custom_logger=logger)
    refused = CredentialConfig("alice", WRONG_PASSWORD, log_level=LogLevel.ALL, custom_logger=logger)
    async with TelnyxClient(timeouts=timeouts) as client:
        responses = client.socket_response_flow.collect()
        try:
            await client.connect(server_config(server), refused)
        except AuthenticationError as error:
            seen += traceback.format_exception(error)
        await client.connect(server_config(server), credentials)
        call = await client.new_invite("echo")
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0", iceServers=[{"credential": TURN_PASSWORD}])
        server.push_raw(f'{{"method":"login","params":{{"passwd":"{PASSWORD}')
        await call.wait_active(1)
        seen += [repr(client), repr(call), repr(vars(client)), repr(credentials), repr(server_config(server))]
        seen += [repr(task) for task in asyncio.all_tasks()]
    seen += [repr(response) async for response in responses]
    return seen + await session_with_token(server, timeouts, logger)


async def session_with_token(server: ScriptedServer, timeouts: Timeouts, logger: Recorder | None) -> list[str]:
    """The same for a login with a token, and for push notifications."""
    seen: list[str] = []

    def config(token: str) -> TokenConfig:
        return TokenConfig(token, push=PushConfig(DEVICE_TOKEN), log_level=LogLevel.ALL, custom_logger=logger)

    server.tokens = {TOKEN}
    async with TelnyxClient(timeouts=timeouts) as client:
        responses, warnings = client.socket_response_flow.collect(), client.warning_flow.collect()
        for token in (EXPIRED_TOKEN, REFUSED_TOKEN):
            try:
                await client.connect(server_config(server), token_config=config(token))
            except AuthenticationError as error:
                seen += traceback.format_exception(error)
        await client.connect(server_config(server), token_config=config(TOKEN), tx_push_meta_data={"call_id": "P"})
        server.push("telnyx_rtc.invite", callID="C", sdp="v=0")
        call = await client.wait_for_pushed_call()
        await call.accept()
        answer = await server.received("telnyx_rtc.answer")
        assert answer["params"]["answered_device_token"] == DEVICE_TOKEN
        await client.disable_push()
        server.push_raw(f'{{"method":"login","params":{{"login_token":"{TOKEN}')
        await client.connect_with_decline_push({"call_id": "P"}, config(TOKEN), server_config=server_config(server))
        seen += [repr(client), repr(call), repr(vars(client)), repr(vars(call)), repr(config(TOKEN))]
        seen += [repr(await anext(warnings))]
        seen += [repr(task) for task in asyncio.all_tasks()]
    return seen + [repr(response) async for response in responses]


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
