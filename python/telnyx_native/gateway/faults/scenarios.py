"""Bad days by name: faults that follow one another, against everybody who is there, until they are called off."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Protocol

from telnyx_native.errors import CallError, ConfigurationError, MediaError, TelnyxError
from telnyx_native.gateway.calls.leg import LegState
from telnyx_native.gateway.faults.faults import FaultHost, Faults, RegistrationFault
from telnyx_native.gateway.faults.names import conditions_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from telnyx_native.gateway.calls.leg import Leg

__all__ = ["SCENARIOS", "Scenario", "ScenarioHost", "Scenarios"]

logger = logging.getLogger(__name__)


class ScenarioHost(FaultHost, Protocol):
    """What scenarios need of the gateway."""

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""


@dataclass(frozen=True)
class Scenario:
    """A bad day.

    Attributes:
        summary: What happens, in a sentence.
        run: Lets it happen until it is cancelled.
    """

    summary: str
    run: Callable[[ScenarioHost], Awaitable[None]]


class Scenarios:
    """The scenarios that go on at a gateway.

    Args:
        host: The gateway.
    """

    def __init__(self, host: ScenarioHost) -> None:
        self._host = host
        self._running: dict[str, asyncio.Task[None]] = {}

    @property
    def running(self) -> Sequence[str]:
        """Their names."""
        return list(self._running)

    def start(self, name: str) -> None:
        """Begin a scenario; one that goes on already goes on.

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
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """End them all."""
        for name in self.running:
            await self.stop(name)

    async def _run(self, name: str) -> None:
        try:
            await SCENARIOS[name].run(self._host)
        except TelnyxError:
            logger.exception("the scenario %s has ended", name)
        finally:
            del self._running[name]


# What happens in them. Each first lets things be as they should, so that there is something to disturb.


async def _flaky_wifi(host: ScenarioHost) -> None:
    with _bad_media(host, "loss=0.05,burst=4,jitter=0.03,delay=0.02"):
        while True:
            await asyncio.sleep(10)
            for user in _present(host):
                host.faults.freeze(user)
            await asyncio.sleep(3)
            for user in _present(host):
                host.faults.drop(user)


async def _congested_link(host: ScenarioHost) -> None:
    with _bad_media(host, "loss=0.03,jitter=0.08,delay=0.15,reorder=0.02"):
        await _for_ever()


async def _server_restart(host: ScenarioHost) -> None:
    while True:
        await asyncio.sleep(15)
        await host.faults.restart(2)


async def _amnesia(host: ScenarioHost) -> None:
    while True:
        await asyncio.sleep(15)
        for leg in host.calls:
            await host.faults.lose_call(leg)
        await host.faults.restart(1)


async def _registration_storm(host: ScenarioHost) -> None:
    try:
        while True:
            await asyncio.sleep(10)
            for user in (user.name for user in host.directory):
                host.faults.fail_registration(user, RegistrationFault.FAIL_WAIT, times=2)
            for user in _present(host):
                host.faults.drop(user)
    finally:
        _clear(host)


async def _slow_server(host: ScenarioHost) -> None:
    try:
        for user in (user.name for user in host.directory):
            host.faults.delay(user, 0.8)
            host.faults.duplicate(user)
        await _for_ever()
    finally:
        _clear(host)


async def _slow_start(host: ScenarioHost) -> None:
    codes = cycle((503, -32603, -32098, None))  # what servers say that are not ready yet
    try:
        while True:
            await asyncio.sleep(15)
            for user, code in zip((user.name for user in host.directory), codes, strict=False):
                host.faults.fail_logins(user, code, times=3)
            await host.faults.restart(1)
    finally:
        _clear(host)


async def _dead_link(host: ScenarioHost) -> None:
    try:
        while True:
            await asyncio.sleep(15)
            for user in _present(host):
                host.faults.freeze(user)  # for good: only another socket helps
    finally:
        _clear(host)


async def _garbage(host: ScenarioHost) -> None:
    while True:
        await asyncio.sleep(2)
        for user in _present(host):
            with suppress(CallError):  # it has gone meanwhile
                await host.faults.send_malformed(user)


async def _expired_tokens(host: ScenarioHost) -> None:
    while True:
        await asyncio.sleep(15)
        for user in (user.name for user in host.directory):
            host.faults.expire_tokens(user)
        for user in _present(host):
            host.faults.drop(user)


async def _moving_media(host: ScenarioHost) -> None:
    while True:
        await asyncio.sleep(8)
        for leg in _answered(host):
            with suppress(CallError, MediaError):  # it has ended meanwhile
                await host.faults.move_media(leg)
        await asyncio.sleep(8)
        for leg in _answered(host):
            with suppress(CallError):
                host.faults.rebind_media(leg)


async def _for_ever() -> None:
    await asyncio.Event().wait()


def _present(host: ScenarioHost) -> list[str]:
    """The users who are logged in; guests of assistants cannot be disturbed by name."""
    known = {user.name for user in host.directory}
    return sorted({session.user_name for session in host.sessions} & known)


@contextmanager
def _bad_media(host: ScenarioHost, conditions: str) -> Iterator[None]:
    """Let audio of all calls have a hard time, those that begin later included."""
    users = [user.name for user in host.directory]
    for user in users:
        host.faults.impair_media_of(user, conditions_of(conditions))
    try:
        yield
    finally:
        for user in users:
            host.faults.impair_media_of(user, None)


def _answered(host: ScenarioHost) -> list[Leg]:
    return [leg for leg in host.calls if leg.state.value is LegState.ANSWERED]


def _clear(host: ScenarioHost) -> None:
    for user in host.directory:
        host.faults.clear(user.name)


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
