"""A connection that is open but dead: noticed by its silence, and by a question that nobody answers.

The rules are those of the Telnyx JS SDK (`SignalingHealthMonitor`). TCP alone would need a quarter of an hour.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from telnyx_native.errors import RequestError, RequestTimeoutError, SocketConnectionError
from telnyx_native.signaling.messages import Ping

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.config import Timeouts
    from telnyx_native.signaling.socket import TxSocket

__all__ = ["HealthMonitor"]


class HealthMonitor:
    """Asks a silent server for a sign of life, and tells if there is none.

    Args:
        socket: The connection; the server knows already who is logged in, others must not ask.
        timeouts: How long a silence may be, and how long the answer may take.
        on_dead: Called once, when there is no sign of life.
    """

    def __init__(self, socket: TxSocket, timeouts: Timeouts, on_dead: Callable[[SocketConnectionError], None]) -> None:
        self._socket = socket
        self._timeouts = timeouts
        self._on_dead = on_dead
        self._doubt = asyncio.Event()

    def probe(self) -> None:
        """Ask now: something happened that a dead connection would explain."""
        self._doubt.set()

    async def run(self) -> None:
        """Watch until the connection ends or is dead."""
        try:
            while True:
                await self._silence()
                self._doubt.clear()
                await self._ask()
        except RequestTimeoutError:
            message = f"the server is silent, and gave no sign of life within {self._timeouts.probe:g} s"
            self._on_dead(SocketConnectionError(message))
        except SocketConnectionError:
            return  # it has ended

    async def _silence(self) -> None:
        """Return when the server has been silent for too long, or there is a doubt."""
        while (left := self._quiet_until() - monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._doubt.wait()
            except TimeoutError:
                continue
            return

    def _quiet_until(self) -> float:
        heard, answered = self._socket.heard_at, self._socket.answered_at
        return min(heard + self._timeouts.silence, answered + self._timeouts.unanswered)

    async def _ask(self) -> None:
        try:
            await self._socket.request(Ping(), timeout=self._timeouts.probe)
        except RequestError:
            return  # a refusal is a sign of life, too
