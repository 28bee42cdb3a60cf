"""Deadlines of many things, when all of them get the same time."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Timer"]


class Timer:
    """Deadlines of names that are all the same time ahead: what was started first is due first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadlines: OrderedDict[str, float] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        return name in self._deadlines

    @property
    def deadline(self) -> float | None:
        """When the next is due; `None` if there is none."""
        return next(iter(self._deadlines.values()), None)

    def start(self, name: str, now: float) -> None:
        """Start anew."""
        self._deadlines[name] = now + self._seconds
        self._deadlines.move_to_end(name)

    def stop(self, name: str) -> None:
        """Forget a deadline, if there is one."""
        self._deadlines.pop(name, None)

    def due(self, now: float) -> Iterator[str]:
        """The names whose time has come; they are stopped."""
        while (deadline := self.deadline) is not None and deadline <= now:
            yield self._deadlines.popitem(last=False)[0]
