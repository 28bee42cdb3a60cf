"""Faults by name, as the command line and the HTTP API know them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.faults import RegistrationFault

if TYPE_CHECKING:
    from telnyx_native.gateway.calls.leg import Leg
    from telnyx_native.gateway.faults.faults import Faults
    from telnyx_native.media.simulated_network import NetworkConditions

__all__ = [
    "CALL_FAULTS",
    "USER_FAULTS",
    "conditions_of",
    "inject",
    "inject_into_call",
    "inject_into_server",
]

USER_FAULTS = (
    "drop",
    "freeze",
    "thaw",
    "malformed",
    "expire-tokens",
    "delay:SECONDS",
    "duplicate",
    "registration:FAULT",
    "registration:FAULT:TIMES",
    "push-registration:STATE",
    "login-error:CODE",
    "login-error:CODE:TIMES",
    "late-description",
    "channel-limit:CALLS",
    "media:NAME=VALUE,...",
    "clear",
)
"""How the faults of a user are written. CODE is a number, or `none` for an error without one. What can happen to audio
packets: `NetworkConditions`, as in `media:loss=0.05,jitter=0.03`."""

CALL_FAULTS = (
    "media:NAME=VALUE,...",
    "move-media",
    "move-media:twice",
    "move-media:unusable",
    "rebind-media",
    "repeat-tools",
    "lose",
    "clear",
)
"""How the faults of a call are written."""

SERVER_FAULTS = ("restart", "restart:SECONDS")
"""How the faults of the whole gateway are written."""


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
        case ["push-registration", state] if state:
            await faults.push_registration(user, state)
        case ["login-error", code]:
            faults.fail_logins(user, _code(code))
        case ["login-error", code, times]:
            faults.fail_logins(user, _code(code), times=int(_number(times)))
        case ["late-description"]:
            faults.delay_descriptions(user)
        case ["channel-limit", calls]:
            faults.limit_channels(user, int(_number(calls)))
        case ["media", conditions]:
            faults.impair_media_of(user, conditions_of(conditions))
        case ["clear"]:
            faults.clear(user)
        case _:
            raise _no_fault(name, USER_FAULTS)


async def inject_into_call(faults: Faults, leg: Leg, name: str) -> None:
    """Inject a fault into a call that is given by name, such as `media:loss=0.1` or `move-media`.

    Raises:
        ConfigurationError: The name makes no sense.
        CallError: The call is not as far as that.
        MediaError: The audio cannot be moved.
    """
    match name.split(":"):
        case ["media", text]:
            conditions = conditions_of(text)
            faults.impair_media(leg, to_client=conditions, from_client=conditions)
        case ["move-media"]:
            await faults.move_media(leg)
        case ["move-media", "twice"]:
            await faults.repeat_attach(leg)
        case ["move-media", "unusable"]:
            await faults.send_unusable_attach(leg)
        case ["repeat-tools"]:
            faults.repeat_tools(leg)
        case ["rebind-media"]:
            faults.rebind_media(leg)
        case ["lose"]:
            await faults.lose_call(leg)
        case ["clear"]:
            faults.impair_media(leg)
        case _:
            raise _no_fault(name, CALL_FAULTS)


def inject_into_server(faults: Faults, name: str) -> None:
    """Inject a fault of the whole gateway that is given by name, such as `restart:2`; it comes about soon.

    Raises:
        ConfigurationError: The name makes no sense.
    """
    match name.split(":"):
        case ["restart"]:
            faults.restart_soon()
        case ["restart", seconds]:
            faults.restart_soon(_number(seconds))
        case _:
            raise _no_fault(name, SERVER_FAULTS)


def _no_fault(name: str, known: tuple[str, ...]) -> ConfigurationError:
    return ConfigurationError(f"{name!r} is no fault; there are {', '.join(known)}")


def conditions_of(text: str) -> NetworkConditions:
    """Read what happens to audio packets: `loss=0.05,jitter=0.03`. Delays are in seconds, the rest are shares.

    Raises:
        ConfigurationError: It makes no sense.
    """
    from telnyx_native.media.simulated_network import NetworkConditions  # loads libwebrtc: not before it is wanted

    pairs = dict(part.partition("=")[::2] for part in text.split(","))
    known = [entry.name for entry in fields(NetworkConditions)]
    unknown = sorted(pairs.keys() - set(known))
    if unknown:
        raise ConfigurationError(f"{', '.join(map(repr, unknown))}: audio can have {', '.join(known)}")
    values: dict[str, Any] = {name: _number(value) for name, value in pairs.items()}
    if "rate" in values:
        values["rate"] = round(values["rate"])
    return NetworkConditions(**values)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number < 1e9:
        raise ConfigurationError(f"{text!r} is not a number that makes sense here")
    return number


def _code(text: str) -> int | None:
    if text == "none":
        return None
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no code of an error: write a number, or none") from None


def _registration_fault(text: str) -> RegistrationFault:
    try:
        return RegistrationFault(text)
    except ValueError:
        known = ", ".join(RegistrationFault)
        raise ConfigurationError(f"{text!r} is no way for a registration to fail; there are {known}") from None
