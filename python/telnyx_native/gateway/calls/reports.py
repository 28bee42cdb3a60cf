"""Reports of clients about their calls."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from sys import getsizeof
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakValueDictionary

from telnyx_native.event_loop import run_blocking
from telnyx_native.gateway.accounts.users import User
from telnyx_native.logs import redact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from telnyx_native.gateway.limits import GatewayLimits

__all__ = ["CallReport", "CallReports"]


REPORT_OVERHEAD = 1024
"""Bytes that a report takes beside its text."""

REPORTS_AT_ONCE = 4
"""Reports that an account may send at a time."""

ACCOUNT_BYTES = 4
"""Bytes of a report's id that tell whose client it was given to."""


@dataclass(frozen=True)
class CallReport:
    """A report of a client about one of its calls, or about a part of a long one.

    Attributes:
        call_id: The call.
        report_id: The id under which the gateway has asked for reports.
        voice_sdk_id: What the client knows the server by; `None` if it does not say.
        text: The report as the client made it, JSON in UTF-8, but without secrets.
        received: When it came.
    """

    call_id: str
    report_id: str
    voice_sdk_id: str | None
    text: bytes = field(repr=False)
    received: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def parse(cls, text: str, *, call_id: str, report_id: str, voice_sdk_id: str | None) -> CallReport:
        """Read the body of a report. Clients log their whole signalling in it, passwords included: those are removed.

        Raises:
            ValueError: It is no JSON object.
        """
        try:
            clean = redact(text)
            if not isinstance(json.loads(clean), dict):
                raise ValueError("the report is not an object")
        except RecursionError:
            raise ValueError("the report is nested too deeply") from None
        return cls(call_id, report_id, voice_sdk_id, clean.encode(errors="replace"))

    @property
    def body(self) -> Mapping[str, Any]:
        """The report as an object: `summary`, `stats`, `logs` and more. It is read anew each time: it can be large."""
        body: dict[str, Any] = json.loads(self.text)
        return body


class CallReports:
    """The latest call reports, the oldest first, bounded in number and in bytes.

    They are kept as text: as objects, the same bytes may take twenty times as much. When there are too many, the oldest
    of the account goes that has the most, so that nobody's reports push out those of others.
    """

    def __init__(self, limits: GatewayLimits) -> None:
        self._limits = limits
        self._key = secrets.token_bytes(32)
        self._reports: list[CallReport] = []
        self._slots: WeakValueDictionary[bytes, asyncio.Semaphore] = WeakValueDictionary()
        self._reading = asyncio.Lock()
        self._sizes: Counter[bytes] = Counter()  # by account

    def __iter__(self) -> Iterator[CallReport]:
        return iter(list(self._reports))

    def __len__(self) -> int:
        return len(self._reports)

    def id_for(self, account: object, sessid: str) -> str:
        """Return the id under which the client of an account's session may send reports.

        The second half of it signs the first, so that it is recognised, even after the session, without a list. The
        first half tells the account, and the session.
        """
        name = account.name if isinstance(account, User) else f"guest of {account}"
        head = _short_hash(name) + _short_hash(sessid)
        return str(UUID(bytes=head + self._sign(head)))

    @staticmethod
    def account_of(report_id: str) -> bytes:
        """Return the part of an id that tells the account."""
        return UUID(report_id).bytes[:ACCOUNT_BYTES]

    def knows(self, report_id: str) -> bool:
        """Whether an id is one that was given to a client."""
        try:
            data = UUID(report_id).bytes
        except ValueError:
            return False
        return hmac.compare_digest(data[8:], self._sign(data[:8]))

    @asynccontextmanager
    async def receiving(self, report_id: str) -> AsyncIterator[None]:
        """Receive a report while the context lasts; an account sends a few at a time, the others wait."""
        slots = self._slots.setdefault(self.account_of(report_id), asyncio.Semaphore(REPORTS_AT_ONCE))
        async with slots:
            yield

    async def read(self, data: bytes, *, call_id: str, report_id: str, voice_sdk_id: str | None) -> CallReport:
        """Read a report beside the loop, one after the other: while it is read, it takes many times its size.

        Raises:
            ValueError: It is no JSON object.
        """
        async with self._reading:
            text = data.decode(errors="replace")
            return await run_blocking(
                CallReport.parse, text, call_id=call_id, report_id=report_id, voice_sdk_id=voice_sdk_id
            )

    def add(self, report: CallReport) -> None:
        """Keep a report; drop others when there are too many."""
        self._reports.append(report)
        self._sizes[self.account_of(report.report_id)] += _size_of(report)
        limits = self._limits
        while len(self._reports) > limits.call_reports or self._sizes.total() > limits.call_reports_size:
            ((account, _),) = self._sizes.most_common(1)
            gone = next(one for one in self._reports if self.account_of(one.report_id) == account)
            self._reports.remove(gone)
            self._sizes[account] -= _size_of(gone)
        self._sizes = +self._sizes

    def _sign(self, head: bytes) -> bytes:
        return hmac.digest(self._key, head, "sha256")[:8]


def _short_hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()[:ACCOUNT_BYTES]


def _size_of(report: CallReport) -> int:
    return getsizeof(report.text) + REPORT_OVERHEAD
