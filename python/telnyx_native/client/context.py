"""What the parts of a client share: its settings, and the publisher of what happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from telnyx_native.config import Limits, Timeouts
from telnyx_native.errors import TelnyxError
from telnyx_native.events import ReceivedMessageBody, SocketResponse, SocketStatus
from telnyx_native.flow import SharedFlow
from telnyx_native.logs import Log

if TYPE_CHECKING:
    from telnyx_native.call_control import CallControl
    from telnyx_native.config import TelnyxConfig
    from telnyx_native.errors import TelnyxWarning
    from telnyx_native.events import ReceivedResult

__all__ = ["Context", "Publisher"]


class Publisher:
    """Emits responses and warnings, and logs them.

    Attributes:
        responses: What happens on the connection.
        warnings: Problems that are about to occur.
        log: The log of the client, as the login configures it.
    """

    def __init__(self) -> None:
        self.responses: SharedFlow[SocketResponse] = SharedFlow()
        self.warnings: SharedFlow[TelnyxWarning] = SharedFlow()
        self._context: dict[str, str] = {}
        self.log = Log("client", context=self._context)

    def log_as(self, config: TelnyxConfig) -> None:
        """Use the logger and level of a login from now on."""
        self.log = self.log_of("client", config)

    def log_of(self, tag: str, config: TelnyxConfig) -> Log:
        """A log with the logger and level of a login; its records carry the session id."""
        return Log(tag, config.log_level, config.custom_logger, self._context)

    def name_session(self, session_id: str | None) -> None:
        """Set the session id of log records."""
        self._context.clear()
        if session_id is not None:
            self._context["session_id"] = session_id

    def announce(self, status: SocketStatus) -> None:
        """Emit a status of the connection."""
        self.responses.emit(SocketResponse(status))

    def publish(self, method: str, result: ReceivedResult | None) -> None:
        """Emit a message of the server."""
        body = ReceivedMessageBody(method, result)
        self.responses.emit(SocketResponse(SocketStatus.MESSAGERECEIVED, body))

    def report(self, error: Exception) -> None:
        """Emit and log an error. One that is not a `TelnyxError` is a bug, and logged with its traceback."""
        known = isinstance(error, TelnyxError)
        self.log.error(str(error) or repr(error), None if known else error)
        code, kind = (error.code, error.kind) if isinstance(error, TelnyxError) else (None, None)
        self.responses.emit(
            SocketResponse(SocketStatus.ERROR, error_message=str(error), error_code=code, error_kind=kind)
        )

    def warn(self, warning: TelnyxWarning) -> None:
        """Emit and log a warning."""
        self.log.warning(warning.message)
        self.warnings.emit(warning)

    def close(self) -> None:
        """End the flows."""
        self.responses.close()
        self.warnings.close()


@dataclass(frozen=True)
class Context:
    """What the parts of a client share.

    Attributes:
        timeouts: How long each step may take.
        limits: How many of something are allowed.
        publisher: Responses, warnings and the log.
        call_control: What transfers calls.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: Limits = field(default_factory=Limits)
    publisher: Publisher = field(default_factory=Publisher)
    call_control: CallControl | None = None
