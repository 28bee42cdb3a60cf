"""Users: their credentials and login tokens, the addresses that reach them, and guests of assistants."""

from __future__ import annotations

import binascii
import hmac
import json
import re
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from telnyx_native.errors import ConfigurationError
from telnyx_native.redaction import digest, keep_secret, same_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "Account",
    "Directory",
    "Guest",
    "TokenMint",
    "User",
    "address_of",
    "new_guest",
]


@dataclass(frozen=True)
class User:
    """A user that may log in.

    Attributes:
        name: The name to log in with; calls to it reach the user.
        password: The password; never logged.
        number: A telephone number that reaches the user too, such as `"+15550100"`.
        caller_id_name: The name that others see when the user's client gives none; `name` by default.
        caller_id_number: The number that others see when the user's client gives none; `number` by default.
        token: A login token that does not expire; never logged. `Gateway.mint_token` makes some that expire.
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


Account = User | str
"""On whose behalf a client is connected: a user, or the id of the assistant that a guest came for."""


def new_guest() -> User:
    """Return a user for a guest: nobody else can log in as this user, or call it."""
    return User(f"guest-{secrets.token_hex(4)}", secrets.token_urlsafe(16))


class Directory:
    """The users of a gateway, by name and by number.

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
        """Expire all login tokens that a user has now, the fixed one included."""
        self._expired.add(name)
        self._tokens.expire(name)

    def find(self, address: str) -> User | None:
        """Return the user whom a name or number reaches, however it is written, or `None`."""
        return self._by_address.get(address_of(address))


@dataclass(frozen=True)
class Guest:
    """What an anonymous login asked for.

    Attributes:
        assistant: The id of the assistant.
        variables: What it shall know about the guest.
    """

    assistant: str
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> Guest | None:
        """Read the parameters of an anonymous login; `None` if they name no assistant."""
        target, variables = params.get("target_id"), params.get("userVariables")
        if params.get("target_type", "ai_assistant") != "ai_assistant" or not isinstance(target, str):
            return None
        return cls(target, variables if isinstance(variables, dict) else {})


_BRACKETED = re.compile(r"[^<>]*<([^<>]*)>.*", re.DOTALL)
_SIP_URI = re.compile(r"sips?:(?P<user>[^@;?]*)", re.IGNORECASE)
_TEL_URI = re.compile(r"tel:(?P<number>[^;?]*)", re.IGNORECASE)

_SEPARATORS = re.compile(r"[-.()/\s\u00ad\u2010-\u2015\u2212\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
"""What is put into numbers for the eye (RFC 3966, section 5.1.1), and what comes along when they are pasted."""

_NUMBER = re.compile(r"\+?[0-9*#]{3,32}")


def address_of(destination: str) -> str:
    """Return the user or number that a destination means.

    `sip:alice@example.com` is `alice`; `sip:%2B15550100@host`, `tel:+1-555-0100` and `+1 (555) 0100` are `+15550100`
    (RFC 3261, section 19.1.4; RFC 3966, section 5.1.1). What is no number stays as it is.
    """
    destination = destination.strip()
    if bracketed := _BRACKETED.fullmatch(destination):  # a name-addr (RFC 3261, section 25.1)
        destination = bracketed[1].strip()
    if sip := _SIP_URI.match(destination):
        destination = _unescaped(sip["user"])
    elif tel := _TEL_URI.match(destination):
        destination = _unescaped(tel["number"])
    bare = _SEPARATORS.sub("", destination)
    return bare if _NUMBER.fullmatch(bare) else destination


def _unescaped(text: str) -> str:
    """Return a part of a URI without its escapes, unless they hide what no name has."""
    plain = unquote(text)
    return plain if plain.isprintable() else text


_HEADER = {"alg": "HS256", "typ": "JWT"}

LONGEST_TOKEN = 8192
"""Characters of a token; longer ones are not looked at."""


class TokenMint:
    """Makes tokens, and recognises its own.

    Args:
        secret: The key; a random one by default, so that tokens end with the gateway.
    """

    def __init__(self, secret: str | None = None) -> None:
        self._key = secret.encode() if secret else secrets.token_bytes(32)
        self._expired: dict[str, int] = {}  # how often the tokens of a user were
        self._started = time.time() - time.monotonic()

    def _now(self) -> float:
        """The time of day, as it goes on from the start: clocks that are set meanwhile end no token."""
        return self._started + time.monotonic()

    def mint(self, user: str, lifetime: float) -> str:
        """Return a token of `user` that is good for `lifetime` seconds; claims as in Telnyx's own tokens."""
        now = self._now()
        claims = {"sub": user, "aud": "telnyx_telephony", "typ": "access", "iat": now, "exp": now + lifetime}
        claims["gen"] = self._expired.get(user, 0)
        signed = f"{_encode(_HEADER)}.{_encode(claims)}"
        return f"{signed}.{self._sign(signed)}"

    def expire(self, user: str) -> None:
        """Expire every token of a user that was made until now."""
        self._expired[user] = self._expired.get(user, 0) + 1

    def user_of(self, token: str) -> str | None:
        """Return whose token it is; `None` if it is not from here, or has expired."""
        signed, _, signature = token.rpartition(".")
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        if not hmac.compare_digest(signature, self._sign(signed)):
            return None
        header, _, payload = signed.partition(".")
        claims = _decode(payload)
        expiry, user = claims.get("exp"), claims.get("sub")
        good = _decode(header) == _HEADER and isinstance(expiry, int | float) and expiry > self._now()
        if not good or not isinstance(user, str):
            return None
        return user if claims.get("gen", 0) == self._expired.get(user, 0) else None

    def _sign(self, text: str) -> str:
        return _to_text(hmac.digest(self._key, text.encode(), "sha256"))


def _encode(value: dict[str, Any]) -> str:
    return _to_text(json.dumps(value, separators=(",", ":")).encode())


def _decode(text: str) -> dict[str, Any]:
    try:
        value = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return {}
    return value if isinstance(value, dict) else {}


def _to_text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
