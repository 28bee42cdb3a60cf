"""Bots for workers under test, which a command can load, too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native import CallError

if TYPE_CHECKING:
    from telnyx_native import Call
    from telnyx_native.snapshot import JSONValue
    from telnyx_native.worker import Job


async def echo(call: Call) -> None:
    """Accept, and send back what is said; count how often it was served, in this process and those before."""
    if not call.resumed:
        await call.accept()
    await call.wait_active(30)
    times = call.application_state
    call.application_state = (times if isinstance(times, int) else 0) + 1
    call.echo()
    await call.wait_done()


async def fail(call: Call) -> None:
    """Accept, and break."""
    await call.accept()
    raise ZeroDivisionError("a bug in the bot")


async def refuse(call: Call) -> None:
    """Do not want it."""
    await call.reject()


async def dial(job: Job) -> JSONValue:
    """Call, wait until somebody answers, hang up, and tell what the job said."""
    call = await job.dial()
    await call.wait_active(30)
    await call.end()
    return {"said": job.data}


async def dial_somebody_who_is_busy(job: Job) -> JSONValue:
    """Be told that nobody answers."""
    call = await job.dial()
    try:
        await call.wait_active(30)
    except CallError:
        return "not reached"
    return "reached"


async def wait(_: Job) -> JSONValue:
    """Occupy a slot until cancelled."""
    await asyncio.Event().wait()
    return None
