"""Applications: whom a call to a number is told about, and how the Voice API is set up."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.accounts.users import address_of
from telnyx_native.redaction import Secret, keep_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Application", "Applications", "VoiceApi", "is_local_url", "is_web_url"]

LONGEST_URL = 2000
"""Characters, as at Telnyx."""

LONGEST_WAIT = 600.0
"""Seconds that a time of an application may be."""

_NAME = re.compile(r"\w[\w.-]{0,63}", re.ASCII)


def is_web_url(url: str) -> bool:
    """Whether a text is the address of a web server: `http` or `https`, a host, and nothing unprintable."""
    parts = _split(url)
    return parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)


def is_local_url(url: str) -> bool:
    """Whether a text is the address of a web server on this machine."""
    parts = _split(url)
    if parts is None or not is_web_url(url):
        return False
    host = parts.hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult | None:
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises when it is none
    except ValueError:
        return None
    return parts


@dataclass(frozen=True)
class Application:
    """A program that decides what becomes of calls, told by webhooks (Telnyx's Voice API application).

    Attributes:
        name: What it is called, and its `connection_id`: letters, digits, `_`, `.` and `-`.
        webhook_url: Where the events of its calls are posted to; it may have a secret in it, so it is never logged.
        webhook_failover_url: Where they go when that fails.
        numbers: The numbers whose calls it gets.
        webhook_timeout: Seconds that it may take to answer one webhook.
        first_command_timeout: Seconds after which a call ends that is not answered, and that it does nothing about.

    Raises:
        ConfigurationError: A value cannot work; the message begins with the setting.
    """

    name: str
    webhook_url: str = field(repr=False)
    webhook_failover_url: str | None = field(default=None, repr=False)
    numbers: Sequence[str] = ()
    webhook_timeout: float = 5.0
    first_command_timeout: float = 30.0

    def __post_init__(self) -> None:
        setting = f"applications.{self.name}"
        if not _NAME.fullmatch(self.name):
            raise ConfigurationError(f"applications: {self.name!r} is no name; write letters, digits, _, . and -")
        for key in ("webhook_url", "webhook_failover_url"):
            url = getattr(self, key)
            if url is not None and not is_web_url(url):
                raise ConfigurationError(f'{setting}.{key}: write an address such as "http://127.0.0.1:8080/webhooks"')
        for key in ("webhook_timeout", "first_command_timeout"):
            if not 0 < getattr(self, key) <= LONGEST_WAIT:
                raise ConfigurationError(f"{setting}.{key}: write seconds above 0, up to {LONGEST_WAIT:g}")

    @property
    def urls(self) -> tuple[str, ...]:
        """Where its webhooks go: the address, and the one for when that fails, if there is one."""
        return tuple(url for url in (self.webhook_url, self.webhook_failover_url) if url)


@dataclass(frozen=True)
class VoiceApi:
    """How a gateway plays Telnyx's Voice API.

    Attributes:
        api_keys: What lets a request in; never logged. There is one at least.
        applications: Who gets calls; `Gateway.add_application` adds more.
        webhook_key: What webhooks are signed with: the 32 bytes of an Ed25519 private key in base64; never logged. One
            that lasts as long as the gateway, by default.

    Raises:
        ConfigurationError: There is no key.
    """

    api_keys: Sequence[str] = field(repr=False)
    applications: Sequence[Application] = ()
    webhook_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.api_keys or not all(self.api_keys):
            raise ConfigurationError('voice_api.api_keys: write a key that requests prove themselves with: ["KEY…"]')
        object.__setattr__(self, "api_keys", tuple(Secret(key) for key in self.api_keys))
        if self.webhook_key:
            keep_secret(self, "webhook_key")


class Applications:
    """The applications of a gateway, by name and by number."""

    def __init__(self) -> None:
        self._by_name: dict[str, Application] = {}
        self._by_number: dict[str, Application] = {}

    def __iter__(self) -> Iterator[Application]:
        return iter(self._by_name.values())

    def add(self, application: Application) -> None:
        """Take an application in.

        Raises:
            ConfigurationError: Its name or one of its numbers is another's.
        """
        if application.name in self._by_name:
            raise ConfigurationError(f"there is an application {application.name!r} already")
        numbers = [address_of(number) for number in application.numbers]
        for number in numbers:
            if other := self._by_number.get(number):
                raise ConfigurationError(f"applications.{application.name}: {number!r} is a number of {other.name!r}")
        self._by_name[application.name] = application
        self._by_number |= dict.fromkeys(numbers, application)

    def remove(self, name: str) -> None:
        """Forget an application; its calls go on.

        Raises:
            ConfigurationError: There is no such application.
        """
        application = self._by_name.pop(name, None)
        if application is None:
            raise ConfigurationError(f"there is no application {name!r}")
        for number in application.numbers:
            self._by_number.pop(address_of(number), None)

    def named(self, name: str) -> Application | None:
        """Return the application of that name, or `None`."""
        return self._by_name.get(name)

    def at(self, address: str) -> Application | None:
        """Return the application that a number belongs to, however it is written, or `None`."""
        return self._by_number.get(address_of(address))

    def allows(self, url: str) -> bool:
        """Whether webhooks may go to an address that a command names: on this machine, or one of an application."""
        return is_local_url(url) or any(url in application.urls for application in self)
