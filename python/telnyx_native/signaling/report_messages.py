"""The messages of a debug report: statistics of a call that go to Telnyx while it lasts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from telnyx_native.events import SocketMethod

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DebugReportData", "DebugReportStart", "DebugReportStop"]

VERSION = 1


@dataclass(frozen=True)
class _DebugReport:
    """A message of a debug report.

    Attributes:
        report_id: The report.
        call_id: The call that it is about.
    """

    sticky: ClassVar[bool] = False

    report_id: str
    call_id: str

    def params(self) -> dict[str, Any]:
        """The members of the message."""
        return {"debug_report_id": self.report_id, "debug_report_version": VERSION, "call_id": self.call_id}


@dataclass(frozen=True)
class DebugReportStart(_DebugReport):
    """Begin a report."""

    method: ClassVar[SocketMethod] = SocketMethod.DEBUG_REPORT_START


@dataclass(frozen=True)
class DebugReportStop(_DebugReport):
    """End a report."""

    method: ClassVar[SocketMethod] = SocketMethod.DEBUG_REPORT_STOP


@dataclass(frozen=True)
class DebugReportData(_DebugReport):
    """Tell of one event.

    Attributes:
        data: The event, as the Telnyx JS SDK's WebRTC monitor describes it.
    """

    method: ClassVar[SocketMethod] = SocketMethod.DEBUG_REPORT_DATA

    data: Mapping[str, Any] = field(repr=False)

    def params(self) -> dict[str, Any]:
        """The members of the message."""
        return super().params() | {"debug_report_data": dict(self.data)}
