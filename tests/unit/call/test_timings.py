from __future__ import annotations

from telnyx_native.call.timings import CallTimings


def test_only_the_first_mark_counts() -> None:
    timings = CallTimings(created=1.0)
    assert timings.since_created("ringing") is None
    timings.mark("ringing")
    first = timings.ringing
    timings.mark("ringing")
    assert timings.ringing == first
    assert first is not None
    assert timings.since_created("ringing") == first - 1.0
