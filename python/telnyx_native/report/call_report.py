"""The report of one call: how it went, second by second."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from telnyx_native.media.stats import AudioStats
from telnyx_native.report.interval import interval, utc

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._begin = datetime.now(UTC)
        self._samples: list[tuple[datetime, bytes]] = []
        self._taken = 0
        self._stride = 1
        self._events: list[dict[str, Any]] = []

    def add_sample(self, at: datetime, stats: StatsReport) -> None:
        """Take the statistics of the call at a moment."""
        if self._taken % self._stride == 0:
            picked = json.dumps(AudioStats.of(stats).as_dict()).encode()
            self._samples.append((at, zlib.compress(picked, 1)))
        self._taken += 1
        if len(self._samples) > MOST_SAMPLES:
            del self._samples[1::2]
            self._stride *= 2

    def add_event(self, level: str, message: str) -> None:
        """Note something that happened; `level` is `debug`, `info`, `warn` or `error`."""
        if len(self._events) == MOST_EVENTS:
            self.left_out += 1
            return
        self._events.append({"timestamp": utc(datetime.now(UTC)), "level": level, "message": message})

    def as_dict(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """Return the report as Telnyx takes it.

        Args:
            summary: What is known about the call as a whole; its times are added.
        """
        end = datetime.now(UTC)
        times = {
            "startTimestamp": utc(self._begin),
            "endTimestamp": utc(end),
            "durationSeconds": round((end - self._begin).total_seconds(), 3),
        }
        samples = [(at, AudioStats(**json.loads(zlib.decompress(picked)))) for at, picked in self._samples]
        return {
            "summary": {**summary, **times},
            "stats": [interval(begin, older, at, newer) for (begin, older), (at, newer) in pairwise(samples)],
            "logs": list(self._events),
        }
