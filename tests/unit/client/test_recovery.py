from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from telnyx_native.client import recovery
from telnyx_native.codes import ErrorCode
from telnyx_native.events import SocketStatus
from telnyx_native.states import ConnectionStatus

if TYPE_CHECKING:
    from support.telnyx_server import ScriptedServer
    from telnyx_native.client import TelnyxClient


def reach_from(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    """From now on, the server is reached from `address`."""
    monkeypatch.setattr(recovery, "source_address", lambda _: address)


async def test_machine_without_a_network(
    online: TelnyxClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    responses = online.socket_response_flow.collect()
    reach_from(monkeypatch, None)
    online._recovery._on_network_change()
    error = await anext(responses)
    assert (error.status, error.error_kind) == (SocketStatus.ERROR, ErrorCode.NETWORK_OFFLINE)
    await server.received("telnyx_rtc.ping")  # which tells whether it is so
    assert online.is_registered


async def test_same_way_is_tried_out(
    online: TelnyxClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach_from(monkeypatch, "127.0.0.1")
    online._recovery._on_network_change()
    await server.received("telnyx_rtc.ping")
    assert len(server.paths) == 1


async def test_another_way_is_taken(
    talking: Any, online: TelnyxClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await talking()
    warnings = online.warning_flow.collect()
    reach_from(monkeypatch, "192.0.2.1")
    online._recovery._on_network_change()
    await online.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
    assert str(call.state) == "RECONNECTING(NETWORK_SWITCH)"
    assert (await anext(warnings)).name == "SIGNALING_RECOVERY_REQUIRED"
    await online.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
