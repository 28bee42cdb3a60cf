"""Which web pages may use the gateway, and under which names it is reached.

A browser lets every page in the world connect to this machine. What it does tell is whose page it is (`Origin`,
RFC 6454) and which name it has looked up (`Host`, RFC 9110): a page that lets its own name point here (DNS rebinding)
shows in both. Programs that are no browsers send what they like, or nothing; they are not what is kept out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Origins", "is_loopback", "names_in"]

_AUTHORITY = r"(?:\[[0-9a-f:.]{2,45}(?:%[\w.-]{1,32})?\]|[\w.-]{1,253})(?::\d{1,5})?"
_HOST = re.compile(_AUTHORITY, re.IGNORECASE)
_ORIGIN = re.compile(rf"(?P<scheme>https?|wss?)://(?P<authority>{_AUTHORITY})", re.IGNORECASE)

_USUAL_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


@dataclass(frozen=True)
class Origins:
    """Tells requests of pages that may use the gateway from those that may not.

    Args:
        allowed: Origins that are let in beside the gateway's own and those of this machine, such as
            `"https://app.example.com"`, or `"null"` for pages without one.
        names: Names under which the gateway is reached, beside `localhost` and every IP address.

    Raises:
        ConfigurationError: An origin or a name is written in another way.
    """

    allowed: Sequence[str] = ()
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        for origin in self.allowed:
            if origin != "null" and not _ORIGIN.fullmatch(origin):
                raise ConfigurationError(f'{origin!r} is no origin: write one like "https://app.example.com"')
        for name in self.names:
            if not re.fullmatch(r"[\w.-]{1,253}", name):
                raise ConfigurationError(f'{name!r} is no name of a host: write one like "gateway.example.com"')

    def refusal(self, hosts: Sequence[str], origins: Sequence[str]) -> str | None:
        """Return why a request is not taken, or `None` if it is.

        Args:
            hosts: The values of its `Host` headers.
            origins: The values of its `Origin` headers.
        """
        if len(hosts) > 1 or len(origins) > 1:
            return "It has several Host or Origin headers."
        host = hosts[0].strip().lower() if hosts else ""
        if host and not (_HOST.fullmatch(host) and self._is_ours(_name_of(host))):
            return "The gateway is not known by this name; the option `names` (--name) makes it known."
        if origins and not self._lets_in(origins[0].strip().lower(), host):
            return "Pages of this origin are kept out; the option `origins` (--origin) lets them in."
        return None

    def _is_ours(self, name: str) -> bool:
        # An address in place of a name was not looked up, so nobody can have pointed it here.
        return is_loopback(name) or _is_address(name) or name in _in_lower_case(self.names)

    def _lets_in(self, origin: str, host: str) -> bool:
        if origin in _in_lower_case(self.allowed):
            return True
        match = _ORIGIN.fullmatch(origin)
        if match is None:
            return False
        usual = _USUAL_PORTS[match["scheme"]]
        own = match["authority"].removesuffix(usual) == host.removesuffix(usual)
        return own or is_loopback(_name_of(match["authority"]))


def _name_of(authority: str) -> str:
    """Return the host of an authority without its port, and without brackets, zone and trailing dot."""
    return re.sub(r":\d{1,5}$", "", authority).strip("[]").partition("%")[0].removesuffix(".")


def is_loopback(name: str) -> bool:
    """Whether a name or an address is that of this machine."""
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _in_lower_case(texts: Iterable[str]) -> set[str]:
    return {text.lower() for text in texts}


def names_in(host: str) -> list[str]:
    """Return the name in the setting of an address to listen on, if it is one."""
    return [host] if host and not _is_address(host) else []
