"""Telnyx's webhooks: verified, told apart, and counted."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from telnyx_native.errors import ConfigurationError
from telnyx_native.untrusted_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LARGEST", "CallWebhook", "WebhookCounters", "Webhooks"]

logger = logging.getLogger(__name__)

TOLERANCE = 300.0
"""Seconds that a webhook's time stamp may differ from this clock, as in Telnyx's packages."""

REMEMBERED = 100_000
"""Ids of events that are remembered, to know repetitions; at 100 calls a second more than the time they may come in."""

LARGEST = 256 * 1024
"""Bytes of a webhook: the `client_max_size` of the application that `Webhooks.handle` belongs to."""


@dataclass(frozen=True)
class CallWebhook:
    """What a webhook says of a call.

    Attributes:
        type: The event, such as `call.initiated`.
        control_id: What commands about this leg of the call are sent to.
        session_id: What the legs of the call have in common.
        direction: `incoming` or `outgoing`, seen from the application.
        caller: The number that calls.
        payload: All that it says.
    """

    type: str
    control_id: str
    session_id: str
    direction: str
    caller: str = field(repr=False)
    payload: Mapping[str, Any] = field(repr=False)


@dataclass
class WebhookCounters:
    """What became of webhooks so far.

    Attributes:
        taken: Handed on.
        bad_signature: Refused: not signed, or not by Telnyx.
        too_old: Refused: signed too long ago, or in the future.
        repeated: Ignored: of an event that was handed on.
        too_large: Refused: longer than the application takes.
        malformed: Ignored: no webhook of a call.
    """

    taken: int = 0
    bad_signature: int = 0
    too_old: int = 0
    repeated: int = 0
    too_large: int = 0
    malformed: int = 0


class Webhooks:
    """Takes webhooks; `handle` is a handler for aiohttp.

    Args:
        public_key: Telnyx's Ed25519 key in base64.
        take: Called with each event of a call, in the order in which they come; it must not raise.

    Attributes:
        counters: What became of webhooks so far.

    Raises:
        ConfigurationError: The key is none, or the package `cryptography` is missing.
    """

    def __init__(self, public_key: str, take: Callable[[CallWebhook], None]) -> None:
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        except ImportError:
            raise ConfigurationError('webhooks need the extra: pip install "telnyx-native[fleet]"') from None
        try:
            self._key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        except (ValueError, binascii.Error):
            raise ConfigurationError("voice_api.public_key is no Ed25519 key in base64; the portal shows it") from None
        self._invalid = InvalidSignature
        self._take = take
        self._seen: OrderedDict[str, None] = OrderedDict()
        self.counters = WebhookCounters()

    async def handle(self, request: web.Request) -> web.Response:
        """Take a webhook."""
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            self.counters.too_large += 1
            logger.warning("a webhook from %s is too large: refused", request.remote)
            raise
        stamp = request.headers.get("telnyx-timestamp", "")
        if not self._is_signed(request.headers.get("telnyx-signature-ed25519", ""), stamp, body):
            self.counters.bad_signature += 1
            logger.warning("a webhook from %s is not signed by Telnyx: refused", request.remote)
            return web.Response(status=401)
        if not _is_recent(stamp):
            self.counters.too_old += 1
            logger.warning("a webhook from %s has the time %s: refused", request.remote, one_line(stamp))
            return web.Response(status=401)
        self._read(body)
        return web.Response()

    def _is_signed(self, signature: str, stamp: str, body: bytes) -> bool:
        try:
            self._key.verify(base64.b64decode(signature, validate=True), f"{stamp}|".encode() + body)
        except (self._invalid, ValueError, binascii.Error):
            return False
        return True

    def _read(self, body: bytes) -> None:
        event_id, webhook = _parse(body)
        if webhook is None:
            self.counters.malformed += 1
            logger.debug("a webhook is none of a call")
        elif event_id in self._seen:
            self.counters.repeated += 1
        else:
            self._seen[event_id] = None
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            self.counters.taken += 1
            self._take(webhook)


def _is_recent(stamp: str) -> bool:
    return stamp.isdecimal() and len(stamp) <= 20 and abs(time.time() - int(stamp)) <= TOLERANCE


def _parse(body: bytes) -> tuple[str, CallWebhook | None]:
    try:
        data = json.loads(body)["data"]
        payload = data["payload"]
        texts = [data["id"], data["event_type"], payload["call_control_id"], payload["call_session_id"]]
        direction, caller = payload.get("direction") or "", payload.get("from") or ""
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "", None
    if not all(isinstance(text, str) and 0 < len(text) < 1000 for text in texts):
        return "", None
    if not isinstance(direction, str) or not isinstance(caller, str) or len(caller) > 1000:
        return "", None
    event_id, kind, control_id, session_id = texts
    return event_id, CallWebhook(kind, control_id, session_id, direction, caller, payload)
