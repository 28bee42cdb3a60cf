"""For tests of voice bots: a gateway, and telephones that call, hear and speak, as pytest fixtures.

Enable it in `conftest.py`, with `telnyx-native[testing]` installed:

```python
pytest_plugins = ["telnyx_native.testing"]
```

```python
async def test_the_bot_greets(bot, caller):      # `bot` is a fixture of yours that runs your bot
    await caller.call("bot")
    await caller.hears("greeting.wav")
    await caller.press("1")
    await caller.hears_tone(880)
    await caller.hang_up()
```

docs/testing.md explains it.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from telnyx_native.client import TelnyxClient
from telnyx_native.config import CredentialConfig, TxServerConfiguration
from telnyx_native.gateway import Gateway, GatewayConfig, User, scripted_brain
from telnyx_native.testing.phone import Phone, Sound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

__all__ = [
    "PASSWORD",
    "USERS",
    "Phone",
    "Sound",
    "background",
    "callee",
    "caller",
    "client",
    "gateway",
    "gateway_config",
    "open_phone",
]

PASSWORD = "secret"  # noqa: S105 - of a gateway that lives as long as a test
"""The password of the users that every gateway of a test has."""

USERS = (
    User("bot", PASSWORD, "+15550100"),
    User("client", PASSWORD, "+15550101"),
    User("caller", PASSWORD, "+15550102"),
    User("callee", PASSWORD, "+15550103"),
)
"""The users that every gateway of a test has, beside those of `gateway_config`."""


@pytest.fixture
def gateway_config() -> GatewayConfig:
    """How the gateway is to be: override it for users, numbers, menus, assistants of your own.

    By default it has one assistant, `assistant`, that follows a script.
    """
    return GatewayConfig(assistants={"assistant": scripted_brain})


@pytest_asyncio.fixture
async def gateway(gateway_config: GatewayConfig) -> AsyncIterator[Gateway]:
    """A running gateway, on a free port of this machine, with the users `USERS`."""
    own = {user.name for user in gateway_config.users}
    users = [*gateway_config.users, *(user for user in USERS if user.name not in own)]
    async with replace(gateway_config, users=users, host="127.0.0.1", port=0).gateway() as running:
        yield running


@pytest_asyncio.fixture
async def client(gateway: Gateway) -> AsyncIterator[TelnyxClient]:
    """A client, logged in as the user `client`."""
    async with _logged_in(gateway, "client") as ready:
        yield ready


@pytest_asyncio.fixture
async def caller(gateway: Gateway, tmp_path: Path) -> AsyncIterator[Phone]:
    """A telephone that calls."""
    async with open_phone(gateway, "caller", recordings=tmp_path) as phone:
        yield phone


@pytest_asyncio.fixture
async def callee(gateway: Gateway, tmp_path: Path) -> AsyncIterator[Phone]:
    """A telephone to be called; the same as `caller`, but somebody else."""
    async with open_phone(gateway, "callee", recordings=tmp_path) as phone:
        yield phone


@pytest_asyncio.fixture
async def background() -> AsyncIterator[Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]]:
    """Runs coroutines beside the test, such as a bot's `main`, and cancels them at its end.

    What goes wrong in one of them fails the test.
    """
    tasks: list[asyncio.Task[Any]] = []

    def run(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        tasks.append(asyncio.create_task(work))
        return tasks[-1]

    yield run
    for task in tasks:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


@asynccontextmanager
async def open_phone(
    gateway: Gateway, user: str, password: str = PASSWORD, *, recordings: Path
) -> AsyncIterator[Phone]:
    """Another telephone, for as long as the context lasts.

    Args:
        gateway: Where it logs in.
        user: As whom.
        password: With which password.
        recordings: The folder for recordings of what was not as expected.
    """
    async with _logged_in(gateway, user, password) as client:
        phone = Phone(client, user, recordings)
        try:
            yield phone
        finally:
            await phone.close()


@asynccontextmanager
async def _logged_in(gateway: Gateway, user: str, password: str = PASSWORD) -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig(user, password))
        yield client
