"""What outlives the other actors of a fleet: snapshots of sessions, and calls that wait."""

from __future__ import annotations

from typing import Any

from telnyx_native.snapshot import SessionSnapshot

__all__ = ["FleetMemory", "MemoryStore"]

LARGEST = 64 << 20
"""Bytes of one thing that is kept."""

MOST = 10_000
"""Things that are kept."""


class FleetMemory:
    """An actor that keeps texts by name, and does nothing else that could go wrong. If it is lost, all save again."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self.refused = 0

    async def save(self, name: str, text: str) -> bool:
        """Keep a text; return whether there was room."""
        if len(text) > LARGEST or (name not in self._texts and len(self._texts) >= MOST):
            self.refused += 1
            return False
        self._texts[name] = text
        return True

    async def load(self, name: str) -> str | None:
        """Return a text; `None` without one."""
        return self._texts.get(name)

    async def clear(self, name: str) -> None:
        """Forget a text."""
        self._texts.pop(name, None)


class MemoryStore:
    """The snapshots of one worker, in the memory of its fleet.

    Args:
        name: The worker.
        memory: The actor.
    """

    def __init__(self, name: str, memory: Any) -> None:
        self._name = f"snapshot {name}"
        self._memory = memory

    async def load(self) -> SessionSnapshot | None:
        """Return the latest snapshot; `None` without one."""
        text = await self._memory.load.remote(self._name)
        return None if text is None else SessionSnapshot.from_json(text)

    async def save(self, snapshot: SessionSnapshot) -> None:
        """Replace the latest snapshot."""
        await self._memory.save.remote(self._name, snapshot.to_json())

    async def clear(self) -> None:
        """Have no snapshot any more."""
        await self._memory.clear.remote(self._name)
