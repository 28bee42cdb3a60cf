"""A fleet on a Ray cluster of this machine, and what it survives. Run by `make fleet`; minutes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from support.fleets import Fleet, call, caller_of, echoes, fleet_of, outages, talking
from support.limit import LIMIT
from telnyx_native import CallState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from telnyx_native import Call, TelnyxClient

pytestmark = pytest.mark.timeout(400)

OUTAGE = 15.0
"""Seconds from the kill of a worker to audio, beside anything else; 4 on two cores that do nothing else, see docs."""


def by_worker(shown: dict[str, Any]) -> dict[str, int]:
    return {worker["name"]: worker["calls"] for worker in shown["workers"]}


async def test_thirty_calls_and_one_more(tmp_path: Path) -> None:
    """Three workers of ten on two nodes: ten each, and the 31st waits until one ends."""
    async with fleet_of(tmp_path, workers=3, calls=10, nodes=2) as fleet, caller_of(fleet) as client:
        calls = await talking(client, 30)
        shown = await fleet.until(lambda shown: sum(by_worker(shown).values()) == 30)  # its workers report in turn
        assert sorted(by_worker(shown).values()) == [10, 10, 10]
        assert len({worker["node"] for worker in shown["workers"]}) == 2
        late = await call(client)
        await fleet.until(lambda shown: shown["waiting"] == 1)
        assert late.state == CallState.RINGING
        await calls.pop().end()
        await late.wait_active(LIMIT)
        calls.append(late)
        await echoes(calls)
        for each in calls:
            each.hang_up()
        await fleet.until_empty()


async def test_rolling_under_load(tmp_path: Path) -> None:
    """No call is cut, whichever way. Both processes of a worker need room on this machine, so there are few calls."""
    async with fleet_of(tmp_path, workers=3, calls=3, nodes=2) as fleet, caller_of(fleet) as client:
        calls = await talking(client, 9)
        code, said = await fleet.command("roll", "--hand-over")
        assert (code, said.strip()) == (0, "replaced: w1, w2, w3")
        await echoes(calls, 800)
        shown = await fleet.until(lambda shown: sum(by_worker(shown).values()) == 9)
        assert by_worker(shown) == {"w1": 3, "w2": 3, "w3": 3}
        assert [worker["resumed"] for worker in shown["workers"]] == [3, 3, 3]
        assert not any(each.termination_reason for each in calls)

        # The other way: new processes get the new calls, and the old ones keep theirs.
        code, said = await fleet.command("roll")
        assert code == 0, said
        await fleet.until(lambda shown: sum(worker["draining"] for worker in shown["workers"]) == 3)
        fresh = await talking(client, 3)
        await echoes(calls + fresh, 700)
        assert not any(each.termination_reason for each in calls)
        for each in (*calls, *fresh):
            each.hang_up()
        await fleet.until(lambda shown: len(shown["workers"]) == 3)


async def test_a_worker_is_killed_in_the_middle_of_20_calls(tmp_path: Path) -> None:
    async with fleet_of(tmp_path, workers=1, calls=20) as fleet, caller_of(fleet) as client:
        calls = await talking(client, 20)
        await echoes(calls)
        async with outages(calls) as longest:
            (worker,) = (await fleet.status())["workers"]
            os.kill(worker["pid"], signal.SIGKILL)
            await fleet.until(lambda shown: shown["workers"][0]["resumed"] == 20)
            await asyncio.sleep(OUTAGE)  # of which nothing is heard of those that are not back
        sys.stdout.write(f"\noutage: {min(longest):.1f} to {max(longest):.1f} s\n")
        assert max(longest) < OUTAGE
        assert not any(each.termination_reason for each in calls)


@asynccontextmanager
async def two_workers(folder: Path, nodes: int = 1) -> AsyncIterator[tuple[Fleet, TelnyxClient, list[Call]]]:
    """Two workers of four, with three calls each, of which none may be cut."""
    async with fleet_of(folder, workers=2, calls=4, nodes=nodes, logins=3) as fleet, caller_of(fleet) as client:
        calls = await talking(client, 6)
        await echoes(calls)
        yield fleet, client, calls
        assert not any(each.termination_reason for each in calls)


async def test_the_control_is_killed(tmp_path: Path) -> None:
    """It is rebuilt from what the workers say: no slot is counted twice, no call is lost, not even one that waits."""
    async with two_workers(tmp_path) as (fleet, client, calls):
        calls += await talking(client, 2)
        waiting = await call(client)
        await fleet.until(lambda shown: shown["waiting"] == 1)
        fleet.kill_actor("FleetControl")
        shown = await fleet.until(
            lambda shown: not shown["rebuilding"] and shown["waiting"] == 1 and sum(by_worker(shown).values()) == 8
        )
        assert [worker["confirmed"] for worker in shown["workers"]] == [4, 4]
        await calls.pop().end()
        await waiting.wait_active(LIMIT)
        calls.append(waiting)
        await echoes(calls, 700)


async def test_the_memory_is_killed_and_then_a_worker(tmp_path: Path) -> None:
    """Workers save again what it has lost."""
    async with two_workers(tmp_path) as (fleet, _, calls):
        fleet.kill_actor("FleetMemory")
        await asyncio.sleep(6)  # workers save every five seconds
        worker = (await fleet.status())["workers"][0]
        os.kill(worker["pid"], signal.SIGKILL)
        await fleet.until(lambda shown: sum(each["resumed"] for each in shown["workers"]) == 3)
        await echoes(calls, 700)


async def test_a_node_is_lost(tmp_path: Path) -> None:
    """Its workers come up elsewhere, with their calls."""
    async with two_workers(tmp_path, nodes=2) as (fleet, _, calls):
        shown = await fleet.status()
        head = fleet.cluster["nodes"][0]["node"]
        (lost,) = [worker for worker in shown["workers"] if worker["node"] != head]
        for number in fleet.processes(1):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        await fleet.until(
            lambda shown: any(
                worker["name"] == lost["name"] and worker["ready"] and worker["node"] == head and worker["calls"] == 3
                for worker in shown["workers"]
            ),
            120.0,
        )
        await echoes(calls, 700)


async def test_the_head_of_ray_is_lost(tmp_path: Path) -> None:
    """Calls go on, and new ones are dispatched; what needs Ray (scale, roll, a restart) does not work any more."""
    async with two_workers(tmp_path) as (fleet, client, calls):
        os.kill(fleet.cluster["nodes"][0]["gcs_server"], signal.SIGKILL)
        await asyncio.sleep(3)
        await echoes(calls, 700)
        calls += await talking(client, 1)
        await echoes(calls, 800)


async def test_the_gateway_is_restarted(tmp_path: Path) -> None:
    """Its calls are gone with it; the workers log in again, and serve new ones."""
    async with fleet_of(tmp_path, workers=2, calls=4) as fleet:
        async with caller_of(fleet) as client:
            await talking(client, 2)
            await fleet.stop_gateway(signal.SIGKILL)
        await fleet.start_gateway()
        await fleet.until(lambda shown: all(worker["ready"] for worker in shown["workers"]))
        async with caller_of(fleet) as client:
            await echoes(await talking(client, 2))


async def test_scaling_and_draining(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as (fleet, client, calls):
        code, said = await fleet.command("scale", "4")
        assert code == 2
        assert "logins for 3" in said
        assert (await fleet.command("scale", "3"))[0] == 0
        await fleet.until(lambda shown: sum(worker["ready"] for worker in shown["workers"]) == 3)
        code, said = await fleet.command("drain", "w1")
        assert (code, said.strip()) == (0, "draining: w1")
        calls += await talking(client, 4)
        shown = await fleet.until(lambda shown: sum(by_worker(shown).values()) == 10)
        assert by_worker(shown)["w1"] == 3
        await echoes(calls, 700)
        code, said = await fleet.command("drain", "nobody")
        assert code == 2
        assert "there is no worker or node nobody; workers are: w1, w2, w3" in " ".join(said.split())


async def test_a_login_that_is_refused_stops_that_worker(tmp_path: Path) -> None:
    async with fleet_of(tmp_path, workers=1, calls=2) as fleet:
        settings = tmp_path / "fleet.toml"
        assert 'worker1 = { password = "demo" }' in settings.read_text()
        assert (await fleet.command("down"))[0] == 0
        settings.write_text(settings.read_text().replace("count = 1", "count = 2") + 'wrong = { password = "x" }\n')
        code, said = await fleet.command("up")
        assert code == 1
        assert "refused" in said
        async with caller_of(fleet) as client:
            await echoes(await talking(client, 2))
