"""Faults by name, as the command line and the HTTP API know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.faults import RegistrationFault

if TYPE_CHECKING:
    from telnyx_native.gateway.faults import Faults

__all__ = ["FAULT_NAMES", "inject"]

FAULT_NAMES = (
    "drop",
    "freeze",
    "thaw",
    "malformed",
    "expire-tokens",
    "delay:SECONDS",
    "duplicate",
    "registration:FAULT",
    "registration:FAULT:TIMES",
    "clear",
)
"""How faults are written."""


async def inject(faults: Faults, user: str, name: str) -> None:
    """Inject a fault that is given by name, such as `drop`, `delay:0.5` or `registration:FAIL_WAIT:2`.

    Raises:
        ConfigurationError: The name makes no sense, or there is no such user.
        CallError: It disturbs a socket, and the user has none.
    """
    match name.split(":"):
        case ["drop"]:
            faults.drop(user)
        case ["freeze"]:
            faults.freeze(user)
        case ["thaw"]:
            faults.thaw(user)
        case ["malformed"]:
            await faults.send_malformed(user)
        case ["expire-tokens"]:
            faults.expire_tokens(user)
        case ["delay", seconds]:
            faults.delay(user, _number(seconds))
        case ["duplicate"]:
            faults.duplicate(user)
        case ["registration", fault]:
            faults.fail_registration(user, _registration_fault(fault))
        case ["registration", fault, times]:
            faults.fail_registration(user, _registration_fault(fault), times=int(_number(times)))
        case ["clear"]:
            faults.clear(user)
        case _:
            raise ConfigurationError(f"{name!r} is no fault; there are {', '.join(FAULT_NAMES)}")


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number < 1e9:
        raise ConfigurationError(f"{text!r} is not a number that makes sense here")
    return number


def _registration_fault(text: str) -> RegistrationFault:
    try:
        return RegistrationFault(text)
    except ValueError:
        known = ", ".join(RegistrationFault)
        raise ConfigurationError(f"{text!r} is no way for a registration to fail; there are {known}") from None
