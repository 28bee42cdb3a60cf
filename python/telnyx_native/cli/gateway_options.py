"""What the command line says about a gateway's users and routes, on top of its file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telnyx_native.gateway import Brain, GatewayConfig, User

__all__ = ["Options", "parse_user"]


@dataclass(frozen=True)
class Options:
    """The options, as they were written; `None` and empty lists were not given."""

    users: Sequence[str] = field(default=(), repr=False)
    tokens: Sequence[str] = field(default=(), repr=False)
    numbers: Sequence[str] = ()
    groups: Sequence[str] = ()
    assistants: Sequence[str] = ()
    sounds: Path | None = None
    ring: str | None = None
    origins: Sequence[str] = ()
    names: Sequence[str] = ()
    host: str | None = None
    port: int | None = None

    def applied_to(self, config: GatewayConfig) -> GatewayConfig:
        """Return settings with these on top: users and routes are added, the others replaced.

        Raises:
            ConfigurationError: An option is not written as it should be; the message begins with it.
        """
        plan = replace(
            config.plan,
            numbers={
                **config.plan.numbers,
                **dict(_pair("--number", text, "+15550199=sales") for text in self.numbers),
            },
            groups={**config.plan.groups, **dict(_group(text) for text in self.groups)},
            sounds=self.sounds or config.plan.sounds,
            ring=self.ring or config.plan.ring,  # type: ignore[arg-type]  # the plan checks it
        )
        return replace(
            config,
            plan=plan,
            users=_with_tokens([*config.users, *(parse_user(text) for text in self.users)], self.tokens),
            assistants=self._assistants() or config.assistants,
            origins=(*config.origins, *self.origins),
            names=(*config.names, *self.names),
            host=self.host or config.host,
            port=config.port if self.port is None else self.port,
        )

    def _assistants(self) -> Mapping[str, Brain]:
        from telnyx_native.gateway.destinations.assistant import SCRIPT, load_brain

        brains = {}
        for text in self.assistants:
            name, _, address = text.partition("=")
            try:
                brains[name] = load_brain(address or SCRIPT, Path.cwd())
            except ConfigurationError as error:
                raise ConfigurationError(f"--assistant {name}: {error}") from None
        return brains


def parse_user(text: str) -> User:
    """Read `name:password[:number]`.

    Raises:
        ConfigurationError: It is not that.
    """
    from telnyx_native.gateway import User

    name, _, rest = text.partition(":")
    password, _, number = rest.partition(":")
    if not name or not password:
        raise ConfigurationError("--user needs NAME:PASSWORD or NAME:PASSWORD:NUMBER, such as alice:secret:+15550100")
    return User(name, password, number or None)


def _with_tokens(users: Sequence[User], texts: Sequence[str]) -> Sequence[User]:
    tokens = dict(_pair("--token", text, "alice:TOKEN", sign=":") for text in texts)
    for name in tokens.keys() - {user.name for user in users}:
        raise ConfigurationError(f"--token: there is no user {name!r}; name one with --user")
    return [replace(user, token=tokens.get(user.name, user.token)) for user in users]


def _group(text: str) -> tuple[str, Sequence[str]]:
    name, members = _pair("--group", text, "sales=alice,bob")
    return name, tuple(member.strip() for member in members.split(","))


def _pair(option: str, text: str, example: str, *, sign: str = "=") -> tuple[str, str]:
    name, _, value = text.partition(sign)
    if not name or not value:
        raise ConfigurationError(f"{option} is written like this: {option} {example}")
    return name, value
