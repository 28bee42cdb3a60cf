"""A client's way to its server and in, and the news of what happens there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.client.token_watch import TokenWatch
from telnyx_native.config import TokenConfig, TxServerConfiguration, route
from telnyx_native.errors import (
    GATEWAY_REGISTRATION_FAILED,
    AuthenticationError,
    GatewayRegistrationError,
    ServerUnavailableError,
    TelnyxError,
)
from telnyx_native.events import (
    ClientReadyResponse,
    LoginResponse,
    ReceivedMessageBody,
    ReceivedResult,
    SocketMethod,
    SocketResponse,
    SocketStatus,
)
from telnyx_native.flow import SharedFlow
from telnyx_native.logs import Log
from telnyx_native.new_credentials import is_new
from telnyx_native.signaling.logins import Purpose, login_of
from telnyx_native.signaling.push_messages import AttachCalls

if TYPE_CHECKING:
    from telnyx_native.client.pushed_call import PushedCall
    from telnyx_native.codes import TelnyxWarning
    from telnyx_native.config import TelnyxConfig
    from telnyx_native.signaling.logins import Login
    from telnyx_native.signaling.session import Session

__all__ = ["Connection"]

PAUSE_FOR_NEW_CREDENTIALS = 2.0
"""Seconds between two logins with a credential that the server may not know yet."""


class Connection:
    """Connects and logs in, and publishes what comes of it.

    Args:
        session: The session at the server.
        retries: Attempts to get registered after one that failed.
        pause: Seconds before each of them.

    Attributes:
        responses: Everything that happens on the connection.
        warnings: What is not wrong yet.
        server: The server.
        config: Who is logged in; `None` before the first login.
        pushed: The call that a push notification announced, if one did.
        log: Where all this is logged.
    """

    def __init__(self, session: Session, *, retries: int, pause: float) -> None:
        self.responses: SharedFlow[SocketResponse] = SharedFlow()
        self.warnings: SharedFlow[TelnyxWarning] = SharedFlow()
        self.server = TxServerConfiguration()
        self.config: TelnyxConfig | None = None
        self.pushed: PushedCall | None = None
        self._about: dict[str, str] = {}
        self.log = Log("client", context=self._about)
        self._session = session
        self._retries = retries
        self._pause = pause
        self._token_watch = TokenWatch(self.warn)

    def log_of(self, tag: str, config: TelnyxConfig) -> Log:
        """The log that a login asks for; its records name the session, once there is one."""
        return Log(tag, config.log_level, config.custom_logger, self._about)

    @property
    def reconnects(self) -> bool:
        """Whether the connection is made again when it is lost: there was a login, and that is what it wants."""
        return self.config is not None and self.config.auto_reconnect

    @property
    def debug(self) -> bool:
        """Whether statistics of calls go to Telnyx while they last."""
        return self.config is not None and self.config.debug

    async def open(self, server: TxServerConfiguration, config: TelnyxConfig | None, pushed: PushedCall | None) -> None:
        """Connect.

        Args:
            server: Where to.
            config: Which region to take, and what to log.
            pushed: The call that a push notification announced; the server instance that holds it is chosen.

        Raises:
            SocketConnectionError: The server cannot be reached.
        """
        self.server, self.config, self.pushed = server, None, pushed
        self._about.clear()
        first, fallback = server, None
        if config is not None:
            self.log = self.log_of("client", config)
            first, fallback = route(config, server)
            if config.region.value and first == server:
                self.log.warning(f"{server.host} is an address, so it has no region {config.region.name}")
        instance = pushed.meta.query() if pushed is not None else None
        self.responses.emit(SocketResponse(SocketStatus.LOADING))
        try:
            log = self.log.child("socket")
            reached = await self._session.open(first, log, fallback=fallback, instance=instance)
        except TelnyxError as error:
            self.report(error)
            raise
        self._on_open(reached)

    async def join(self, config: TelnyxConfig) -> None:
        """Log in on the connection that was just opened.

        A registration that fails is tried again on a connection of its own, if the login wants reconnection; so is a
        login that the server cannot take now.

        Raises:
            SocketConnectionError: The server cannot be reached, or the connection ended.
            AuthenticationError: The server refused the login, or its token.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
        """
        left = self._retries if config.auto_reconnect else 0
        while True:
            try:
                await self.log_in(config)
            except (GatewayRegistrationError, ServerUnavailableError) as error:
                if isinstance(error, GatewayRegistrationError) and error.code != GATEWAY_REGISTRATION_FAILED:
                    raise
                if not left:
                    raise
            else:
                return
            left -= 1
            self._session.set_back()
            await self._session.pause(self._pause)
            await self.open(self.server, config, self.pushed)

    async def log_in(self, config: TelnyxConfig) -> None:
        """Log in, and ask for the call that a push notification announced, if it has not come yet.

        Raises:
            AuthenticationError: The server refused the login, or its token.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
            SocketConnectionError: There is no connection, or it ended.
        """
        self.log = self.log_of("client", config)
        awaited = self.pushed if self.pushed is not None and self.pushed.call is None else None
        login = login_of(config, Purpose.ANSWER_PUSH if awaited else Purpose.CALLS)
        try:
            if isinstance(config, TokenConfig):
                self._token_watch.check(config)
            await self._authenticate(login)
        except TelnyxError as error:
            if self._session.is_open:  # a lost connection was reported already
                self.report(error)
            raise
        self.config = config
        self._about["session_id"] = self._session.session_id
        self._token_watch.stop()
        if isinstance(config, TokenConfig):
            self._token_watch.start(config)
        self.log.info(f"logged in as {login.who}")
        self.publish(SocketMethod.LOGIN.value, LoginResponse(self._session.session_id))
        self.publish(SocketMethod.CLIENT_READY.value, ClientReadyResponse())
        if awaited is not None:
            awaited.expect()
            await self._session.tell(AttachCalls(config.push))

    async def _authenticate(self, login: Login) -> None:
        """Log in; a credential that was created just now may be refused at first."""
        while True:
            try:
                await self._session.login(login)
            except AuthenticationError as error:
                if not is_new(login.account):
                    raise
                self.log.debug(f"the credential was created just now, so the login is tried again: {error}")
            else:
                return
            await self._session.pause(PAUSE_FOR_NEW_CREDENTIALS)

    async def resume(self, *, patience: float | None) -> None:
        """Connect and log in once more, as before.

        Args:
            patience: Seconds that connecting may take, if not as long as usual.

        Raises:
            AuthenticationError: The server refused the login, or its token.
            TelnyxError: It did not work this time.
        """
        assert self.config is not None  # noqa: S101 - there was a login, that is what is resumed
        server, fallback = route(self.config, self.server)
        self.responses.emit(SocketResponse(SocketStatus.LOADING))
        log = self.log.child("socket")
        self._on_open(await self._session.open(server, log, fallback=fallback, patience=patience))
        await self.log_in(self.config)

    def end(self) -> None:
        """The connection is gone, or about to be: nothing that was waited for will come."""
        self._token_watch.stop()
        if self.pushed is not None:
            self.pushed.abandon()

    def close(self) -> None:
        """End the flows."""
        self.responses.close()
        self.warnings.close()

    def publish(self, method: str, result: ReceivedResult | None) -> None:
        """Tell of a message of the server."""
        body = ReceivedMessageBody(method, result)
        self.responses.emit(SocketResponse(SocketStatus.MESSAGERECEIVED, body))

    def report(self, error: TelnyxError) -> None:
        """Tell of an error."""
        self.log.error(str(error))
        self.responses.emit(
            SocketResponse(SocketStatus.ERROR, error_message=str(error), error_code=error.code, error_kind=error.kind)
        )

    def _on_open(self, reached: TxServerConfiguration) -> None:
        self.log.info(f"connected to {reached.url}")
        self.responses.emit(SocketResponse(SocketStatus.ESTABLISHED))

    def warn(self, warning: TelnyxWarning) -> None:
        """Tell of something that is not wrong yet."""
        self.log.warning(warning.message)
        self.warnings.emit(warning)
