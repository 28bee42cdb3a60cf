"""Cancel a coroutine at a chosen one of its await points."""

from __future__ import annotations

import asyncio
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator


class CancelAt:
    """Runs a coroutine in the current task, which is cancelled when the coroutine waits for the `point`-th time.

    Attributes:
        reached: Whether it came that far; a coroutine waits less often when there is less to wait for.
    """

    def __init__(self, point: int) -> None:
        self._point = point
        self.reached = False

    async def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return await self._drive(coroutine)

    @types.coroutine
    def _drive(self, coroutine: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        outcome: Any = None
        error: BaseException | None = None
        waits = 0
        while True:
            try:
                waited = coroutine.throw(error) if error else coroutine.send(outcome)
            except StopIteration as stop:
                return stop.value
            if waits == self._point:
                self.reached = True
                asyncio.get_running_loop().call_soon(task.cancel)
            waits += 1
            error = None
            try:
                outcome = yield waited
            except BaseException as thrown:  # noqa: BLE001 - it is the coroutine's, and thrown there
                error = thrown
