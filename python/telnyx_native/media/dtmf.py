"""DTMF keys that the remote presses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from telnyx_native import _audio

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["DTMF_KEYS", "DtmfDetector", "DtmfReceived", "DtmfSource"]

DTMF_KEYS = "0123456789*#ABCD"
"""The keys of a telephone (ITU-T Q.23)."""


class DtmfSource(StrEnum):
    """How a key came."""

    TELEPHONE_EVENT = "telephone-event"
    TONE = "tone"


@dataclass(frozen=True, slots=True)
class DtmfReceived:
    """A key that was pressed and let go.

    Attributes:
        key: One of 0-9, *, #, A-D.
        duration: Seconds it was held.
        source: Whether it came beside the sound (RFC 4733) or was found in it.
    """

    key: str
    duration: float
    source: DtmfSource


class DtmfDetector:
    """Finds DTMF keys in samples, within the limits of ITU-T Q.24; a call does it by itself, see `Call.dtmf_flow`.

    A key is heard from 40 ms on, with 1.5 % of error in its frequencies, 4 dB more in the high or 8 dB more in the low
    one, and 12 dB of noise under it; never under 23 ms, or with 3.5 % of error.

    Args:
        sample_rate: Samples a second: 8, 16, 24, 32 or 48 thousand.

    Raises:
        ValueError: It is none of these.
    """

    def __init__(self, sample_rate: int) -> None:
        self._native = _audio.DtmfDetector(sample_rate)

    def feed(self, pcm: Buffer) -> list[DtmfReceived]:
        """Take the next samples; return the keys that were let go in them.

        Args:
            pcm: Any buffer of mono 16-bit samples, of any length.

        Raises:
            TypeError: `pcm` holds something else than 16-bit samples.
        """
        return [DtmfReceived(key, held / 1000, DtmfSource.TONE) for key, held in self._native.feed(pcm)]
