"""The report of one call: how it went, second by second."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any

from telnyx_native.media.stats import AudioStats
from telnyx_native.report.interval import interval, utc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telnyx_native.media.stats import StatsReport

__all__ = ["CallReport"]

MOST_SAMPLES = 240
"""Samples that a report holds; beyond that every second one goes, so that it spans the call whatever its length."""

MOST_EVENTS = 200
"""Events that a report holds; the later ones are left out and counted."""


class CallReport:
    """Collects what happens to a call.

    Samples are kept small: picked, and compressed to about a kilobyte each.

    Attributes:
        left_out: Events that there was no room for.
        segments: Parts of the report that were delivered while the call went on.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self.segments = 0
        self._delivered_until: datetime | None = None
        self._delivered_events = 0
        self._begin = datetime.now(UTC)
        self._began = monotonic()
        self._samples: list[tuple[datetime, bytes]] = []
        self._taken = 0
        self._stride = 1
        self._events: list[dict[str, Any]] = []

    @property
    def samples(self) -> int:
        """Samples taken so far."""
        return self._taken

    def add_sample(self, at: float, stats: StatsReport) -> None:
        """Take the statistics of the call at a moment, in seconds of `time.monotonic`."""
        if self._taken % self._stride == 0:
            picked = json.dumps(AudioStats.of(stats).as_dict()).encode()
            self._samples.append((self._moment(at), zlib.compress(picked, 1)))
        self._taken += 1
        if len(self._samples) > MOST_SAMPLES:
            del self._samples[1::2]
            self._stride *= 2

    def add_event(self, level: str, message: str) -> None:
        """Note something that happened; `level` is `debug`, `info`, `warn` or `error`."""
        if len(self._events) == MOST_EVENTS:
            self.left_out += 1
            return
        self._events.append({"timestamp": utc(self._moment(monotonic())), "level": level, "message": message})

    def _moment(self, at: float) -> datetime:
        """The time of day at a moment, as if the clock on the wall had not been set since the beginning."""
        return self._begin + timedelta(seconds=at - self._began)

    def note_delivered(self, segment: Mapping[str, Any]) -> None:
        """A segment is where it is wanted: the next one begins at its end."""
        self.segments += 1
        self._delivered_until = datetime.fromisoformat(segment["summary"]["endTimestamp"])
        self._delivered_events += len(segment["logs"])

    def as_dict(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """Return the whole report as Telnyx takes it.

        Args:
            summary: What is known about the call as a whole; its times are added.
        """
        return self._body(summary, since=None, events=self._events)

    def next_segment(self, summary: Mapping[str, Any], flush_reason: str | None = None) -> dict[str, Any]:
        """Return what was not delivered yet, as Telnyx takes it.

        Args:
            summary: What is known about the call as a whole; its times are added.
            flush_reason: Why the report does not wait for the end of the call; `None` at the end.
        """
        events = self._events[self._delivered_events :]
        segment = self._body(summary, since=self._delivered_until, events=events)
        if flush_reason or self.segments:
            segment["segment"] = self.segments
        if flush_reason:
            segment["flushReason"] = {"type": flush_reason}
        return segment

    def _body(
        self, summary: Mapping[str, Any], *, since: datetime | None, events: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        end = self._moment(monotonic())
        times = {
            "startTimestamp": utc(self._begin),
            "endTimestamp": utc(end),
            "durationSeconds": round((end - self._begin).total_seconds(), 3),
        }
        samples = [(at, AudioStats(**json.loads(zlib.decompress(picked)))) for at, picked in list(self._samples)]
        spans = [(older, newer) for older, newer in pairwise(samples) if since is None or newer[0] > since]
        return {
            "summary": {**summary, **times},
            "stats": [interval(*older, *newer) for older, newer in spans],
            "logs": list(events),
        }
