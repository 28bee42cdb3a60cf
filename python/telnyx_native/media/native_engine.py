"""The native engine of one event loop: what peers and conferences share, and the operations that run on it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from telnyx_native import _webrtc
from telnyx_native.errors import EngineClosedError, MediaError

if TYPE_CHECKING:
    from telnyx_native.media.stream import AudioStream

__all__ = ["NativeEngine"]

MAX_POOL_THREADS = 4
"""Threads for the encoders of all calls; one a core up to this many."""


class NativeEngine:
    """Threads, codecs and clock in C++. Each operation has a number, and a future that its answer settles.

    Args:
        event_fd: What becomes readable when there is mail.

    Attributes:
        native: The engine in C++.
        closed: Whether it takes no more operations.
        max_members: Peers that a conference holds, beside the application; the mix is exact up to that many.

    Raises:
        MediaError: The process may not have the threads that it takes.
    """

    max_members = _webrtc.MAX_CONFERENCE_SEATS - 1

    def __init__(self, event_fd: int) -> None:
        try:
            self.native = _webrtc.Engine(min(os.cpu_count() or 1, MAX_POOL_THREADS), event_fd)
        except RuntimeError as error:
            raise MediaError(f"the media engine cannot begin: {error}") from None
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._operations: dict[int, asyncio.Future[str]] = {}
        self._last_operation = 0

    def require_open(self) -> None:
        """Raise `EngineClosedError` if the engine was released: nothing would answer."""
        if self.closed:
            raise EngineClosedError("the media engine is closed: acquire it again")

    def operation(self) -> tuple[int, asyncio.Future[str]]:
        """Number an operation, and make the future that its answer will settle.

        Raises:
            EngineClosedError: The engine was released.
        """
        self.require_open()
        self._last_operation += 1
        future = self._operations[self._last_operation] = self._loop.create_future()
        return self._last_operation, future

    def settle(self, operation: int, kind: str, text: str) -> None:
        """Take the answer to an operation."""
        future = self._operations.pop(operation, None)
        if future is not None and not future.done():
            if kind == "failed":
                _fail(future, MediaError(text))
            else:
                future.set_result(text)

    def fail_all(self) -> None:
        """Fail the operations that have no answer: the engine has closed."""
        for future in self._operations.values():
            if not future.done():
                _fail(future, EngineClosedError("the media engine was closed"))
        self._operations.clear()

    def open_conference(self, audio: AudioStream | None = None) -> _webrtc.Conference:
        """Open the native half of a join, in which `audio` takes part.

        Raises:
            EngineClosedError: The engine was released.
        """
        self.require_open()
        return self.native.create_conference(None if audio is None else audio._native_port())  # noqa: SLF001 - an engine drives its streams


def _fail(future: asyncio.Future[str], error: MediaError) -> None:
    future.set_exception(error)
    future.exception()  # whoever waited for it may be gone
