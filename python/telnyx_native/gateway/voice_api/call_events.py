"""What has happened in calls, for who asks later: `GET /v2/call_events`."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from telnyx_native.gateway.voice_api.events import Event

__all__ = ["CallEvents"]

MOST_SESSIONS = 1000
"""Sessions whose events are kept; of more, the one goes that nothing has happened in for the longest time."""

MOST_EVENTS = 100
"""Events that are kept of one session, the latest ones."""


class CallEvents:
    """The latest events by session, without the SIP headers, which may be long."""

    def __init__(self) -> None:
        self._by_session: OrderedDict[str, deque[Event]] = OrderedDict()

    def add(self, event: Event) -> None:
        """Keep an event."""
        payload = {name: value for name, value in event["payload"].items() if name != "custom_headers"}
        session_id = payload["call_session_id"]
        self._by_session.setdefault(session_id, deque(maxlen=MOST_EVENTS)).append(event | {"payload": payload})
        self._by_session.move_to_end(session_id)
        if len(self._by_session) > MOST_SESSIONS:
            self._by_session.popitem(last=False)

    def listed(self, session_id: str) -> dict[str, Any]:
        """Return the events of a session, the oldest first, as the API lists them: on one page."""
        events = [_entry(event) for event in self._by_session.get(session_id, ())]
        return {"data": events, "meta": {"page_number": 1, "total_pages": 1, "total_results": len(events)}}


def _entry(event: Event) -> dict[str, Any]:
    payload = event["payload"]
    return {
        "record_type": "call_event",
        "type": "webhook",
        "name": event["event_type"],
        "call_leg_id": payload["call_leg_id"],
        "call_session_id": payload["call_session_id"],
        "event_timestamp": event["occurred_at"],
        "metadata": payload,
    }
