"""The answer no: a request that is not done, with the code and the words that say why."""

from __future__ import annotations

from telnyx_native.errors import AUTHENTICATION_FAILED

__all__ = ["INTERNAL_ERROR", "METHOD_NOT_FOUND", "LoginRefused", "RequestRefused"]

METHOD_NOT_FOUND = -32601
"""JSON-RPC code: the method is not known."""

INTERNAL_ERROR = -32603
"""JSON-RPC code: the request was good, but the server failed."""


class RequestRefused(Exception):  # noqa: N818 - a refusal is an answer, not a failure
    """The request is answered with an error; one without a code is a fault on purpose."""

    def __init__(self, code: int | None, message: str) -> None:
        super().__init__(message)
        self.code = code


class LoginRefused(RequestRefused):
    """The login is answered with an error; after several the socket is closed.

    The code is never "authentication required": the Telnyx JS SDK answers that with another login, at once
    and for ever.
    """

    def __init__(self, message: str = "Login Incorrect") -> None:
        super().__init__(AUTHENTICATION_FAILED, message)
