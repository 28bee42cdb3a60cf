"""One WebSocket connection to a Telnyx server: requests with answers, and the server's requests."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from telnyx_native.errors import (
    AUTHENTICATION_REQUIRED,
    ErrorCode,
    MalformedFrameError,
    RequestError,
    RequestTimeoutError,
    SocketConnectionError,
)
from telnyx_native.events import SocketMethod
from telnyx_native.redaction import mask
from telnyx_native.signaling.envelope import Error, MessageId, Request, Result, new_id, parse
from telnyx_native.signaling.messages import Message, Ping
from telnyx_native.untrusted_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ssl import SSLContext

    from telnyx_native.logs import Log

__all__ = ["TxSocket", "TxSocketListener"]

MAX_FRAME = 4 * 1024 * 1024
"""Bytes a frame may have; a longer one ends the connection."""

_ALWAYS_ACKED = {SocketMethod.INVITE.value, SocketMethod.ATTACH.value}
_ACKED_WHEN_KNOWN = {
    SocketMethod.ANSWER.value,
    SocketMethod.BYE.value,
    SocketMethod.CANDIDATE.value,
    SocketMethod.DISPLAY.value,
    SocketMethod.MEDIA.value,
    SocketMethod.RINGING.value,
}
"""What the Telnyx JS SDK acknowledges: these only for a call it knows, and nothing else."""

# The websockets library logs whole frames, passwords included, at DEBUG: it gets a logger that says nothing.
_SILENT = logging.Logger("telnyx_native.websockets", logging.CRITICAL + 1)


class _ConnectHere(connect):
    """Connects to the given server only: the login goes to whoever answers, so no redirect is followed."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class TxSocketListener(Protocol):
    """Receives what the server sends on its own initiative.

    It is a protocol because the one class that does, the connection of the client, stands above this package.
    """

    def on_request(self, request: Request) -> bool:
        """Handle a request of the server; return whether it concerns a known call.

        Raises:
            MalformedFrameError: The request makes no sense; it is logged and counted.
        """

    def on_frame(self, frame: str | bytes) -> None:
        """A frame was received."""

    def on_ping(self) -> bool:
        """The server sent a ping; return whether to answer it."""

    def on_login_required(self) -> None:
        """The server answered a request with "authentication required"."""

    def on_lost(self, error: SocketConnectionError) -> None:
        """The connection was lost."""


class TxSocket:
    """A connected socket, made by `open`.

    Attributes:
        voice_sdk_id: The server instance that owns the session, by the latest frame that named it.
        malformed: Frames that could not be understood so far.
        heard_at: When the last frame was received, in seconds of `time.monotonic`.
        answered_at: When the last response was received.
        local_address: The address of this machine that the connection uses.
        remote_address: The address and port of the server, or of the proxy before it.
    """

    def __init__(
        self,
        connection: ClientConnection,
        listener: TxSocketListener,
        *,
        address: str,
        log: Log,
        voice_sdk_id: str | None = None,
    ) -> None:
        self._connection = connection
        self._listener = listener
        self._address = address
        self._log = log
        self._pending: dict[MessageId, asyncio.Future[Result | Exception]] = {}
        self._closing = False
        self._aborted: SocketConnectionError | None = None
        self.voice_sdk_id = voice_sdk_id
        self.malformed = 0
        self.heard_at = self.answered_at = monotonic()
        self.local_address: str = connection.local_address[0]
        self.remote_address: tuple[str, int] = connection.remote_address[:2]
        self._reader = asyncio.create_task(self._read(), name="telnyx-socket")

    @classmethod
    async def open(
        cls,
        address: str,
        listener: TxSocketListener,
        *,
        log: Log,
        timeout: float,
        close_timeout: float,
        proxy: bool = True,
        ssl_context: SSLContext | None = None,
        voice_sdk_id: str | None = None,
        instance: Mapping[str, str] | None = None,
    ) -> TxSocket:
        """Connect.

        Args:
            address: The server, such as `"wss://rtc.telnyx.com"`.
            listener: Receives the server's requests.
            log: Where the frames are logged, redacted.
            timeout: Limit in seconds for the connection to stand.
            close_timeout: Limit in seconds for the closing handshake later on.
            proxy: Whether to go through the proxy that the environment names, if it names one.
            ssl_context: Which certificates to trust; by default those that the system trusts.
            voice_sdk_id: The server instance to be led to, if an earlier connection named one.
            instance: What else leads there, as parameters of the address; it wins over `voice_sdk_id`.

        Raises:
            SocketConnectionError: The server cannot be reached, or is no WebSocket server.
        """
        query = ({"voice_sdk_id": voice_sdk_id} if voice_sdk_id else {}) | dict(instance or {})
        try:
            connection = await _ConnectHere(
                f"{address}/?{urlencode(query)}" if query else f"{address}/",
                open_timeout=timeout,
                close_timeout=close_timeout,
                max_size=MAX_FRAME,
                compression=None,
                proxy=proxy or None,
                ssl=ssl_context or (True if address.startswith("wss:") else None),
                logger=_SILENT,
            )
        except TimeoutError:
            message = f"{address} did not answer within {timeout:g} s"
            raise SocketConnectionError(message, kind=ErrorCode.WEBSOCKET_CONNECTION_FAILED) from None
        except (OSError, WebSocketException, EOFError) as error:
            # Not as the cause: the address of a proxy, which it may name, may have a password in it.
            message = f"cannot connect to {address}: {one_line(mask(str(error)))}; check the address and the network"
            raise SocketConnectionError(message, kind=ErrorCode.WEBSOCKET_CONNECTION_FAILED) from None
        return cls(connection, listener, address=address, log=log, voice_sdk_id=voice_sdk_id)

    async def request(self, message: Message, *, timeout: float) -> dict[str, Any]:
        """Send a request and return the result that the server answers with.

        Raises:
            RequestError: The server answered with an error.
            RequestTimeoutError: The server did not answer within `timeout` seconds.
            SocketConnectionError: The connection ended first.
        """
        name = message.method.value
        request_id = new_id()
        answer = self._pending[request_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                await self._send(self._request(message, request_id))
                outcome: Result | Exception = await answer
        except TimeoutError:
            raise RequestTimeoutError(f"{self._address} did not answer {name} within {timeout:g} s") from None
        except SocketConnectionError as error:
            raise SocketConnectionError(f"{error}, during {name}") from None
        finally:
            del self._pending[request_id]
        if isinstance(outcome, SocketConnectionError):
            raise SocketConnectionError(f"{outcome}, during {name}")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome.result

    async def tell(self, message: Message) -> None:
        """Send a request, and ignore its response.

        Raises:
            SocketConnectionError: The connection ended.
        """
        await self._send(self._request(message, new_id()))

    async def notify(self, message: Message) -> None:
        """Send a notification, which has no answer.

        Raises:
            SocketConnectionError: The connection ended.
        """
        await self._send(self._request(message, None))

    async def close(self) -> None:
        """Close the connection; takes no longer than its close timeout."""
        self._closing = True
        try:
            await self._connection.close()
            await self._reader
        finally:
            self._connection.transport.abort()

    def abort(self, error: SocketConnectionError) -> None:
        """Cut the connection at once. Pending requests fail with `error`; the listener is not called any more."""
        self._aborted = error
        self._connection.transport.abort()

    def _request(self, message: Message, request_id: str | None) -> Request:
        voice_sdk_id = self.voice_sdk_id if message.sticky else None
        return Request(message.method.value, message.params(), request_id, voice_sdk_id)

    async def _send(self, frame: Request | Result) -> None:
        text = frame.encode()
        self._log.frame(">", text)
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise self._loss(error) from None

    async def _read(self) -> None:
        try:
            while True:
                frame = await self._connection.recv()
                if self._aborted is not None:
                    raise self._aborted
                self.heard_at = monotonic()
                self._log.frame("<", frame)
                self._listener.on_frame(frame)
                await self._take(frame)
        except ConnectionClosed as error:
            self._end(self._loss(error))
        except SocketConnectionError as error:
            self._end(error)

    def _end(self, error: SocketConnectionError) -> None:
        for answer in self._pending.values():
            if not answer.done():
                answer.set_result(error)
        if not self._closing and self._aborted is None:
            self._log.warning(str(error))
            self._listener.on_lost(error)

    def _loss(self, error: ConnectionClosed) -> SocketConnectionError:
        if self._aborted is not None:
            return self._aborted
        if self._closing:
            return SocketConnectionError(f"the connection to {self._address} was closed here")
        return SocketConnectionError(f"the connection to {self._address} was lost ({error})")

    async def _take(self, frame: str | bytes) -> None:
        try:
            message = parse(frame)
        except MalformedFrameError as error:
            self._note_malformed(error)
            if error.id is not None:
                self._settle(error.id, RequestError(f"the answer makes no sense: {error}", code=error.code))
            return
        self.voice_sdk_id = message.voice_sdk_id or self.voice_sdk_id
        match message:
            case Request():
                await self._serve(message)
            case Result(id=answered):
                self._settle(answered, message)
            case Error(id=answered):
                self._settle(answered, RequestError(message.message, code=message.code, cause=message.cause))
                if message.code == AUTHENTICATION_REQUIRED:
                    self._listener.on_login_required()

    async def _serve(self, request: Request) -> None:
        if request.method == SocketMethod.PING.value:
            if self._listener.on_ping():
                # As in the JS SDK, the reaction to a ping is a request; its answer is of no interest.
                await self.tell(Ping())
            return
        known = False
        try:
            known = self._listener.on_request(request)
        except MalformedFrameError as error:
            self._note_malformed(error, request.method)
        except Exception as error:  # noqa: BLE001 - one bad message must not cost the connection
            self._log.error(f"{request.method} could not be handled", error)
        if request.method in _ALWAYS_ACKED or (known and request.method in _ACKED_WHEN_KNOWN):
            await self._ack(request)

    async def _ack(self, request: Request) -> None:
        if request.id is not None:
            await self._send(Result(request.id, {"method": request.method}))

    def _settle(self, request_id: MessageId | None, outcome: Result | Exception) -> None:
        self.answered_at = monotonic()
        answer = self._pending.get(request_id) if request_id is not None else None
        if answer is None:
            self._log.debug(f"a response to an unknown request: {request_id}")
        elif not answer.done():
            answer.set_result(outcome)

    def _note_malformed(self, error: MalformedFrameError, method: str = "a frame") -> None:
        self.malformed += 1
        self._log.warning(f"{method} was ignored: {error}")
