"""Changes of this machine's network, as the Linux kernel tells them (rtnetlink(7))."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NetworkWatch", "source_address"]

SETTLING = 0.5
"""Seconds without a further change after which a change counts: a new interface gets its addresses and routes one by
one."""

# linux/rtnetlink.h: links, IPv4 addresses and routes, IPv6 addresses and routes.
_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
_MESSAGE = 65_536


class NetworkWatch:
    """Tells when addresses or routes of this machine have changed.

    Where the kernel gives no such news (containers may forbid it), nothing is told.

    Args:
        on_change: Called once the network has settled.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._socket: socket.socket | None = None
        self._settling: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start watching; does nothing if started already."""
        if self._socket is not None:
            return
        try:
            kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        except OSError:
            return
        try:
            kernel.setblocking(False)
            kernel.bind((0, _GROUPS))
        except OSError:
            kernel.close()
            return
        self._socket = kernel
        asyncio.get_running_loop().add_reader(kernel, self._read)

    def stop(self) -> None:
        """Stop watching."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _read(self) -> None:
        assert self._socket is not None  # noqa: S101 - it is what was read from
        try:
            while self._socket.recv(_MESSAGE):
                pass
        except OSError:
            pass  # no more news, or more than the kernel kept; something changed, that is all we need to know
        if self._settling is not None:
            self._settling.cancel()
        self._settling = asyncio.get_running_loop().call_later(SETTLING, self._settle)

    def _settle(self) -> None:
        self._settling = None
        self._on_change()


def source_address(remote: tuple[str, int]) -> str | None:
    """The address of this machine from which `remote` is reached now; `None` if it is not. Nothing is sent."""
    family = socket.AF_INET6 if ":" in remote[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(remote)
        except OSError:
            return None
        address: str = probe.getsockname()[0]
        return address
