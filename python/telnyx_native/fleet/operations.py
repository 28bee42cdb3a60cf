"""What an operator does with a fleet: bring it up, look at it, change it, bring it down."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from telnyx_native.event_loop import run_blocking
from telnyx_native.fleet import actors
from telnyx_native.fleet.cluster import connected, start_local, stop_local
from telnyx_native.fleet.control import FleetControl
from telnyx_native.fleet.memory import FleetMemory

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from telnyx_native.fleet.settings import FleetSettings
    from telnyx_native.snapshot import JSONValue
    from telnyx_native.worker import JobResult

__all__ = ["LOOK_EVERY", "Fleet"]

LOOK_EVERY = 0.5
"""Seconds between two looks at a status that is followed."""


class Fleet:
    """A fleet that is up, as an async context manager. One program is connected with one fleet at a time.

    ```python
    async with Fleet(FleetSettings.load("fleet.toml")) as fleet:
        print(await fleet.status())
    ```

    Args:
        settings: What the fleet was told.
    """

    def __init__(self, settings: FleetSettings) -> None:
        self.settings = settings
        self._connection = connected(settings.cluster)
        self._handle: Any = None  # that of the control, once it was looked up

    async def __aenter__(self) -> Self:
        await run_blocking(self._connection.__enter__)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.__exit__(kind, error, trace)

    @classmethod
    async def up(cls, settings: FleetSettings, tell: Callable[[str], object] = lambda _: None) -> dict[str, Any]:
        """Bring a fleet up, or find it up; return its status, once all of its workers serve or have given up.

        Args:
            settings: What it is told. One that is up keeps what it was told.
            tell: Told of the progress.

        Raises:
            ConfigurationError: Something in the settings cannot be; the message says what.
        """
        if settings.cluster.is_local:
            tell("starting a local Ray cluster")
            await start_local(settings)
        async with cls(settings) as fleet:
            tell("starting the control")
            memory = actors.create(FleetMemory, actors.MEMORY)
            fleet._handle = actors.create(
                FleetControl, actors.CONTROL, settings, memory, scheduling_strategy=actors.here()
            )
            await fleet._handle.ready.remote()
            while True:
                status = await fleet.status()
                serving = sum(worker["ready"] for worker in status["workers"])
                stopped = sum(worker["stopped"] for worker in status["workers"])
                tell(f"{serving} of {status['wanted']} workers serve")
                if serving + stopped >= status["wanted"]:
                    return status
                await asyncio.sleep(LOOK_EVERY)

    async def status(self) -> dict[str, Any]:
        """All there is to see, as JSON has it."""
        status: dict[str, Any] = await self._control().status.remote()
        return status

    async def scale(self, count: int) -> None:
        """Have that many workers.

        Raises:
            ConfigurationError: There are not so many logins.
        """
        await self._control().scale.remote(count)

    async def drain(self, name: str) -> list[str]:
        """Drain a worker, or all workers of a node; return their names.

        Raises:
            ConfigurationError: There is no such worker or node.
        """
        names: list[str] = await self._control().drain.remote(name)
        return names

    async def roll(self, *, hand_over: bool = False) -> list[str]:
        """Replace all workers by new processes, without cutting a call; see `FleetControl.roll`."""
        names: list[str] = await self._control().roll.remote(hand_over=hand_over)
        return names

    async def place(self, job_id: str, destination: str, data: JSONValue = None) -> JobResult:
        """Have a job done by a worker; it waits for a slot.

        Raises:
            CallLimitError: The queue is full, or it waited too long.
        """
        result: JobResult = await self._control().place.remote(job_id, destination, data)
        return result

    async def down(self) -> None:
        """Drain all workers, and end the fleet; a local cluster ends with it."""
        with suppress(Exception):
            await self._control().down.remote()
        for name in (actors.CONTROL, actors.MEMORY):
            with suppress(Exception):
                actors.ray().kill(actors.actor(name), no_restart=True)

    async def stop_cluster(self) -> None:
        """End the cluster, if it is one of this machine; this must be disconnected."""
        if self.settings.cluster.is_local:
            await stop_local(self.settings.cluster)

    def _control(self) -> Any:
        if self._handle is None:
            self._handle = actors.actor(actors.CONTROL)
        return self._handle
