"""The gateway under load, for minutes. Run by `make load`, not by `make test`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.busy_gateway import bridged, flood, hold_calls, logged_in
from support.gateway_process import gateway_process
from telnyx_native import CallState

SECONDS = float(os.environ.get("LOAD_SECONDS", "300"))
USERS = int(os.environ.get("LOAD_USERS", "200"))
CALLS = int(os.environ.get("LOAD_CALLS", "40"))
CONNECTIONS = int(os.environ.get("LOAD_CONNECTIONS", "10000"))


@pytest.mark.timeout(SECONDS + 300)
async def test_users_and_bridged_calls(tmp_path: Path) -> None:
    async with gateway_process(USERS, tmp_path) as gateway:
        metrics = await hold_calls(gateway, users=USERS, calls=CALLS, seconds=SECONDS)
        counters = (await gateway.get("status"))["counters"]
    received, lost = sum(m.packets_received for m in metrics), sum(m.packets_lost for m in metrics)
    print(f"{len(metrics)} ends, {received} packets received, {lost} lost, worst MOS {min(m.mos for m in metrics):.2f}")
    assert lost == 0
    assert received > 45 * SECONDS * len(metrics)
    assert (counters["logins"], counters["connections"], counters["handler_failures"]) == (USERS, USERS, 0)


@pytest.mark.timeout(600)
async def test_a_flood_of_connections_does_not_disturb_who_is_there(tmp_path: Path) -> None:
    async with gateway_process(4, tmp_path) as gateway, logged_in(gateway, 4) as clients:
        ends = await bridged(clients, 2)
        await flood(gateway, CONNECTIONS)
        counters = (await gateway.get("status"))["counters"]
        print(counters)
        assert counters["handler_failures"] == 0
        assert [end.call.state for end in ends] == [CallState.ACTIVE] * 4
        async with logged_in(gateway, 4):
            pass
