"""Many calls for a long time: memory, open files and threads must end as they were after five minutes.

    make soak                                   # an hour of 40 calls
    make soak SOAK="--minutes 10 --calls 20"

A client calls the echo of a gateway in the same process, over real sockets. In every call speech goes out and the echo
is read, and every few seconds the oldest call is hung up and a new one takes its place, so that what a call leaves
behind adds up. Exits with 1 if something grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import re
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telnyx_native import Call, CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.errors import AudioClosedError, TelnyxError
from telnyx_native.gateway import Gateway, GatewayLimits, User
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.files import read_audio

RATE = 16_000
REPLACE_EVERY = 5.0
"""Seconds from one hang-up to the next."""
LIMITS = GatewayLimits(call_reports=10)
"""So that the gateway has all the reports that it keeps before the time that is compared with."""
SETTLED_AT = 5
"""The minute whose holdings the last one's are compared with."""
GROWTH = 1.03
"""How much memory may differ, for what the allocator keeps: a leak of 1 KB a second is 4 % of 90 MB in an hour."""


@dataclass(frozen=True, slots=True)
class Holdings:
    memory: float  # MB
    files: int
    threads: int  # of the media engine
    tasks: int

    def grown_from(self, before: Holdings) -> list[str]:
        grown = [name for name in ("files", "threads", "tasks") if getattr(self, name) > getattr(before, name)]
        return grown + ["memory"] * (self.memory > GROWTH * before.memory)

    def __str__(self) -> str:
        return f"{self.memory:7.1f} MB, {self.files} files, {self.threads} threads, {self.tasks} tasks"


def holdings() -> Holdings:
    """What is held, less what Python and malloc keep for later: unused memory, and threads for `asyncio.to_thread`."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    status = Path("/proc/self/status").read_text()
    names = [(task / "comm").read_text() for task in Path("/proc/self/task").iterdir()]
    return Holdings(
        memory=int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024,
        files=len(list(Path("/proc/self/fd").iterdir())),
        threads=sum(name.startswith("telnyx-") for name in names),
        tasks=len(asyncio.all_tasks()),
    )


class Talk:
    """One call, with somebody who speaks and listens."""

    def __init__(self, call: Call, speech: Any) -> None:
        self._call = call
        self._talking = [asyncio.create_task(self._speak(speech)), asyncio.create_task(self._listen())]
        self.heard = 0

    async def _speak(self, speech: Any) -> None:
        with contextlib.suppress(AudioClosedError):
            while True:
                await self._call.audio.write(speech)

    async def _listen(self) -> None:
        async for frame in self._call.audio:
            self.heard += len(frame) // 2

    async def end(self) -> None:
        await self._call.end()
        await asyncio.gather(*self._talking)  # they end with the call


async def soak(calls: int, minutes: float) -> int:
    speech = read_audio(PROMPT, RATE)
    async with Gateway([User("soak", "secret")], limits=LIMITS) as gateway, TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig("soak", "secret"))

        async def place() -> Talk:
            call = await client.new_invite("echo")
            await call.wait_active(timeout=30)
            return Talk(call, speech)

        talks = deque([await place() for _ in range(calls)])
        began, placed, failed, settled, minute = time.monotonic(), calls, 0, None, 0
        now = holdings()
        while (passed := time.monotonic() - began) < 60 * minutes:
            await asyncio.sleep(REPLACE_EVERY)
            if len(talks) == calls:
                await talks.popleft().end()
            try:
                talks.append(await place())
            except TelnyxError as error:  # on a machine that stands still, or a finding: said, and tried again
                print(f"a call failed: {error}", file=sys.stderr)
                failed += 1
                continue
            placed += 1
            if passed < 60 * (minute + 1):
                continue
            minute += 1
            now = holdings()
            silent = sum(talk.heard == 0 for talk in list(talks)[:-1])
            print(f"minute {minute:3}: {now}, {placed} calls placed, {failed} failed, {silent} silent", flush=True)
            if silent:
                print("calls without audio", file=sys.stderr)
                return 1
            if minute == SETTLED_AT:
                settled = now
        for talk in talks:
            await talk.end()
    if settled is None:
        print(f"too short to compare: it takes more than {SETTLED_AT} minutes")
        return 0
    if grown := now.grown_from(settled):
        print(f"grown since minute {SETTLED_AT}: {', '.join(grown)}", file=sys.stderr)
        return 1
    print(f"nothing has grown since minute {SETTLED_AT}")
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    sys.exit(asyncio.run(soak(options.calls, options.minutes)))


if __name__ == "__main__":
    main()
