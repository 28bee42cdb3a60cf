"""What a call needs of the connection to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from telnyx_native.signaling.messages import Message

__all__ = ["Signaling"]


class Signaling(Protocol):
    """The way to the server; it outlives a single connection."""

    @property
    def session_id(self) -> str:
        """The server's id of the login."""

    async def request(self, message: Message, *, timeout: float | None = None) -> dict[str, Any]:
        """Send a request and return its result."""

    async def tell(self, message: Message) -> None:
        """Send a request whose answer nobody waits for."""
