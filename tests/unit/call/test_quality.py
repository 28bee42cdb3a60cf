from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from telnyx_native.call import quality
from telnyx_native.call.quality import QualityWarnings, StatsSample
from telnyx_native.errors import MediaError, TelnyxWarning, WarningCode
from telnyx_native.media.quality import CallQualityMetrics

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from telnyx_native.client import TelnyxClient

INTERVAL = 0.01


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telnyx_native.call.quality.INTERVAL", INTERVAL)


def count_stats(media: FakeEngine) -> list[float]:
    """Note when statistics are asked for."""
    asked: list[float] = []
    usual = media.peers[-1].stats

    async def stats() -> dict[str, Any]:
        asked.append(asyncio.get_running_loop().time())
        return await usual()

    media.peers[-1].stats = stats  # type: ignore[method-assign]
    return asked


async def test_nothing_is_measured_for_nobody(talking: Any, media: FakeEngine, until: Any) -> None:
    call = await talking()
    asked = count_stats(media)
    await asyncio.sleep(5 * INTERVAL)
    assert asked == []
    with call.call_quality_flow.collect() as collector:
        assert isinstance(await anext(collector), CallQualityMetrics)
    assert asked
    await asyncio.sleep(2 * INTERVAL)
    until_now = len(asked)
    await asyncio.sleep(5 * INTERVAL)
    assert len(asked) == until_now


async def test_nothing_is_measured_on_hold(talking: Any, media: FakeEngine) -> None:
    call = await talking()
    await call.hold()
    measured: list[CallQualityMetrics] = []
    call.on_call_quality_change = measured.append
    await asyncio.sleep(5 * INTERVAL)
    assert measured == []
    await call.unhold()
    await call.call_quality_flow.first(timeout=LIMIT)


async def test_measurements_end_with_the_call(talking: Any) -> None:
    call = await talking()
    collector = call.call_quality_flow.collect()
    await anext(collector)
    await call.end()
    async with asyncio.timeout(1):
        async for _ in collector:
            pass


async def test_measurements_of_a_call_that_never_was(online: TelnyxClient) -> None:
    call = await online.new_invite("echo")
    collector = call.call_quality_flow.collect()
    await call.end()
    assert [metrics async for metrics in collector] == []


async def test_listener(talking: Any, until: Any) -> None:
    call = await talking()
    heard: list[CallQualityMetrics] = []

    def listen(metrics: CallQualityMetrics) -> None:
        heard.append(metrics)
        raise RuntimeError("the application is broken")

    call.on_call_quality_change = listen
    assert call.on_call_quality_change is listen
    await until(lambda: len(heard) > 2)
    call.on_call_quality_change = None
    count = len(heard)
    await asyncio.sleep(3 * INTERVAL)
    assert len(heard) == count
    await call.end()
    call.on_call_quality_change = listen


async def test_missing_statistics_are_survived(talking: Any, media: FakeEngine) -> None:
    call = await talking()
    usual = media.peers[0].stats
    answers = iter([MediaError("busy")])

    async def stats() -> dict[str, Any]:
        if error := next(answers, None):
            raise error
        return await usual()

    media.peers[0].stats = stats  # type: ignore[method-assign]
    await call.call_quality_flow.first(timeout=LIMIT)


class Line:
    """A call, second by second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: list[TelnyxWarning] = []
        self.watch = QualityWarnings(self.warn)
        self.second = 0
        self.lost = 0
        self.sound = {"inbound": 0.2, "outbound": 0.2}
        self.rtt, self.jitter, self.loss, self.received, self.sent = 0.05, 0.002, 0, 50, 50
        self.bytes_received = self.bytes_sent = 0
        self.port = 9
        self.writes = True
        self.written = 0
        monkeypatch.setattr(quality, "monotonic", lambda: float(self.second))

    def warn(self, code: WarningCode, detail: str) -> None:
        self.given.append(TelnyxWarning.of(code, detail))

    def go_on(self, seconds: int, *, held: bool = False) -> list[str]:
        """Return the names of the warnings that came meanwhile."""
        self.given.clear()
        for _ in range(seconds):
            self.second += 1
            self.lost += self.loss
            self.bytes_received += 80 * self.received
            self.bytes_sent += 80 * self.sent
            self.written += 16_000 * self.writes
            self.watch.take(StatsSample(self.stats(), held=held, written=self.written))
        return [warning.name for warning in self.given]

    def stats(self) -> dict[str, dict[str, Any]]:
        inbound = {"packetsReceived": self.bytes_received // 80, "packetsLost": self.lost}
        return {
            "I": {
                "type": "inbound-rtp",
                "bytesReceived": self.bytes_received,
                "audioLevel": self.sound["inbound"],
                **inbound,
            },
            "O": {"type": "outbound-rtp", "bytesSent": self.bytes_sent},
            "R": {"type": "remote-inbound-rtp", "jitter": self.jitter, "roundTripTime": self.rtt},
            "S": {"type": "media-source", "audioLevel": self.sound["outbound"]},
            "T": {"type": "transport", "selectedCandidatePairId": "P"},
            "P": {"type": "candidate-pair", "localCandidateId": "L", "remoteCandidateId": "F"},
            "L": {"type": "local-candidate", "address": "192.0.2.1", "port": self.port},
            "F": {"type": "remote-candidate", "address": "192.0.2.2", "port": 9},
        }


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(monkeypatch)


def test_good_call_is_no_reason_to_warn(line: Line) -> None:
    assert line.go_on(100) == []


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"rtt": 0.45}, "HIGH_RTT"),
        ({"jitter": 0.04}, "HIGH_JITTER"),
        ({"loss": 1}, "HIGH_PACKET_LOSS"),
        ({"received": 0}, "LOW_BYTES_RECEIVED"),
        ({"sent": 0}, "LOW_BYTES_SENT"),
    ],
)
def test_fault_that_lasts_three_seconds(line: Line, fault: dict[str, float], name: str) -> None:
    line.go_on(5)
    vars(line).update(fault)
    assert line.go_on(2) == []
    assert line.go_on(1) == [name]


def test_low_score(line: Line) -> None:
    line.go_on(5)
    line.loss, line.jitter = 20, 0.02
    assert set(line.go_on(3)) == {"HIGH_PACKET_LOSS", "LOW_MOS"}


def test_fault_that_goes_and_comes_counts_anew(line: Line) -> None:
    for _ in range(5):
        line.rtt = 0.5
        assert line.go_on(2) == []
        line.rtt = 0.05
        assert line.go_on(1) == []


def test_same_warning_comes_every_fifteen_seconds_at_most(line: Line) -> None:
    line.rtt = 0.5
    assert line.go_on(34) == ["HIGH_RTT"] * 3


@pytest.mark.parametrize(("side", "name"), [("outbound", "LOW_LOCAL_AUDIO"), ("inbound", "LOW_INBOUND_AUDIO")])
def test_silence_from_the_beginning_is_soon_told(line: Line, side: str, name: str) -> None:
    line.sound[side] = 0.0
    assert line.go_on(5) == [name]


def test_silence_of_one_who_has_spoken_may_last(line: Line) -> None:
    line.go_on(5)
    line.sound["outbound"] = 0.0
    assert line.go_on(29) == []
    assert line.go_on(1) == ["LOW_LOCAL_AUDIO"]


def test_one_silence_is_one_warning(line: Line) -> None:
    line.go_on(5)
    line.sound["outbound"] = 0.0
    assert line.go_on(300) == ["LOW_LOCAL_AUDIO"]
    line.sound["outbound"] = 0.2
    line.go_on(5)
    line.sound["outbound"] = 0.0
    assert line.go_on(300) == ["LOW_LOCAL_AUDIO"]


@pytest.mark.parametrize("before", [0, 5])
def test_a_bot_that_listens_is_doing_its_job(line: Line, before: int) -> None:
    """It writes nothing; and a remote that is asked nothing may be silent, too."""
    line.go_on(before)
    line.writes = False
    line.sound["outbound"] = 0.0
    line.go_on(1)
    assert line.go_on(300) == []
    line.sound["inbound"] = 0.0
    assert line.go_on(300) == []


def test_a_remote_that_does_not_answer_is_told_of_once(line: Line) -> None:
    line.go_on(5)
    line.sound["inbound"] = 0.0
    assert line.go_on(300) == ["LOW_INBOUND_AUDIO"]


def test_call_on_hold_is_left_alone(line: Line) -> None:
    line.go_on(5)
    line.received, line.rtt = 0, 0.5
    assert line.go_on(20, held=True) == []


def test_another_path_is_told(line: Line) -> None:
    line.go_on(2)
    line.port = 40_000
    assert line.go_on(3) == ["ICE_CANDIDATE_PAIR_CHANGED"]
    assert line.go_on(3) == []
    line.port = 50_000
    line.go_on(1)
    (warning,) = line.given
    assert warning.message == (
        "The audio path changed: from 192.0.2.1:40000 — 192.0.2.2:9 to 192.0.2.1:50000 — 192.0.2.2:9"
    )
