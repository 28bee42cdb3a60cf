from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from support.credential_api import API_KEY, CredentialApi, credential_api
from telnyx_native import rest
from telnyx_native.config import CredentialConfig, TokenConfig, TxServerConfiguration
from telnyx_native.errors import AuthenticationError, ConfigurationError, RestError
from telnyx_native.rest import TelephonyCredentials, mint_login_token

if TYPE_CHECKING:
    from support.telnyx_server import ScriptedServer
    from telnyx_native.client import TelnyxClient


@pytest.fixture
async def api() -> AsyncIterator[CredentialApi]:
    async with credential_api() as running:
        yield running


@pytest.fixture
async def credentials(api: CredentialApi) -> AsyncIterator[TelephonyCredentials]:
    async with TelephonyCredentials(API_KEY, base_url=api.url) as opened:
        yield opened


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telnyx._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("telnyx._base_client.MAX_RETRY_DELAY", 0.01)


async def test_from_nothing_to_a_login(api: CredentialApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELNYX_BASE_URL", api.url)
    token = await mint_login_token(API_KEY, "connection-7", name="my bot")
    expires_at = TokenConfig(token).expires_at
    assert expires_at is not None
    (credential,) = api.credentials.values()
    assert (credential["name"], credential["resource_id"]) == ("my bot", "connection:connection-7")
    await mint_login_token(API_KEY, "connection-7", name="my bot")
    assert len(api.credentials) == 1


async def test_life_of_a_credential(credentials: TelephonyCredentials, api: CredentialApi) -> None:
    end = datetime(2030, 1, 1, tzinfo=UTC)
    made = await credentials.create("connection-7", "bot", tag="bots", expires_at=end)
    assert (made.id, made.sip_user, made.sip_password) == ("credential-1", "gencred1", "s1p-s3cret")
    assert made.expires_at == end
    assert await credentials.find("bot") == made
    assert await credentials.find("another") is None
    await credentials.delete(made.id)
    assert not api.credentials


async def test_credential_that_has_expired_is_not_found(credentials: TelephonyCredentials, api: CredentialApi) -> None:
    made = await credentials.create("connection-7", "bot")
    api.credentials[made.id]["expired"] = True
    assert await credentials.find("bot") is None


async def test_key_that_is_not_good(api: CredentialApi) -> None:
    async with TelephonyCredentials("KEY-wr0ng", base_url=api.url) as wrong:
        with pytest.raises(AuthenticationError, match="the API key is not good") as failure:
            await wrong.find("bot")
    assert failure.value.code == 401


async def test_credential_that_there_is_not(credentials: TelephonyCredentials) -> None:
    with pytest.raises(RestError, match="mint a login token: 404, there is no such credential") as failure:
        await credentials.mint_token("credential-9")
    assert failure.value.code == 404


async def test_connection_that_there_is_not(credentials: TelephonyCredentials) -> None:
    with pytest.raises(RestError, match="422, the connection does not exist"):
        await credentials.create("none", "bot")


@pytest.mark.usefixtures("quick")
async def test_api_that_is_broken(credentials: TelephonyCredentials, api: CredentialApi) -> None:
    api.failure = 500
    with pytest.raises(RestError, match="500"):
        await credentials.find("bot")


@pytest.mark.usefixtures("quick")
async def test_api_that_does_not_answer(api: CredentialApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "TIMEOUT", 0.05)
    api.go.clear()
    async with TelephonyCredentials(API_KEY, base_url=api.url) as credentials:
        with pytest.raises(RestError, match="did not answer in time"):
            await credentials.find("bot")


@pytest.mark.usefixtures("quick")
async def test_api_that_is_not_there(unused_tcp_port: int) -> None:
    async with TelephonyCredentials(API_KEY, base_url=f"http://127.0.0.1:{unused_tcp_port}/v2") as credentials:
        with pytest.raises(RestError, match="was not reached"):
            await credentials.find("bot")


async def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "telnyx", None)
    with pytest.raises(ConfigurationError, match=r"telnyx-native\[rest\]"):
        TelephonyCredentials(API_KEY)
    with pytest.raises(ConfigurationError, match="api_key"):
        TelephonyCredentials("")


async def test_secrets_are_seen_nowhere(
    credentials: TelephonyCredentials, api: CredentialApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "telnyx_native")
    made = await credentials.create("connection-7", "bot")
    token = await credentials.mint_token(made.id)
    with pytest.raises(RestError) as failure:
        await credentials.mint_token("credential-9")
    seen = f"{made!r} {credentials!r} {failure.value!r} {failure.value.__cause__!r} {caplog.text}"
    for secret in (API_KEY, token, "s1p-s3cret"):
        assert secret not in seen


async def test_a_login_with_a_new_credential_is_tried_again(
    credentials: TelephonyCredentials,
    client: TelnyxClient,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Servers know it some seconds after the API has created it."""
    monkeypatch.setattr("telnyx_native.signaling.machine.NEW_CREDENTIAL_DELAY", 0.01)
    made = await credentials.create("connection-7", "bot")
    good, left = server.parts["login"], 3

    def log_in(params: dict[str, Any]) -> dict[str, Any]:
        nonlocal left
        left -= 1
        assert params["passwd"] == "s1p-s3cret"
        return good(params | {"passwd": "wrong" if left else "s3cret"})

    server.parts["login"] = log_in
    login = CredentialConfig(made.sip_user, made.sip_password)
    await client.connect(TxServerConfiguration.parse(server.address), login)
    assert len(server.sent("login")) == 3

    await client.disconnect()
    monkeypatch.setattr("telnyx_native.credentials.SETTLING", 0.0)
    left = 3
    with pytest.raises(AuthenticationError):
        await client.connect(TxServerConfiguration.parse(server.address), login)
    assert left == 2
