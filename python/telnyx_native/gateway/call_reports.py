"""What clients report about their calls when they are over."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from telnyx_native.logs import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_native.gateway.limits import Limits

__all__ = ["CallReport", "CallReports"]


@dataclass(frozen=True)
class CallReport:
    """A report of a client about one of its calls, or about a part of a long one.

    Attributes:
        call_id: The call.
        report_id: The id under which the gateway has asked for reports.
        voice_sdk_id: What the client knows the server by; `None` if it does not say.
        body: The report: `summary`, `stats`, `logs` and more, as the client made it, without secrets.
        received: When it came.
    """

    call_id: str
    report_id: str
    voice_sdk_id: str | None
    body: Mapping[str, Any] = field(repr=False)
    received: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def parse(cls, text: str, *, call_id: str, report_id: str, voice_sdk_id: str | None) -> CallReport:
        """Read the body of a report. Clients log their whole signalling in it, passwords included: those go.

        Raises:
            ValueError: It is no JSON object.
        """
        try:
            body = json.loads(redact(text))
        except RecursionError:
            raise ValueError("the report is nested too deeply") from None
        if not isinstance(body, dict):
            raise ValueError("the report is not an object")
        return cls(call_id, report_id, voice_sdk_id, body)


class CallReports:
    """The latest call reports, the oldest first, bounded in number and in bytes.

    Args:
        limits: The bounds.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._key = secrets.token_bytes(32)
        self._reports: deque[tuple[CallReport, int]] = deque()
        self._size = 0

    def __iter__(self) -> Iterator[CallReport]:
        return (report for report, _ in self._reports)

    def __len__(self) -> int:
        return len(self._reports)

    def id_for(self, sessid: str) -> str:
        """Return the id under which the client of a session may send reports.

        The second half of it signs the first, so that it is recognised, even after the session, without a list.
        """
        head = hashlib.sha256(sessid.encode(errors="replace")).digest()[:8]
        return str(UUID(bytes=head + self._sign(head)))

    def knows(self, report_id: str) -> bool:
        """Whether an id is one that was given to a client."""
        try:
            data = UUID(report_id).bytes
        except ValueError:
            return False
        return hmac.compare_digest(data[8:], self._sign(data[:8]))

    def add(self, report: CallReport, size: int) -> None:
        """Keep a report that took `size` bytes; the oldest go when it is too much."""
        self._reports.append((report, size))
        self._size += size
        while len(self._reports) > self._limits.call_reports or self._size > self._limits.call_reports_size:
            _, gone = self._reports.popleft()
            self._size -= gone

    def _sign(self, head: bytes) -> bytes:
        return hmac.digest(self._key, head, "sha256")[:8]
