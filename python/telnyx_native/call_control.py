"""Telnyx's Voice API (call control), through the official `telnyx` package: `pip install "telnyx-native[rest]"`.

What becomes of a command, Telnyx tells by webhooks, which a program without a public address cannot get. It also keeps
them, and lists them by session (`GET /v2/call_events`): there a transfer is followed, whose new leg is marked
(`target_leg_client_state`).
"""

from __future__ import annotations

import base64
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from telnyx_native.errors import CallError, ConfigurationError
from telnyx_native.event_loop import run_blocking
from telnyx_native.redaction import Secret, keep_secret
from telnyx_native.rest import TIMEOUT, details_of, telnyx_package, translated
from telnyx_native.states import TransferOutcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

__all__ = ["CallControl", "TransferApi", "TransferOrder", "outcome_among"]


@dataclass(frozen=True)
class CallControl:
    """What lets a client command its calls by Telnyx's Voice API, see `Call.transfer`.

    Attributes:
        api_key: A key of the Telnyx API (v2); never logged.
        base_url: Where the API is, if not at Telnyx.

    Raises:
        ConfigurationError: The key is empty.
    """

    api_key: str = field(repr=False)
    base_url: str | None = None

    def __post_init__(self) -> None:
        if not self.api_key:
            raise ConfigurationError("api_key is empty; create one in the Telnyx portal")
        keep_secret(self, "api_key")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TransferApi]:
        """Have connections to the API for as long as the context lasts.

        Raises:
            ConfigurationError: The package `telnyx` is not installed.
        """
        client = await run_blocking(self._make_client)  # loads the package, and certificates: not on the event loop
        try:
            yield TransferApi(client)
        finally:
            await client.close()

    def _make_client(self) -> Any:
        key = Secret(self.api_key).reveal()
        return telnyx_package().AsyncTelnyx(api_key=key, base_url=self.base_url, timeout=TIMEOUT)


@dataclass(frozen=True)
class TransferOrder:
    """A transfer, as it is asked for.

    Attributes:
        call_control_id: The leg that is transferred.
        session_id: The session that the new leg will belong to.
        to: Who is called.
        caller: The number that they see.
        headers: SIP headers for them.
        timeout: Seconds for which it may ring.
        mark: What the new leg is recognised by.
    """

    call_control_id: str
    session_id: str
    to: str
    caller: str | None
    headers: Mapping[str, str]
    timeout: float
    mark: str = field(default_factory=lambda: base64.b64encode(uuid4().bytes).decode())


class TransferApi:
    """The part of the API that transfers need.

    Args:
        client: The `AsyncTelnyx` that does the HTTP.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    async def command(self, order: TransferOrder) -> None:
        """Have a transfer begun.

        Raises:
            AuthenticationError: The key is not good.
            CallError: The API does not know the call, or refuses the command; `code` is the API's.
            RestError: The API refused for another reason, or was not reached.
        """
        wanted = {"from_": order.caller} if order.caller else {}
        with translated("transfer the call"), _refused("transfer the call"):
            await self._client.calls.actions.transfer(
                order.call_control_id,
                to=order.to,
                timeout_secs=ceil(order.timeout),
                custom_headers=[{"name": name, "value": value} for name, value in order.headers.items()],
                target_leg_client_state=order.mark,
                command_id=order.mark,  # so that it can be sent again
                **wanted,
            )

    async def bridge(self, call_control_id: str, other: str) -> None:
        """Have the parties of two legs connected.

        Raises:
            AuthenticationError: The key is not good.
            CallError: The API does not know one of the calls, or refuses the command; `code` is the API's.
            RestError: The API refused for another reason, or was not reached.
        """
        with translated("bridge the calls"), _refused("bridge the calls"):
            await self._client.calls.actions.bridge(
                call_control_id, call_control_id_to_bridge_with=other, command_id=str(uuid4())
            )

    async def outcome(self, order: TransferOrder) -> TransferOutcome | None:
        """Return what has become of a transfer; `None` while that is open.

        Raises:
            AuthenticationError: The key is not good.
            RestError: The API refused, or was not reached.
        """
        with translated("tell what became of the transfer"):
            page = await self._client.call_events.list(filter={"application_session_id": order.session_id})
        return outcome_among(((event.name, event.metadata) for event in page.data or ()), order.mark)


@contextmanager
def _refused(task: str) -> Iterator[None]:
    """What the API refuses about a call is a `CallError`."""
    telnyx = telnyx_package()
    try:
        yield
    except (telnyx.NotFoundError, telnyx.UnprocessableEntityError) as error:
        message = f"the Telnyx API refused to {task}: {error.status_code}{details_of(error.body)}"
        raise CallError(message, code=_code_of(error.body) or error.status_code) from None


_OUTCOMES = {
    "user_busy": TransferOutcome.BUSY,
    "timeout": TransferOutcome.NO_ANSWER,
    "no_answer": TransferOutcome.NO_ANSWER,
    "call_rejected": TransferOutcome.REJECTED,
    "not_found": TransferOutcome.WRONG_NUMBER,
}
"""By `hangup_cause`."""


def outcome_among(events: Iterable[tuple[str, object]], mark: str) -> TransferOutcome | None:
    """Return what the events of a session say about the transfer whose leg has a mark; `None` if they leave it open.

    Args:
        events: Names, and what is known of each; the webhook may be anywhere inside.
        mark: The `client_state` of the new leg.
    """
    outcome = None
    for name, metadata in events:
        for payload in _payloads(metadata):
            if payload.get("client_state") != mark:
                continue
            if name == "call.bridged":
                return TransferOutcome.BRIDGED
            if name == "call.hangup":
                outcome = _OUTCOMES.get(str(payload.get("hangup_cause")), TransferOutcome.UNREACHABLE)
    return outcome


DEEPEST = 5
"""Objects within each other that are looked through for a webhook."""


def _payloads(value: object, depth: int = DEEPEST) -> Iterator[Mapping[str, object]]:
    """The objects in an event that say whose they are."""
    if not isinstance(value, dict) or depth == 0:
        return
    if "client_state" in value:
        yield value
    for inner in value.values():
        yield from _payloads(inner, depth - 1)


def _code_of(body: object) -> int | None:
    """The API's code of the first error, `{"errors": [{"code"}]}`."""
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    return int(code) if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10 else None
