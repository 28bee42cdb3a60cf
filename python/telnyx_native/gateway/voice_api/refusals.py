"""Why a request to the Voice API is refused: Telnyx's error codes, as its own clients type them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

__all__ = ["Refusal"]


class Refusal(Exception):  # noqa: N818 - not every one is an error of ours
    """A request that is refused. Codes and titles are Telnyx's ("API error codes", developers.telnyx.com).

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, status: HTTPStatus, code: str, title: str, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self._error = {"code": code, "title": title, "detail": detail}
        self._pointer = pointer

    def body(self) -> dict[str, Any]:
        """Return the body of the response."""
        source = {"source": {"pointer": self._pointer}} if self._pointer else {}
        return {"errors": [self._error | source]}

    @classmethod
    def unauthorized(cls) -> Refusal:
        """There is no key, or a wrong one."""
        detail = "The required authentication headers were either invalid or not included in the request."
        return cls(HTTPStatus.UNAUTHORIZED, "10009", "Authentication failed", detail)

    @classmethod
    def malformed(cls, detail: str) -> Refusal:
        """The body cannot be read."""
        return cls(HTTPStatus.BAD_REQUEST, "10015", "Bad Request", detail)

    @classmethod
    def not_found(cls) -> Refusal:
        """There is no such call, or no such command."""
        detail = "The requested resource or URL could not be found."
        return cls(HTTPStatus.NOT_FOUND, "10005", "Resource not found", detail)

    @classmethod
    def missing(cls, name: str) -> Refusal:
        """A parameter is needed."""
        return cls._unprocessable("10004", "Missing required parameter", f"The parameter {name} is required.", name)

    @classmethod
    def invalid(cls, name: str, what: str) -> Refusal:
        """A parameter is not what it must be."""
        return cls._unprocessable("10015", "Bad Request", f"Invalid value for {name}: {what}.", name)

    @classmethod
    def invalid_url(cls, name: str, what: str) -> Refusal:
        """An address is none, or leads where nothing is fetched from or sent to."""
        return cls._unprocessable("10003", "Invalid URL", f"Invalid value for {name}: {what}.", name)

    @classmethod
    def invalid_call(cls, name: str) -> Refusal:
        """A parameter names a call that there is not."""
        return cls._unprocessable("90015", "Invalid Call Control ID", f"The {name} provided was not valid.", name)

    @classmethod
    def ended(cls) -> Refusal:
        """The call is over."""
        detail = "This call is no longer active and can't receive commands."
        return cls._unprocessable("90018", "Call has already ended", detail)

    @classmethod
    def not_answered(cls, command: str) -> Refusal:
        """The call must be answered first."""
        detail = f"This call can't receive {command} command because it has not been answered yet."
        return cls._unprocessable("90034", "Call not answered yet", detail)

    @classmethod
    def wrong_state(cls, detail: str) -> Refusal:
        """The call is not in a state for the command."""
        return cls._unprocessable("10015", "Bad Request", detail)

    @classmethod
    def too_many(cls, detail: str) -> Refusal:
        """There is as much of something as there may be."""
        return cls(HTTPStatus.TOO_MANY_REQUESTS, "10011", "Too many requests", detail)

    @classmethod
    def _unprocessable(cls, code: str, title: str, detail: str, name: str | None = None) -> Refusal:
        return cls(HTTPStatus.UNPROCESSABLE_ENTITY, code, title, detail, f"/{name}" if name else None)
