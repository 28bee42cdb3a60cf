"""A fleet on Ray, in short: `make fleet` has the rest."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from support.fleets import caller_of, echoes, fleet_of, talking

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.sound, pytest.mark.timeout(300)]


async def test_calls_outlive_a_worker_that_is_killed(tmp_path: Path) -> None:
    async with fleet_of(tmp_path, workers=1, calls=2) as fleet, caller_of(fleet) as client:
        calls = await talking(client, 2)
        await echoes(calls)
        (worker,) = (await fleet.status())["workers"]
        os.kill(worker["pid"], signal.SIGKILL)
        await fleet.until(lambda shown: shown["workers"][0]["resumed"] == 2)
        await echoes(calls, 900)
        code, said = await fleet.command("status")
        assert code == 0
        assert "2/2" in said
    code, said = await fleet.command("status")
    assert code == 2
    assert "start it with: telnyx-native fleet up" in " ".join(said.split())
