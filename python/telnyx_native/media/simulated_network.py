"""A bad network inside the process, for tests: it delays, loses, reorders and repeats packets, the same each time."""

from __future__ import annotations

from dataclasses import dataclass

from telnyx_native import _webrtc
from telnyx_native.errors import ConfigurationError

__all__ = ["LinkCounters", "NetworkConditions", "SimulatedLink", "SimulatedNetwork"]


@dataclass(frozen=True, kw_only=True)
class NetworkConditions:
    """What one direction of a network does to packets; nothing by default.

    Attributes:
        delay: Seconds that each packet takes.
        jitter: Seconds that a packet may take beyond that, evenly distributed from zero. Packets keep their order.
        loss: The share of packets that are lost, 0 to 1.
        burst: How many are lost in a row, on average (Gilbert-Elliott: what falls into a burst is lost). 1 loses each
            packet independently of those before.
        reorder: The share of packets that come 30 ms late, so that those behind overtake them.
        duplicate: The share of packets that arrive twice.
        rate: Bits a second that can pass, with the headers of UDP and IP; `None` is no limit.
        queue: Seconds that a packet waits for its turn at that rate at most; it is dropped instead.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    burst: float = 1.0
    reorder: float = 0.0
    duplicate: float = 0.0
    rate: int | None = None
    queue: float = 0.2

    def __post_init__(self) -> None:
        for name in ("delay", "jitter", "queue"):
            if not 0 <= getattr(self, name) <= 60:
                raise ConfigurationError(f"NetworkConditions.{name} is 0 to 60 seconds")
        for name in ("loss", "reorder", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigurationError(f"NetworkConditions.{name} is a share, 0 to 1")
        if not 1 <= self.burst <= 1_000:
            raise ConfigurationError("NetworkConditions.burst is 1 to 1,000 packets")
        if self.rate is not None and not 1_000 <= self.rate <= 10**12:
            raise ConfigurationError("NetworkConditions.rate is at least 1,000 bits a second")


@dataclass(frozen=True, slots=True)
class LinkCounters:
    """What became of the packets of one direction so far.

    Attributes:
        passed: Packets that arrived or are on their way.
        lost: Packets lost as `NetworkConditions.loss` asked for.
        overflowed: Packets dropped because of `NetworkConditions.rate`.
        reordered: Packets that were held up for others to overtake.
        duplicated: Packets that arrived a second time; they are not among `passed` twice.
    """

    passed: int
    lost: int
    overflowed: int
    reordered: int
    duplicated: int


class SimulatedLink:
    """One direction of a bad network.

    The fate of the n-th RTP packet depends on nothing but the seed, n and the conditions at that time; so does that of
    the n-th other packet (how many checks, handshakes and reports are sent depends on time). Only `rate` looks at the
    clock as well.

    Args:
        seed: Equal seeds make equal fates.
        conditions: What happens to packets.
    """

    def __init__(self, seed: int = 0, conditions: NetworkConditions | None = None) -> None:
        self.native = _webrtc.SimulatedLink(seed & 0xFFFF_FFFF_FFFF_FFFF)
        self.conditions = conditions or NetworkConditions()

    @property
    def conditions(self) -> NetworkConditions:
        """What happens to packets; may be set at any time, and holds from the next packet on."""
        return self._conditions

    @conditions.setter
    def conditions(self, conditions: NetworkConditions) -> None:
        self._conditions = conditions
        self.native.set_conditions(
            delay=round(conditions.delay * 1e6),
            jitter=round(conditions.jitter * 1e6),
            loss=conditions.loss,
            burst=conditions.burst,
            reorder=conditions.reorder,
            duplicate=conditions.duplicate,
            rate=conditions.rate or 0,
            queue=round(conditions.queue * 1e6),
        )

    @property
    def counters(self) -> LinkCounters:
        """What became of packets so far."""
        return LinkCounters(**self.native.counters())

    def offer(self, now: float, packet: bytes) -> list[float]:
        """Decide about a packet, for who moves packets by other means: a relay between two programs.

        Args:
            now: When it is sent, in seconds on any clock.
            packet: What is sent; it is only looked at.

        Returns:
            When it arrives, on the same clock: never, once or twice.
        """
        return [due / 1e6 for due in self.native.offer(round(now * 1e6), packet)]


class SimulatedNetwork:
    """A bad network around one peer: see `MediaEngine.create_peer`.

    It stands between the peer and its UDP sockets, so all that the peer sends and receives goes through it: audio,
    checks, handshakes. The peers at the other end need know nothing of it.

    Args:
        seed: Equal seeds make equal fates of packets.
        sending: What happens to packets that the peer sends.
        receiving: What happens to packets that it receives.

    Attributes:
        sending: The way from the peer.
        receiving: The way to the peer.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        sending: NetworkConditions | None = None,
        receiving: NetworkConditions | None = None,
    ) -> None:
        self.sending = SimulatedLink(2 * seed, sending)
        self.receiving = SimulatedLink(2 * seed + 1, receiving)
        self.native = _webrtc.SimulatedNetwork(self.sending.native, self.receiving.native)

    def rebind(self) -> None:
        """Give the peer another port, without telling anybody: what a NAT does that has forgotten it.

        Packets leave from there from the next one on, and what is sent to the old port is lost.
        """
        self.native.rebind()
