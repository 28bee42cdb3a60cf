"""The event loop that something belongs to."""

from __future__ import annotations

import asyncio

__all__ = ["HomeLoop"]


class HomeLoop:
    """The event loop that something was made in, or is used in first; another one, once that is closed.

    Whoever waits in another loop would wait for ever, since asyncio's events and futures wake their own loop only.

    Args:
        what: What it is, for the error.
    """

    __slots__ = ("_loop", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def enter(self) -> None:
        """Check that the running loop is the one.

        Raises:
            RuntimeError: It is another one; or none is running.
        """
        running = asyncio.get_running_loop()
        if self._loop is running:
            return
        if self._loop is not None and not self._loop.is_closed():
            raise RuntimeError(
                f"{self._what} belongs to the event loop {self._loop!r}, and is used in {running!r}: hand the work "
                "over with asyncio.run_coroutine_threadsafe, or use telnyx_native.sync"
            )
        self._loop = running
