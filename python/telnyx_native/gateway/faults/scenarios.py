"""Scenarios: sequences of faults against all users, by name, until they are stopped."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from telnyx_native.errors import CallError, ConfigurationError, MediaError, TelnyxError
from telnyx_native.event_loop import cancel_all
from telnyx_native.gateway.calls.leg import LegState
from telnyx_native.gateway.faults import RegistrationFault
from telnyx_native.gateway.faults.names import conditions_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from telnyx_native.gateway.calls.leg import Leg
    from telnyx_native.gateway.faults.faults import Faults

__all__ = ["SCENARIOS", "Scenarios"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scenario:
    """A sequence of faults.

    Attributes:
        summary: What happens, in a sentence.
        run: Lets it happen until it is cancelled.
    """

    summary: str
    run: Callable[[Faults], Awaitable[None]]


class Scenarios:
    """The scenarios that run at a gateway."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._running: dict[str, asyncio.Task[None]] = {}

    @property
    def running(self) -> Sequence[str]:
        """Their names."""
        return list(self._running)

    def start(self, name: str) -> None:
        """Start a scenario; one that runs already goes on.

        Raises:
            ConfigurationError: There is none of this name.
        """
        if name not in SCENARIOS:
            raise ConfigurationError(f"there is no scenario {name!r}; there are {', '.join(SCENARIOS)}")
        if name not in self._running:
            logger.warning("scenario %s: %s", name, SCENARIOS[name].summary)
            self._running[name] = asyncio.create_task(self._run(name))

    async def stop(self, name: str) -> None:
        """End a scenario, and the faults of it that would last.

        Raises:
            ConfigurationError: It does not go on.
        """
        task = self._running.get(name)
        if task is None:
            raise ConfigurationError(f"the scenario {name!r} does not go on")
        await cancel_all([task])

    async def close(self) -> None:
        """End them all."""
        for name in self.running:
            await self.stop(name)

    async def _run(self, name: str) -> None:
        try:
            await SCENARIOS[name].run(self._faults)
        except TelnyxError:
            logger.exception("the scenario %s has ended", name)
        finally:
            del self._running[name]


# The scenarios. Each first leaves things as they should be, so that there is something to disturb.


async def _flaky_wifi(faults: Faults) -> None:
    with _bad_media(faults, "loss=0.05,burst=4,jitter=0.03,delay=0.02"):
        while True:
            await asyncio.sleep(10)
            for user in faults.users_present:
                faults.freeze(user)
            await asyncio.sleep(3)
            for user in faults.users_present:
                faults.drop(user)


async def _congested_link(faults: Faults) -> None:
    with _bad_media(faults, "loss=0.03,jitter=0.08,delay=0.15,reorder=0.02"):
        await _for_ever()


async def _server_restart(faults: Faults) -> None:
    while True:
        await asyncio.sleep(15)
        await faults.restart(2)


async def _amnesia(faults: Faults) -> None:
    while True:
        await asyncio.sleep(15)
        for leg in faults.calls:
            await faults.lose_call(leg)
        await faults.restart(1)


async def _registration_storm(faults: Faults) -> None:
    try:
        while True:
            await asyncio.sleep(10)
            for user in faults.users:
                faults.fail_registration(user, RegistrationFault.FAIL_WAIT, times=2)
            for user in faults.users_present:
                faults.drop(user)
    finally:
        _clear(faults)


async def _slow_server(faults: Faults) -> None:
    try:
        for user in faults.users:
            faults.delay(user, 0.8)
            faults.duplicate(user)
        await _for_ever()
    finally:
        _clear(faults)


async def _slow_start(faults: Faults) -> None:
    codes = cycle((503, -32603, -32098, None))  # what servers say that are not ready yet
    try:
        while True:
            await asyncio.sleep(15)
            for user, code in zip(faults.users, codes, strict=False):
                faults.fail_logins(user, code, times=3)
            await faults.restart(1)
    finally:
        _clear(faults)


async def _dead_link(faults: Faults) -> None:
    try:
        while True:
            await asyncio.sleep(15)
            for user in faults.users_present:
                faults.freeze(user)  # for good: only another socket helps
    finally:
        _clear(faults)


async def _garbage(faults: Faults) -> None:
    while True:
        await asyncio.sleep(2)
        for user in faults.users_present:
            with suppress(CallError):  # it has gone meanwhile
                await faults.send_malformed(user)


async def _expired_tokens(faults: Faults) -> None:
    while True:
        await asyncio.sleep(15)
        for user in faults.users:
            faults.expire_tokens(user)
        for user in faults.users_present:
            faults.drop(user)


async def _moving_media(faults: Faults) -> None:
    while True:
        await asyncio.sleep(8)
        for leg in _answered(faults):
            with suppress(CallError, MediaError):  # it has ended meanwhile
                await faults.move_media(leg)
        await asyncio.sleep(8)
        for leg in _answered(faults):
            with suppress(CallError):
                faults.rebind_media(leg)


async def _for_ever() -> None:
    await asyncio.Event().wait()


@contextmanager
def _bad_media(faults: Faults, conditions: str) -> Iterator[None]:
    """Impair the audio of all calls, those that begin later included."""
    users = faults.users
    for user in users:
        faults.impair_media_of(user, conditions_of(conditions))
    try:
        yield
    finally:
        for user in users:
            faults.impair_media_of(user, None)


def _answered(faults: Faults) -> list[Leg]:
    return [leg for leg in faults.calls if leg.state.value is LegState.ANSWERED]


def _clear(faults: Faults) -> None:
    for user in faults.users:
        faults.clear(user)


SCENARIOS: dict[str, Scenario] = {
    "flaky-wifi": Scenario("5 % of audio lost in bursts, 30 ms jitter, and every 13 s the socket is gone", _flaky_wifi),
    "congested-link": Scenario("audio 150 ms late, 80 ms jitter, 3 % lost, 2 % out of order", _congested_link),
    "server-restart": Scenario("every 15 s the server dies, and is back after 2 s; calls outlive it", _server_restart),
    "amnesia": Scenario("every 15 s the server dies, and has forgotten all calls when it is back", _amnesia),
    "registration-storm": Scenario(
        "every 10 s everybody is cut off, and registrations fail twice before they succeed", _registration_storm
    ),
    "slow-start": Scenario(
        "every 15 s the server dies, is back after 1 s, and answers three logins of everybody with errors", _slow_start
    ),
    "slow-server": Scenario("every message comes 0.8 s late, and twice", _slow_server),
    "dead-link": Scenario("every 15 s sockets stay open, but nothing passes any more", _dead_link),
    "garbage": Scenario("every 2 s frames come that make no sense", _garbage),
    "expired-tokens": Scenario("every 15 s all tokens expire and everybody is cut off", _expired_tokens),
    "moving-media": Scenario("every 8 s the address of the audio changes, announced and unannounced", _moving_media),
}
"""The scenarios, by name."""
