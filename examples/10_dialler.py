"""Call everybody in a list, say something, and write down how it went.

    python 10_dialler.py [SERVER [NUMBERS.csv [RESULTS.csv]]]

NUMBERS.csv has a column `number`. Busy and unanswered numbers are tried again; wrong ones are not. Without a list,
some destinations of `telnyx-native gateway` are called, which has to run in another terminal.
"""

import asyncio
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from telnyx_native import (
    AudioConfig,
    ChannelLimitError,
    CredentialConfig,
    RequestError,
    TelnyxClient,
    TelnyxError,
    TxServerConfiguration,
    WaitTimeoutError,
)

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
NUMBERS = Path(sys.argv[2]) if len(sys.argv) > 2 else None
RESULTS = Path(sys.argv[3] if len(sys.argv) > 3 else "results.csv")
SOUND = Path(__file__).parent / "sounds" / "goodbye.flac"

AT_ONCE = 10
"""Calls at the same time."""
ATTEMPTS = 3
PAUSE = 1.0
"""Seconds before a number is tried again; minutes, for people."""
RING_TIME = 3.0
"""Seconds until nobody is at home; 30, for people."""
WORTH_A_RETRY = {
    *("USER_BUSY", "NO_ANSWER", "NO_USER_RESPONSE", "NORMAL_TEMPORARY_FAILURE", "SWITCH_CONGESTION", "CHANNEL_LIMIT")
}


@dataclass
class Result:
    """How it went with a number."""

    number: str
    outcome: str
    attempts: int
    seconds: float = 0.0
    """How long the call was up."""


async def call_once(client: TelnyxClient, number: str) -> tuple[str, float]:
    """Call, and speak to who answers; return the outcome, and how long the call was up."""
    try:
        call = await client.new_invite(number, audio=AudioConfig.telephone())
    except RequestError as error:  # the server does not even try
        return error.cause or "REFUSED", 0.0
    outcome = None
    try:
        await call.wait_active(timeout=RING_TIME)
        await call.audio.play(SOUND)
        outcome = "HEARD"
    except WaitTimeoutError:
        outcome = "NO_ANSWER"
    except ChannelLimitError:  # the account has no channel left: later, when another call has ended
        outcome = "CHANNEL_LIMIT"
    except TelnyxError:  # refused, or hung up in mid-sentence: the reason says so
        pass
    await call.end()
    reason = await call.wait_done()
    active, ended = call.timings.active, call.timings.ended
    return outcome or str(reason.cause), ended - active if active and ended else 0.0


async def reach(client: TelnyxClient, number: str) -> Result:
    """Call until it is of no more use."""
    for attempt in range(1, ATTEMPTS + 1):
        outcome, seconds = await call_once(client, number)
        if outcome not in WORTH_A_RETRY:
            break
        if attempt < ATTEMPTS:
            await asyncio.sleep(PAUSE)
    return Result(number, outcome, attempt, seconds)


def read_numbers() -> list[str]:
    if NUMBERS is None:
        return ["echo", "busy", "reject", "noanswer", "+15550000"]
    with NUMBERS.open(newline="") as file:
        return [row["number"] for row in csv.DictReader(file)]


def write_results(results: list[Result]) -> None:
    with RESULTS.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["number", "outcome", "attempts", "seconds"])
        table.writerows([r.number, r.outcome, r.attempts, f"{r.seconds:.1f}"] for r in results)


async def main() -> None:
    numbers = read_numbers()
    free = asyncio.Semaphore(AT_ONCE)
    results = []
    with Progress() as progress:
        done = progress.add_task("calling", total=len(numbers))
        async with TelnyxClient() as client:
            await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))

            async def work(number: str) -> None:
                async with free:
                    results.append(await reach(client, number))
                progress.advance(done)

            async with asyncio.TaskGroup() as tasks:
                for number in numbers:
                    tasks.create_task(work(number))
    write_results(results)
    print(f"{sum(r.outcome == 'HEARD' for r in results)} of {len(results)} were reached; see {RESULTS}")


asyncio.run(main())
