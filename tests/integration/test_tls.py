"""wss:// with a certificate of the gateway's own."""

from __future__ import annotations

import ssl

import aiohttp
import pytest

from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.errors import ConfigurationError, SocketConnectionError
from telnyx_native.gateway import Certificate, Gateway, User

ALICE = CredentialConfig("alice", "s3cret")


@pytest.fixture
def certificate():
    return Certificate.self_signed("gateway.test", "192.0.2.1")


@pytest.fixture
async def secure_gateway(certificate):
    async with Gateway([User("alice", "s3cret")], certificate=certificate) as gateway:
        assert gateway.url.startswith("wss://127.0.0.1:")
        yield gateway


async def test_a_client_that_trusts_the_certificate_calls(secure_gateway, certificate):
    server = TxServerConfiguration.parse(secure_gateway.url, ssl_context=certificate.client_context())
    async with TelnyxClient() as client:
        await client.connect(server, ALICE)
        call = await client.new_invite("echo")
        await call.wait_active(10)
        await call.end()
    assert len(secure_gateway.call_reports) == 1  # which went by https


async def test_a_client_that_does_not_trust_it_stays_away(secure_gateway):
    async with TelnyxClient() as client:
        with pytest.raises(SocketConnectionError, match=r"(?i)certificate"):
            await client.connect(TxServerConfiguration.parse(secure_gateway.url), ALICE)


async def test_a_client_in_plain_text_gets_nothing(secure_gateway):
    async with TelnyxClient() as client:
        with pytest.raises(SocketConnectionError):
            await client.connect(TxServerConfiguration.parse(secure_gateway.url.replace("wss:", "ws:")), ALICE)


async def test_http_is_encrypted_too(secure_gateway, certificate):
    url = secure_gateway.url.replace("wss:", "https:")
    async with aiohttp.ClientSession() as http, http.get(url, ssl=certificate.client_context()) as response:
        assert "telnyx-native's gateway" in await response.text()


def test_a_certificate_keeps_its_key_to_itself(certificate):
    assert "PRIVATE" not in repr(certificate)
    with pytest.raises(ConfigurationError, match="certificate"):
        Certificate(certificate.pem, Certificate.self_signed().key_pem).server_context()


def test_trust_is_for_encrypted_servers():
    with pytest.raises(ConfigurationError, match="plain-text"):
        TxServerConfiguration.parse("ws://127.0.0.1", ssl_context=ssl.create_default_context())
