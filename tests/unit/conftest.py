"""A client between a scripted server and media that carries nothing."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from support.fake_media import FakeEngine
from support.limit import LIMIT
from support.report_server import ReportServer, report_server
from support.telnyx_server import ScriptedServer, listening
from telnyx_native.client import TelnyxClient
from telnyx_native.config import CredentialConfig, Timeouts, TxServerConfiguration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from telnyx_native.call import Call


async def eventually(condition: Callable[[], object]) -> None:
    """Return when `condition` holds, which must be soon."""
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.001)


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Any]:
    return eventually


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """The server; when the test is over, nothing of the client may still run."""
    scripted = ScriptedServer()
    async with listening(scripted.serve) as address:
        scripted.address = address
        yield scripted
    left = [task for task in asyncio.all_tasks() if task.get_name().startswith("telnyx-")]
    assert not left, left


@pytest.fixture
def timeouts() -> Timeouts:
    return Timeouts(
        connect=1,
        login=0.5,
        gateway_poll=0.05,
        request=1,
        bye=0.2,
        gather=0.1,
        media=0.2,
        path_lost=0.05,
        ice_restart=0.5,
        close=0.5,
    )


@pytest.fixture
def credentials() -> CredentialConfig:
    return CredentialConfig("alice", "s3cret", sip_caller_id_name="Alice", sip_caller_id_number="+15550100")


@pytest.fixture
async def client(timeouts: Timeouts, server: ScriptedServer) -> AsyncIterator[TelnyxClient]:
    """A client; it is closed before the server is, or it would try to get back there."""
    async with TelnyxClient(timeouts=timeouts) as made:
        yield made


@pytest.fixture
async def online(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine
) -> TelnyxClient:
    """A client that is logged in."""
    await client.connect(TxServerConfiguration.parse(server.address), credentials)
    return client


@pytest.fixture
def media(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    engine = FakeEngine()
    module = ModuleType("telnyx_native.media.engine")
    module.MediaEngine = engine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "telnyx_native.media.engine", module)
    return engine


@pytest.fixture
async def http(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ReportServer]:
    """Where reports of calls go."""
    async with report_server() as running:
        url = running.url.removesuffix("/call_report")
        monkeypatch.setattr(TxServerConfiguration, "http_url", property(lambda _: url))
        yield running


@pytest.fixture
def talking(online: TelnyxClient, server: ScriptedServer) -> Callable[..., Any]:
    """Places calls that are active at once."""

    async def place(**options: Any) -> Call:
        call = await online.new_invite("echo", **options)
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
        await call.wait_active(LIMIT)
        return call

    return place
