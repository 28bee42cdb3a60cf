"""Logging: levels, the logger interface, and where the records go.

Whatever crosses the wire goes through `redact` before any logger sees it, and every text through `mask`.
"""

from __future__ import annotations

import json
import logging
from collections import ChainMap
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from telnyx_native.redaction import mask, redact
from telnyx_native.untrusted_text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "JsonLinesFormatter",
    "Log",
    "LogContextFilter",
    "LogLevel",
    "StandardLogger",
    "TxLogger",
    "log_context",
    "redact",
]

logging.getLogger("telnyx_native").addHandler(logging.NullHandler())


class LogLevel(IntEnum):
    """How much is logged. Names and meaning follow the Telnyx Android SDK.

    ERROR, WARNING, DEBUG and INFO each include the ones before; VERTO is the messages on the wire and
    nothing else; ALL is everything.
    """

    NONE = 0
    ERROR = 1
    WARNING = 2
    DEBUG = 3
    INFO = 4
    VERTO = 5
    ALL = 6

    def admits(self, level: LogLevel) -> bool:
        """Whether a record of `level` is logged at this setting."""
        if self in (LogLevel.ALL, LogLevel.VERTO):
            return self is LogLevel.ALL or level is LogLevel.VERTO
        return level <= self


@runtime_checkable
class TxLogger(Protocol):
    """Where the records go. Implement this to send them to a place of your own."""

    def log(self, level: LogLevel, tag: str, message: str, exception: BaseException | None) -> None:
        """Take one record.

        Args:
            level: ERROR, WARNING, DEBUG, INFO or VERTO.
            tag: The part of the SDK that speaks, such as `"socket"`.
            message: The text, free of secrets.
            exception: What went wrong, if something did.
        """


class StandardLogger:
    """The default `TxLogger`: the standard `logging` tree, below the logger `telnyx_native`."""

    _LEVELS = {  # noqa: RUF012 - a constant
        LogLevel.ERROR: logging.ERROR,
        LogLevel.WARNING: logging.WARNING,
        LogLevel.INFO: logging.INFO,
        LogLevel.DEBUG: logging.DEBUG,
        LogLevel.VERTO: logging.DEBUG,
    }

    def log(self, level: LogLevel, tag: str, message: str, exception: BaseException | None) -> None:
        """Hand the record to the logger `telnyx_native.<tag>`, with what `log_context` says as its attributes."""
        logger = logging.getLogger(f"telnyx_native.{tag}")
        logger.log(self._LEVELS[level], "%s", message, exc_info=exception, extra=log_context())


LINE_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
"""A record as a line of text, as workers log."""


class JsonLinesFormatter(logging.Formatter):
    """Writes each record as one line of JSON: for a handler of the standard `logging` tree.

    ```python
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLinesFormatter())
    logging.getLogger("telnyx_native").addHandler(handler)
    ```

    Members: `time` (ISO 8601, UTC), `level`, `logger`, `message`; `call_id` and `session_id` where they are known;
    `exception` where there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _CONTEXT if getattr(record, name, "")}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


_CONTEXT = ("call_id", "session_id")
"""What records can be about."""

_context: ContextVar[Mapping[str, str]] = ContextVar("telnyx_native.logs", default=MappingProxyType({}))


def log_context() -> Mapping[str, str]:
    """What the record that is being logged is about: `session_id` and `call_id`, as far as there are any.

    For a `TxLogger`, which may ask while it takes a record; and for everybody inside `Call.log_scope`.
    """
    return _context.get()


class LogContextFilter(logging.Filter):
    """Gives every record a `call_id` and a `session_id`, those of the `Call.log_scope` that it was logged in.

    For a handler, whose format may then name them; they are empty where there is no call.

    ```python
    handler = logging.StreamHandler()
    handler.addFilter(LogContextFilter())
    handler.setFormatter(logging.Formatter("%(levelname)s [%(call_id)s] %(message)s"))
    logging.getLogger().addHandler(handler)
    ```
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Complete the record; none is left out."""
        for name in _CONTEXT:
            if not hasattr(record, name):
                setattr(record, name, log_context().get(name, ""))
        return True


class Log:
    """One part's way to log: knows its tag, its level and where the records go.

    Args:
        tag: The part of the SDK that speaks.
        level: What is let through.
        logger: Where it goes; the standard `logging` tree by default.
        context: What its records are about, see `log_context`; it may change.
    """

    def __init__(
        self,
        tag: str,
        level: LogLevel = LogLevel.NONE,
        logger: TxLogger | None = None,
        context: Mapping[str, str] | None = None,
    ) -> None:
        self._tag = tag
        self._level = level
        self._logger = logger or StandardLogger()
        self._context = context if context is not None else {}

    def child(self, tag: str, **context: str) -> Log:
        """The same log under another tag; its records are also about `context`."""
        return Log(tag, self._level, self._logger, ChainMap(context, self._context))  # type: ignore[arg-type]

    def error(self, message: str, exception: BaseException | None = None) -> None:
        """Log something that broke."""
        self._emit(LogLevel.ERROR, message, exception)

    def warning(self, message: str, exception: BaseException | None = None) -> None:
        """Log something odd that was survived."""
        self._emit(LogLevel.WARNING, message, exception)

    def unretrieved(self, message: str) -> None:
        """Log a failure that nobody awaits; at every level, even NONE, as asyncio does for its own."""
        self._write(LogLevel.WARNING, message, None)

    def info(self, message: str) -> None:
        """Log a step a user cares about."""
        self._emit(LogLevel.INFO, message, None)

    def debug(self, message: str) -> None:
        """Log a step a developer cares about."""
        self._emit(LogLevel.DEBUG, message, None)

    def frame(self, direction: str, frame: str | bytes) -> None:
        """Log a frame of the wire, redacted.

        Args:
            direction: `">"` for what leaves, `"<"` for what arrives.
            frame: The frame as it is on the wire.
        """
        if self._level.admits(LogLevel.VERTO):
            self._emit(LogLevel.VERTO, f"{direction} {redact(frame)}", None)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Let `log_context` say what this log is about, in this task and those that it starts, while it lasts."""
        token = _context.set(self._context)
        try:
            yield
        finally:
            _context.reset(token)

    def _emit(self, level: LogLevel, message: str, exception: BaseException | None) -> None:
        if self._level.admits(level):
            self._write(level, message, exception)

    def _write(self, level: LogLevel, message: str, exception: BaseException | None) -> None:
        with self.scope():
            try:
                self._logger.log(level, self._tag, clean(mask(message)), exception)
            except Exception:
                # It may have been the standard tree that failed, with a handler that raises.
                with suppress(Exception):
                    logging.getLogger("telnyx_native.logs").exception("the logger %r failed", self._logger)
