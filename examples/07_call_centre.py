"""A bot for a call centre: fifty calls at once, the next one is told that it is busy, and SIGTERM cuts nobody off.

Start `telnyx-native gateway` in another terminal and run this; then call `alice` from the gateway's console, or many
times with `telnyx-native call`. End it with Ctrl-C or SIGTERM: it takes no more calls and waits for those that are
going on.

    python 07_call_centre.py [SERVER [CALLS]]
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from telnyx_native import (
    AudioConfig,
    Call,
    CredentialConfig,
    Limits,
    LogContextFilter,
    TelnyxClient,
    TelnyxError,
    TxServerConfiguration,
)

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
SOUNDS = Path(__file__).parent / "sounds"
MOST_CALLS = int(sys.argv[2]) if len(sys.argv) > 2 else 50
PATIENCE = 20.0
"""Seconds that calls have to end after SIGTERM; less than whoever sends it waits before it kills."""

log = logging.getLogger("bot")


async def serve(call: Call) -> None:
    """Say the menu, until the caller hangs up or presses #."""
    with call.log_scope():  # every record in here names the call
        try:
            await call.accept(audio=AudioConfig.telephone())
            await call.wait_active(timeout=10)
            log.info("%s is here", call.caller_number)
            call.audio.play(SOUNDS / "menu.flac")
            keys = call.dtmf_flow.collect()
            async for pressed in keys:
                if pressed.key == "#":
                    break
            await call.end()
        except TelnyxError as error:
            log.warning("the call went wrong: %s", error)
        log.info("%s is gone: %s", call.caller_number, call.termination_reason)


async def answer(client: TelnyxClient, calls: asyncio.TaskGroup) -> None:
    async for call in client.incoming_calls:
        calls.create_task(serve(call))


async def main() -> None:
    told_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    limits = Limits(max_concurrent_calls=MOST_CALLS)
    async with TelnyxClient(limits=limits) as client, asyncio.TaskGroup() as calls:
        answering = calls.create_task(answer(client, calls))
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        log.info("ready for %d calls", MOST_CALLS)
        await told_to_end.wait()
        log.info("no more calls; %d to go", len(client.calls))
        cut_off = await client.drain(PATIENCE)
        answering.cancel()
    log.info("done: %d calls were refused, %d cut off", client.refused_calls, cut_off)


handler = logging.StreamHandler(sys.stdout)
handler.addFilter(LogContextFilter())
handler.setFormatter(logging.Formatter("%(asctime)s [%(call_id)s] %(message)s"))
logging.basicConfig(level=logging.INFO, handlers=[handler])
asyncio.run(main())
