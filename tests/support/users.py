"""Users of a gateway under test."""

from __future__ import annotations

from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.gateway import Gateway


async def log_in(client: TelnyxClient, gateway: Gateway, user: str, password: str = "s3cret") -> None:
    await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig(user, password))
