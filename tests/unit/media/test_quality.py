from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.media.quality import CallQuality, CallQualityMetrics, mean_opinion_score

STATS = {
    "in": {"type": "inbound-rtp", "kind": "audio", "packetsReceived": 98, "packetsLost": 2, "jitter": 9.0},
    "video": {"type": "inbound-rtp", "kind": "video", "packetsReceived": 7, "packetsLost": 7},
    "out": {"type": "outbound-rtp", "kind": "audio", "packetsSent": 105},
    "far": {"type": "remote-inbound-rtp", "kind": "audio", "jitter": 0.01, "roundTripTime": 0.08},
    "other": {"type": "transport"},
}


def test_perfect_line():
    assert mean_opinion_score(jitter=0, rtt=0, loss=0) == pytest.approx(4.41, abs=0.005)


@pytest.mark.parametrize(
    ("jitter_ms", "rtt_ms", "loss", "mos"),
    [
        # Worked out by hand from the formula of the Telnyx JS SDK.
        (10, 80, 0.0, 4.385),
        (0, 600, 0.0, 3.712),
        (0, 0, 0.01, 3.999),
        (0, 0, 0.10, 2.328),
    ],
)
def test_known_scores(jitter_ms, rtt_ms, loss, mos):
    assert mean_opinion_score(jitter=jitter_ms / 1000, rtt=rtt_ms / 1000, loss=loss) == pytest.approx(mos, abs=0.001)


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 1))
def test_score_stays_on_its_scale(jitter, rtt, loss):
    assert 1 <= mean_opinion_score(jitter=jitter, rtt=rtt, loss=loss) <= 5


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_unknown_input_gives_no_score(odd):
    assert math.isnan(mean_opinion_score(jitter=odd, rtt=0, loss=0))
    assert math.isnan(mean_opinion_score(jitter=0, rtt=odd, loss=0))


@pytest.mark.parametrize(
    ("mos", "quality"),
    [
        (4.41, CallQuality.EXCELLENT),
        (4.2, CallQuality.GOOD),
        (4.1, CallQuality.GOOD),
        (4.05, CallQuality.FAIR),
        (3.7, CallQuality.FAIR),
        (3.65, CallQuality.POOR),
        (3.1, CallQuality.POOR),
        (3.0, CallQuality.BAD),
        (1.0, CallQuality.BAD),
        (math.nan, CallQuality.UNKNOWN),
        (None, CallQuality.UNKNOWN),
    ],
)
def test_bands_have_no_gaps(mos, quality):
    assert CallQuality.from_mos(mos) is quality


def test_metrics_from_statistics():
    metrics = CallQualityMetrics.from_stats(STATS)
    assert (metrics.jitter, metrics.rtt) == (0.01, 0.08)
    assert (metrics.packets_sent, metrics.packets_received, metrics.packets_lost) == (105, 98, 2)
    assert metrics.loss == pytest.approx(0.02)
    assert metrics.mos == mean_opinion_score(jitter=0.01, rtt=0.08, loss=0.02)
    assert metrics.quality is CallQuality.POOR


def test_metrics_before_the_remote_has_reported():
    metrics = CallQualityMetrics.from_stats({})
    assert math.isnan(metrics.mos)
    assert metrics.quality is CallQuality.UNKNOWN
    assert metrics.loss == 0


def test_duplicates_are_no_negative_loss():
    assert CallQualityMetrics.from_stats({"in": STATS["in"] | {"packetsLost": -3}}).loss == 0
