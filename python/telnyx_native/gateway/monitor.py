"""Events of a gateway: users, calls, frames, measurements and push notifications."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from telnyx_native.errors import MediaError
from telnyx_native.event_loop import Tasks
from telnyx_native.flow import SharedFlow
from telnyx_native.gateway.calls.leg import CalleeLeg, Leg, LegState
from telnyx_native.logs import redact
from telnyx_native.media.quality import CallQualityMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from telnyx_native.gateway.accounts.push import PushNotification

__all__ = ["GatewayEvent", "Monitor"]

MEASURING_INTERVAL = 0.5
"""Seconds between two measurements of the calls, while events are collected."""

LONGEST_MESSAGE = 16_384
"""Characters shown of a message on the wire."""

EventKind = Literal["user", "call", "message", "quality", "push"]


@dataclass(frozen=True)
class GatewayEvent:
    """Something that happened.

    Attributes:
        kind: `user`: somebody logged in, or has gone. `call`: a leg has begun, changed its state, or is on or
            off hold. `message`: a frame on the wire, without secrets. `quality`: a measurement of a leg's audio.
            `push`: a push notification that a device would get.
        data: The details, ready for JSON.
        time: When, in seconds since 1970.
    """

    kind: EventKind
    data: Mapping[str, Any]
    time: float = field(default_factory=time.time)


class Monitor:
    """Turns what happens into events. It costs next to nothing while nobody collects them.

    Attributes:
        events: What happens; a collector that does not keep up loses the oldest.
    """

    def __init__(self, calls: Callable[[], Sequence[Leg]]) -> None:
        self.events: SharedFlow[GatewayEvent] = SharedFlow()
        self._calls = calls
        self._begun: WeakKeyDictionary[Leg, float] = WeakKeyDictionary()
        self._tasks = Tasks()

    def start(self) -> None:
        """Begin to measure calls, while events are collected."""
        self._tasks.start(self._measure())

    async def close(self) -> None:
        """End the events, and every task."""
        self.events.close()
        await self._tasks.close()

    def user_changed(self, user: str, sessid: str, *, present: bool) -> None:
        """Report that a user has logged in, or has gone."""
        self._tell("user", {"user": user, "session": sessid, "present": present})

    def frame_passed(self, user: str, sessid: str, text: str | bytes, *, sent: bool) -> None:
        """Report a frame that a client has sent, or was sent."""
        if self.events.collected:
            details = {"user": user, "session": sessid, "sent": sent}
            self._tell("message", details | {"text": redact(text[:LONGEST_MESSAGE])[:LONGEST_MESSAGE]})

    def push_sent(self, push: PushNotification) -> None:
        """Report a push notification."""
        self._tell("push", {"user": push.user, "provider": push.provider.value, "payload": push.payload})

    def follow(self, leg: Leg) -> None:
        """Report each change of a leg that has just begun."""
        self._begun[leg] = time.time()
        self._tasks.start(self._follow(leg))

    def describe(self, leg: Leg) -> dict[str, Any]:
        """Describe a leg, ready for JSON."""
        info, reason = leg.info, leg.reason
        return {
            "id": info.ids.leg_id,
            "call_id": leg.call_id,
            "session_id": info.ids.session_id,
            "user": leg.user_name,
            "direction": "inbound" if isinstance(leg, CalleeLeg) else "outbound",
            "from": {"name": info.caller.name, "number": info.caller.number},
            "to": {"name": info.callee.name, "number": info.callee.number},
            "state": leg.state.value.value,
            "held": leg.held.value,
            "begun": self._begun.get(leg),
            "reason": reason and {"cause": reason.cause, "code": reason.cause_code, "sip_code": reason.sip_code},
        }

    def _tell(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        self.events.emit(GatewayEvent(kind, data))

    async def _follow(self, leg: Leg) -> None:
        async def each(changes: Any) -> None:
            async for _ in changes:
                self._tell("call", self.describe(leg))

        held = leg.held.collect()
        await anext(held)  # what it begins with is no change
        await asyncio.gather(each(leg.state.collect()), each(held))

    async def _measure(self) -> None:
        while not self.events.closed:
            await self.events.wait_collected()
            for leg in self._calls():
                if leg.state.value is LegState.ANSWERED:
                    await self._measure_leg(leg)
            await asyncio.sleep(MEASURING_INTERVAL)

    async def _measure_leg(self, leg: Leg) -> None:
        try:
            metrics = CallQualityMetrics.from_stats(await leg.peer.stats())
        except MediaError:
            return  # it has just ended
        self._tell("quality", {"id": leg.info.ids.leg_id, **_numbers(metrics)})


def _numbers(metrics: CallQualityMetrics) -> dict[str, float | None]:
    """The measurements a plot shows; `None` for what is not known."""
    values = {
        "mos": metrics.mos,
        "jitter": metrics.jitter,
        "rtt": metrics.rtt,
        "loss": metrics.loss,
        "level_in": metrics.inbound_level,
        "level_out": metrics.outbound_level,
    }
    return {name: None if value is None or math.isnan(value) else value for name, value in values.items()}
