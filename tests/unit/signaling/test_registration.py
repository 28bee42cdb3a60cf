from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from telnyx_native.errors import GatewayRegistrationError, RequestTimeoutError, SocketConnectionError
from telnyx_native.events import ClientReadyResponse, GatewayStateResponse
from telnyx_native.signaling.registration import Registration
from telnyx_native.states import GatewayState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

READY = ClientReadyResponse()


class Gateway:
    """Answers with one state after the other; the last one stays."""

    def __init__(self, *states: GatewayState | Exception) -> None:
        self.states = list(states)
        self.asked = 0

    async def ask(self) -> GatewayStateResponse:
        self.asked += 1
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return GatewayStateResponse(state)


def attempt(ask: Callable[[], Awaitable[GatewayStateResponse]], ready_timeout: float = 0.02) -> Registration:
    return Registration(ask, ready_timeout=ready_timeout, interval=0.02, polls=3)


@pytest.mark.parametrize(
    "before",
    [
        [],
        [GatewayState.TRYING],
        [GatewayState.UNREGED, GatewayState.REGISTER],
        [GatewayState.UNKNOWN, RequestTimeoutError("late")],
    ],
)
async def test_polls_until_registered(before: list[GatewayState | Exception]) -> None:
    gateway = Gateway(*before, GatewayState.REGED)
    registration = attempt(gateway.ask)
    registration.hear(READY)
    assert (await registration.complete()).state is GatewayState.REGED
    assert gateway.asked == len(before) + 1


async def test_gives_up_after_its_polls() -> None:
    gateway = Gateway(GatewayState.TRYING)
    registration = attempt(gateway.ask)
    registration.hear(READY)
    with pytest.raises(GatewayRegistrationError, match="timed out") as caught:
        await registration.complete()
    assert caught.value.code == -32003
    assert gateway.asked == 3


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (GatewayState.NOREG, -32003),
        (GatewayState.EXPIRED, -32003),
        (GatewayState.FAILED, -32004),
        (GatewayState.FAIL_WAIT, -32004),
        (GatewayState.DOWN, -32004),
        (GatewayState.TIMEOUT, -32004),
    ],
)
async def test_final_states_end_it_at_once(state: GatewayState, code: int) -> None:
    gateway = Gateway(state)
    registration = attempt(gateway.ask)
    registration.hear(READY)
    with pytest.raises(GatewayRegistrationError, match=state.value) as caught:
        await registration.complete()
    assert caught.value.code == code
    assert gateway.asked == 1


async def test_pushed_state_needs_no_poll() -> None:
    gateway = Gateway(GatewayState.TRYING)
    registration = attempt(gateway.ask)
    registration.hear(GatewayStateResponse(GatewayState.REGED))
    await registration.complete()
    assert gateway.asked == 0


async def test_state_pushed_between_polls_counts() -> None:
    gateway = Gateway(GatewayState.TRYING)
    registration = Registration(gateway.ask, ready_timeout=1, interval=1, polls=3)
    registration.hear(READY)
    registration.hear(GatewayStateResponse(GatewayState.TRYING))
    registration.hear(GatewayStateResponse(GatewayState.REGED))
    async with asyncio.timeout(0.5):
        await registration.complete()
    assert gateway.asked == 1


async def test_pushed_failure_counts() -> None:
    registration = Registration(Gateway(GatewayState.TRYING).ask, ready_timeout=1, interval=1, polls=3)
    registration.hear(READY)
    registration.hear(GatewayStateResponse(GatewayState.FAILED))
    with pytest.raises(GatewayRegistrationError):
        await registration.complete()


async def test_server_that_is_never_ready() -> None:
    with pytest.raises(GatewayRegistrationError, match="never said"):
        await attempt(Gateway(GatewayState.REGED).ask).complete()


async def test_lost_connection_ends_it() -> None:
    registration = attempt(Gateway(GatewayState.TRYING).ask, ready_timeout=1)
    registration.hear(SocketConnectionError("lost"))
    with pytest.raises(SocketConnectionError):
        await registration.complete()
