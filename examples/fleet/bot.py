"""A bot for a fleet: it says back what it hears, and counts how often a call was served."""

from telnyx_native import AudioConfig, Call
from telnyx_native.worker import Job


async def serve(call: Call) -> None:
    """Serve an inbound call, or go on with one of a process that was killed."""
    if not call.resumed:
        await call.accept(audio=AudioConfig.telephone())
    await call.wait_active()
    served = call.application_state
    call.application_state = (served if isinstance(served, int) else 0) + 1
    call.echo()
    await call.wait_done()


async def place(job: Job) -> str:
    """Call somebody, and hang up when they answer."""
    call = await job.dial()
    await call.wait_active()
    await call.end()
    return "answered"
