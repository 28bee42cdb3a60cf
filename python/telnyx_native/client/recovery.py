"""A lost connection is made again, and the session taken up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from telnyx_native.client.backoff import Backoff
from telnyx_native.client.network_watch import NetworkWatch, source_address
from telnyx_native.codes import ErrorCode
from telnyx_native.errors import AuthenticationError, NetworkChangedError, SocketConnectionError, TelnyxError

if TYPE_CHECKING:
    from telnyx_native.client.connection import Connection
    from telnyx_native.signaling.session import Session

__all__ = ["Recovery", "RecoveryHost"]


class RecoveryHost(Protocol):
    """Who has calls that wait for the connection."""

    @property
    def has_calls(self) -> bool:
        """Whether there are any."""

    def on_recovered(self) -> None:
        """The client is logged in again."""

    def on_unrecoverable(self) -> None:
        """There will be no more attempts."""


class Recovery:
    """Brings a client back to its server, for as long as it takes, until the server refuses the login.

    Args:
        connection: Connects and logs in.
        session: The session to be taken up.
        host: Who waits for it.
    """

    def __init__(self, connection: Connection, session: Session, host: RecoveryHost) -> None:
        self._connection = connection
        self._session = session
        self._host = host
        self._network = NetworkWatch(self._on_network_change)
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the connection is being brought back."""
        return self._task is not None

    def watch(self) -> None:
        """Look out for a change of the network, which the connection may not survive."""
        if not self._connection.server.is_local:
            self._network.start()

    def start(self) -> bool:
        """Begin to bring the connection back, if the login wants that; return whether it is under way."""
        if not self._connection.reconnects:
            return False
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="telnyx-recovery")
        return True

    async def stop(self) -> None:
        """Make no more attempts; safe to call at any time."""
        self._network.stop()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        backoff = Backoff(urgent=lambda: self._host.has_calls)
        while True:
            await self._pause(backoff.next())
            try:
                await self._connection.resume(patience=backoff.patience())
            except AuthenticationError as error:
                self._give_up(error)
                return
            except TelnyxError as error:
                self._connection.log.info(f"not connected again yet: {error}")
                self._session.set_back()
            else:
                self._task = None
                self._host.on_recovered()
                return

    async def _pause(self, seconds: float) -> None:
        """Wait, but not after the network has changed: then is the moment to try."""
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _give_up(self, error: AuthenticationError) -> None:
        self._task = None
        self._network.stop()
        self._session.give_up()
        message = f"the connection is not made again: {error}"
        self._connection.report(AuthenticationError(message, code=error.code, kind=ErrorCode.RECONNECTION_EXHAUSTED))
        self._host.on_unrecoverable()

    def _on_network_change(self) -> None:
        self._changed.set()
        ends = self._session.ends
        if ends is None:
            return
        local, remote = ends
        source = source_address(remote)
        if source is None:
            message = f"this machine has no network any more that leads to {remote[0]}"
            self._connection.report(SocketConnectionError(message, kind=ErrorCode.NETWORK_OFFLINE))
        if source in (None, local):
            self._session.suspect()
        else:
            self._session.break_off(NetworkChangedError(f"the network changed: {remote[0]} is reached another way now"))
