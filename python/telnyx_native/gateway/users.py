"""Who may log in to the gateway, and under which numbers they are reached."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.addresses import address_of
from telnyx_native.gateway.comparison import digest, same_secret
from telnyx_native.gateway.tokens import TokenMint
from telnyx_native.redaction import keep_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Directory", "User", "new_guest"]


@dataclass(frozen=True)
class User:
    """Someone who may log in.

    Attributes:
        name: The name to log in with; calls to it reach the user.
        password: The password; never logged.
        number: A telephone number that reaches the user too, such as `"+15550100"`.
        caller_id_name: The name that others see when the user's client gives none; `name` by default.
        caller_id_number: The number that others see when the user's client gives none; `number` by default.
        token: A login token that is good for ever; never logged. `Gateway.mint_token` makes some that expire.
    """

    name: str
    password: str = field(repr=False)
    number: str | None = None
    token: str | None = field(default=None, repr=False)
    caller_id_name: str = ""
    caller_id_number: str = ""

    def __post_init__(self) -> None:
        if not self.name or not self.password:
            raise ConfigurationError("a user needs a name and a password")
        keep_secret(self, "password", *(("token",) if self.token else ()))

    @property
    def caller_name(self) -> str:
        """The name that the called side sees when the user's client gives none."""
        return self.caller_id_name or self.name

    @property
    def caller_number(self) -> str:
        """The number that the called side sees when the user's client gives none."""
        return self.caller_id_number or self.number or self.name


def new_guest() -> User:
    """Somebody without an account: nobody else can log in as this user, or call it."""
    return User(f"guest-{secrets.token_hex(4)}", secrets.token_urlsafe(16))


class Directory:
    """The users of a gateway, by name and by number.

    Args:
        users: Who they are.
        tokens: Knows whose a login token is.

    Raises:
        ConfigurationError: Two users share a name or a number.
    """

    def __init__(self, users: Iterable[User], tokens: TokenMint | None = None) -> None:
        self._tokens = tokens or TokenMint()
        self._expired: set[str] = set()
        self._by_name: dict[str, User] = {}
        self._by_address: dict[str, User] = {}
        self._by_token: dict[bytes, User] = {}
        for user in users:
            self._by_name[user.name] = user
            if user.token:
                self._by_token[digest(user.token)] = user
            for address in {address_of(reached) for reached in (user.name, user.number) if reached}:
                if self._by_address.setdefault(address, user) is not user:
                    raise ConfigurationError(f"two users are reached at {address!r}")

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[User]:
        return iter(self._by_name.values())

    def authenticate(self, name: object, password: object) -> User | None:
        """Return the user with these credentials, or `None`.

        Takes the same time for an unknown name as for a wrong password.
        """
        user = self._by_name.get(name) if isinstance(name, str) else None
        known = user.password if user else ""
        given = password if isinstance(password, str) else ""
        return user if same_secret(given, known) and user else None

    def authenticate_token(self, token: object) -> User | None:
        """Return the user whom a login token belongs to, or `None`."""
        if not isinstance(token, str) or not token:
            return None
        owner = self._by_token.get(digest(token))
        if owner is not None:
            return None if owner.name in self._expired else owner
        return self._by_name.get(self._tokens.user_of(token) or "")

    def expire_tokens(self, name: str) -> None:
        """Let the login tokens of a user that there are now be good no longer, the fixed one included."""
        self._expired.add(name)
        self._tokens.expire(name)

    def find(self, address: str) -> User | None:
        """Return the user whom a name or number reaches, however it is written, or `None`."""
        return self._by_address.get(address_of(address))
