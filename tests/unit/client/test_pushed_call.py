"""The call that a push notification announces: answered, awaited in vain, declined."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from support.field_descriptions import OFFER
from support.telnyx_server import RefusalError
from support.tokens import token_for
from telnyx_native.client import TelnyxClient
from telnyx_native.config import CredentialConfig, Timeouts, TokenConfig, TxServerConfiguration
from telnyx_native.errors import (
    AuthenticationError,
    CallError,
    ConfigurationError,
    InviteTimeoutError,
    RequestError,
    SocketConnectionError,
)
from telnyx_native.events import DisablePushResponse, SocketStatus
from telnyx_native.push import PushConfig
from telnyx_native.states import ConnectionStatus

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from support.telnyx_server import ScriptedServer

PUSH = PushConfig("f1rebase")
ANNOUNCED = {"call_id": "push-id", "voice_sdk_id": "VSDK1", "rtc_ip": "192.0.2.7", "rtc_port": 8443}


def config(server: ScriptedServer) -> TxServerConfiguration:
    return TxServerConfiguration.parse(server.address)


class TestPush:
    @pytest.fixture
    def receiver(self) -> CredentialConfig:
        return CredentialConfig("alice", "s3cret", push=PUSH)

    async def test_announced_call_is_answered(
        self, client: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig, media: FakeEngine
    ) -> None:
        await client.connect(config(server), receiver, tx_push_meta_data={"metadata": json.dumps(ANNOUNCED)})
        assert server.paths == ["/?voice_sdk_id=VSDK1&rtc_ip=192.0.2.7&rtc_port=8443"]
        login = server.sent("login")[0]["params"]
        assert (login["loginParams"], login["from_push"]) == ({"attach_call": "true"}, True)
        assert login["userVariables"]["push_device_token"] == "f1rebase"
        attach = await server.received("telnyx_rtc.attachCalls")
        assert server.frames.index(attach) > server.frames.index(server.sent("telnyx_rtc.gatewayState")[-1])
        server.push("telnyx_rtc.invite", callID="wire-id", sdp=OFFER)
        call = await client.wait_for_pushed_call()
        assert call.call_id == "wire-id"
        assert await client.accept_call("PUSH-ID") is call
        answer = await server.received("telnyx_rtc.answer")
        assert answer["params"]["answered_device_token"] == "f1rebase"
        await client.credential_login(receiver)
        assert len(server.sent("telnyx_rtc.attachCalls")) == 1

    async def test_announced_call_that_does_not_come(
        self, server: ScriptedServer, receiver: CredentialConfig, timeouts: Timeouts
    ) -> None:
        async with TelnyxClient(timeouts=Timeouts(push_invite=0.05, close=0.5)) as client:
            await client.connect(config(server), receiver, tx_push_meta_data=ANNOUNCED)
            with pytest.raises(InviteTimeoutError, match="ORIGINATOR_CANCEL") as caught:
                await client.wait_for_pushed_call()
        assert caught.value.code == 487

    async def test_connection_that_ends_first(
        self, client: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig
    ) -> None:
        await client.connect(config(server), receiver, tx_push_meta_data=ANNOUNCED)
        waiting = asyncio.create_task(client.wait_for_pushed_call())
        await asyncio.sleep(0)
        server.cut()
        with pytest.raises(SocketConnectionError, match="before the announced call"):
            await waiting

    async def test_no_push_announces_no_call(self, online: TelnyxClient) -> None:
        with pytest.raises(CallError, match="no push"):
            await online.wait_for_pushed_call()

    @pytest.mark.parametrize("push", [{"message": "Missed call!", "metadata": "{}"}, "nonsense"])
    async def test_what_announces_no_call(
        self, client: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig, push: Any
    ) -> None:
        with pytest.raises(ConfigurationError, match="push"):
            await client.connect(config(server), receiver, tx_push_meta_data=push)
        with pytest.raises(ConfigurationError, match="push"):
            await client.connect_with_decline_push(push, receiver, server_config=config(server))
        assert server.paths == []

    async def test_declined_beside_a_connection(
        self, online: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig, until: Any
    ) -> None:
        server.parts["telnyx_rtc.gatewayState"] = lambda _: (
            server.push("telnyx_rtc.invite", callID="wire-id", sdp=OFFER) and {"params": {"state": "REGED"}}
        )
        await online.connect_with_decline_push(ANNOUNCED, receiver, server_config=config(server))
        assert server.paths[-1] == "/?voice_sdk_id=VSDK1&rtc_ip=192.0.2.7&rtc_port=8443"
        assert server.sent("login")[-1]["params"]["loginParams"] == {"decline_push": "true"}
        assert server.sent("telnyx_rtc.attachCalls") == []
        await until(lambda: len(server.connections) == 1)
        assert online.connection_status_flow.value is ConnectionStatus.CLIENT_READY

    async def test_declining_fails_aloud(self, client: TelnyxClient, server: ScriptedServer, until: Any) -> None:
        with pytest.raises(AuthenticationError):
            await client.connect_with_decline_push(
                ANNOUNCED, CredentialConfig("alice", "wr0ng"), server_config=config(server)
            )
        with pytest.raises(AuthenticationError, match="token"):
            await client.connect_with_decline_push(ANNOUNCED, TokenConfig(token_for(-1)), server_config=config(server))
        await until(lambda: not server.connections)

    async def test_no_more_notifications(
        self, client: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig
    ) -> None:
        await client.connect(config(server), receiver)
        responses = client.socket_response_flow.collect()
        response = await client.disable_push()
        assert response == DisablePushResponse(success=True, message="disable push notification success")
        published = await anext(responses)
        assert published.status is SocketStatus.MESSAGERECEIVED
        assert published.data is not None
        assert published.data.result == response
        (request,) = server.sent("telnyx_rtc.disable_push_notification")
        assert request["params"]["user"] == "alice"

    async def test_notifications_that_cannot_be_stopped(self, online: TelnyxClient, server: ScriptedServer) -> None:
        with pytest.raises(ConfigurationError, match="no push"):
            await online.disable_push()

    async def test_server_that_refuses(
        self, client: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig
    ) -> None:
        def refuse(_: object) -> None:
            raise RefusalError(-32002, "no")

        server.parts["telnyx_rtc.disable_push_notification"] = refuse
        await client.connect(config(server), receiver)
        with pytest.raises(RequestError, match="no"):
            await client.disable_push()
