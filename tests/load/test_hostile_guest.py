"""Twenty calls of users, while a guest does to the gateway all that it can think of. Run by `make load`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from support.busy_gateway import LIMIT, RATE, logged_in
from support.gateway_process import GatewayProcess, gateway_process
from support.signals import Pcm, pcm, tone
from telnyx_native import AudioConfig, Call, OpusConfig, TelnyxClient, TelnyxError
from telnyx_native.media.quality import CallQualityMetrics

SECONDS = float(os.environ.get("HOSTILE_SECONDS", "30"))
CALLS = 20

WAYS = {"candidates", "sources", "headers", "guesses", "returning", "calls", "variables", "reports", "words", "noise"}
WAYS |= {"speed", "pings", "squatters"}
"""What the guest must have done."""

LONGEST_GAP = 0.06
"""Seconds of a call that may be missing."""

MOST_MEMORY = 400 << 20
"""Bytes that the gateway may take meanwhile."""

WINDOW = RATE // 100

AUDIO = AudioConfig(opus=OpusConfig(complexity=0), playback_buffer=SECONDS + 70, capture_buffer=SECONDS + 70)
"""All that is said, and all that is heard, waits natively: what this process has to do meanwhile does not matter."""


def taken(call: Call) -> Pcm:
    """What a call has heard."""
    data = bytearray(2 * RATE * int(SECONDS + 70))
    return pcm(bytes(data[: 2 * call.audio.readinto(data)]))


def longest_gap(heard: Pcm) -> float:
    """The longest time in which a steady tone is less than a quarter as loud as usual, in seconds."""
    windows = heard[: len(heard) // WINDOW * WINDOW].reshape(-1, WINDOW).astype(float)
    loud = np.sqrt((windows**2).mean(axis=1))
    gone = np.concatenate(([False], loud < np.median(loud) / 4, [False]))
    edges = np.flatnonzero(np.diff(gone.astype(int)))
    return float(max(edges[1::2] - edges[::2], default=0)) / 100


async def hurt(gateway: GatewayProcess, seconds: float) -> dict[str, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "support.hostile_guest", gateway.url, str(seconds)),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), seconds + 30)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0
    return dict(json.loads(said))


def memory_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


@pytest.mark.timeout(SECONDS + 180)
async def test_calls_go_on_while_a_guest_does_its_worst(tmp_path: Path) -> None:
    pytest.importorskip("aiortc")
    async with (
        gateway_process(CALLS + 1, tmp_path, "--assistant", "assistant") as gateway,
        logged_in(gateway, CALLS + 1) as clients,
    ):
        calls = [await client.new_invite("echo", audio=AUDIO) for client in clients[:CALLS]]
        await asyncio.gather(*(call.wait_active(LIMIT) for call in calls))
        for call in calls:
            call.audio.write_nowait(tone(500, SECONDS + 60, RATE).tobytes())
        await asyncio.sleep(2)  # a jitter buffer finds its depth
        for call in calls:
            taken(call)
        await asyncio.sleep(8)
        before = max(longest_gap(taken(call)) for call in calls)
        async with asyncio.TaskGroup() as meanwhile:
            hurting = meanwhile.create_task(hurt(gateway, SECONDS))
            serving = meanwhile.create_task(others_are_served(clients[CALLS]))
        heard = [taken(call) for call in calls]
        metrics = [CallQualityMetrics.from_stats(await call.stats()) for call in calls]
        counters = (await gateway.get("status"))["counters"]
        memory = memory_of(gateway.pid)
    gaps = [longest_gap(each) for each in heard]
    lost, least = sum(m.packets_lost for m in metrics), min(m.packets_received for m in metrics)
    done = hurting.result()
    print(f"\n{done}\n{counters}")
    gap = max(gaps)
    print(f"{lost} packets lost, {least} received, gaps of {gap:.2f} s, {before:.2f} s before, {memory >> 20} MiB")
    assert serving.result() == []
    assert lost == 0
    assert least > 45 * SECONDS
    assert memory <= MOST_MEMORY
    assert counters["handler_failures"] == 0
    assert set(done) == WAYS
    if before > LONGEST_GAP:
        pytest.skip(f"the machine is too busy: {before:.2f} s of a call were missing before anybody did anything")
    assert gap <= LONGEST_GAP


async def others_are_served(client: TelnyxClient) -> list[str]:
    """Place calls of another user meanwhile; return why they did not come about."""
    failures = []
    for _ in range(int(SECONDS // 10)):
        await asyncio.sleep(5)
        try:
            call = await client.new_invite("echo", audio=AUDIO)
            await call.wait_active(LIMIT)
            await call.end()
        except TelnyxError as error:
            failures.append(str(error))
    return failures
