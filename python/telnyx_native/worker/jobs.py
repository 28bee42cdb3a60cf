"""Outbound jobs: whom a worker is to call, and what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import CallError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from telnyx_native.call import Call
    from telnyx_native.snapshot import JSONValue

__all__ = ["Job", "JobResult"]


class Job:
    """Somebody to call. It has a slot of its worker until it is done.

    Args:
        id: Tells it from others.
        destination: Whom to call.
        data: What the bot has to know.
        new_invite: Places a call, as `TelnyxClient.new_invite` does.
        on_dialled: Called when there is a call.

    Attributes:
        id: Tells it from others.
        destination: Whom to call.
        data: What the bot has to know; any JSON.
        call: Its call, once it was dialled.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - what it is called everywhere
        destination: str,
        data: JSONValue,
        new_invite: Callable[..., Awaitable[Call]],
        on_dialled: Callable[[], object],
    ) -> None:
        self.id = id
        self.destination = destination
        self.data = data
        self.call: Call | None = None
        self._new_invite = new_invite
        self._on_dialled = on_dialled
        self._dialled = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Job {self.id}>"

    async def dial(self, **options: Any) -> Call:
        """Call the destination; see `TelnyxClient.new_invite` for the options and errors. Once a job.

        Raises:
            CallError: It was dialled before.
        """
        if self.call is not None:
            raise CallError(f"job {self.id} has a call already; a second try is another job")
        self.call = await self._new_invite(self.destination, **options)
        self._dialled.set()
        self._on_dialled()
        return self.call

    async def dialled(self) -> Call:
        """Return its call, as soon as there is one."""
        await self._dialled.wait()
        assert self.call is not None  # noqa: S101 - that is what was waited for
        return self.call


@dataclass(frozen=True)
class JobResult:
    """What came of a job.

    Attributes:
        id: The job.
        cause: Why its call ended, such as `"NORMAL_CLEARING"` or `"USER_BUSY"`; `None` if there was no call.
        output: What the bot returned.
        error: What went wrong in the bot, if something did.
    """

    id: str
    cause: str | None = None
    output: JSONValue = field(default=None, repr=False)
    error: str | None = None
