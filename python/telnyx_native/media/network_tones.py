"""The tones by which telephone networks tell how a call goes: the table of their frequencies and rhythms.

`telnyx_native.media.tones` makes them as samples, `telnyx_native.media.call_progress` finds them in what is received.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from telnyx_native.errors import ConfigurationError

__all__ = ["CADENCES", "SPECIAL_INFORMATION", "Cadence", "Signal", "ToneRegion", "cadence_of"]


class Signal(StrEnum):
    """What the network, or a fax machine, tells a caller with a tone.

    Dial, ringback, busy, congestion (also called reorder) and special information (SIT, before an announcement that the
    number cannot be reached) are those of ITU-T E.180; the tones of a calling (CNG) and of an answering (CED) fax
    machine those of ITU-T T.30.
    """

    DIAL = "dial"
    RINGBACK = "ringback"
    BUSY = "busy"
    CONGESTION = "congestion"
    SIT = "sit"
    FAX_CNG = "fax-cng"
    FAX_CED = "fax-ced"


class ToneRegion(StrEnum):
    """Whose tones; `EU` is what CEPT recommends and most of Europe uses, give or take a pause."""

    US = "us"
    UK = "uk"
    EU = "eu"
    BR = "br"
    CN = "cn"
    ES = "es"
    FR = "fr"
    MX = "mx"
    NZ = "nz"
    RU = "ru"
    SE = "se"


@dataclass(frozen=True, slots=True)
class Cadence:
    """A tone that is on and off in a rhythm.

    Attributes:
        frequencies: Hz, sounding together.
        rhythm: Seconds on, off, on, ..., then from the beginning again; empty for a tone without a pause.
    """

    frequencies: tuple[float, ...]
    rhythm: tuple[float, ...] = ()


CADENCES = {
    # ITU-T E.180 Supplement 2, "Various tones used in national networks"; for the US also ANSI T1.401, for the UK BT's
    # SIN 350. Tones that are modulated (Australia, India, Japan) are not among them, nor the congestion tones of
    # Brazil, Mexico and Spain, which are busy tones with or without another pause.
    (Signal.DIAL, ToneRegion.US): Cadence((350, 440)),
    (Signal.RINGBACK, ToneRegion.US): Cadence((440, 480), (2.0, 4.0)),
    (Signal.BUSY, ToneRegion.US): Cadence((480, 620), (0.5, 0.5)),
    (Signal.CONGESTION, ToneRegion.US): Cadence((480, 620), (0.25, 0.25)),
    (Signal.DIAL, ToneRegion.UK): Cadence((350, 440)),
    (Signal.RINGBACK, ToneRegion.UK): Cadence((400, 450), (0.4, 0.2, 0.4, 2.0)),
    (Signal.BUSY, ToneRegion.UK): Cadence((400,), (0.375, 0.375)),
    (Signal.CONGESTION, ToneRegion.UK): Cadence((400,), (0.4, 0.35, 0.225, 0.525)),
    (Signal.DIAL, ToneRegion.EU): Cadence((425,)),
    (Signal.RINGBACK, ToneRegion.EU): Cadence((425,), (1.0, 4.0)),
    (Signal.BUSY, ToneRegion.EU): Cadence((425,), (0.5, 0.5)),
    (Signal.CONGESTION, ToneRegion.EU): Cadence((425,), (0.25, 0.25)),
    (Signal.DIAL, ToneRegion.BR): Cadence((425,)),
    (Signal.RINGBACK, ToneRegion.BR): Cadence((425,), (1.0, 4.0)),
    (Signal.BUSY, ToneRegion.BR): Cadence((425,), (0.25, 0.25)),
    (Signal.DIAL, ToneRegion.CN): Cadence((450,)),
    (Signal.RINGBACK, ToneRegion.CN): Cadence((450,), (1.0, 4.0)),
    (Signal.BUSY, ToneRegion.CN): Cadence((450,), (0.35, 0.35)),
    (Signal.CONGESTION, ToneRegion.CN): Cadence((450,), (0.7, 0.7)),
    (Signal.DIAL, ToneRegion.ES): Cadence((425,)),
    (Signal.RINGBACK, ToneRegion.ES): Cadence((425,), (1.5, 3.0)),
    (Signal.BUSY, ToneRegion.ES): Cadence((425,), (0.2, 0.2)),
    (Signal.DIAL, ToneRegion.FR): Cadence((440,)),
    (Signal.RINGBACK, ToneRegion.FR): Cadence((440,), (1.5, 3.5)),
    (Signal.BUSY, ToneRegion.FR): Cadence((440,), (0.5, 0.5)),
    (Signal.CONGESTION, ToneRegion.FR): Cadence((440,), (0.25, 0.25)),
    (Signal.DIAL, ToneRegion.MX): Cadence((425,)),
    (Signal.RINGBACK, ToneRegion.MX): Cadence((425,), (1.0, 4.0)),
    (Signal.BUSY, ToneRegion.MX): Cadence((425,), (0.25, 0.25)),
    (Signal.DIAL, ToneRegion.NZ): Cadence((400,)),
    (Signal.RINGBACK, ToneRegion.NZ): Cadence((400, 450), (0.4, 0.2, 0.4, 2.0)),
    (Signal.BUSY, ToneRegion.NZ): Cadence((400,), (0.5, 0.5)),
    (Signal.CONGESTION, ToneRegion.NZ): Cadence((400,), (0.25, 0.25)),
    (Signal.DIAL, ToneRegion.RU): Cadence((425,)),
    (Signal.RINGBACK, ToneRegion.RU): Cadence((425,), (1.0, 4.0)),
    (Signal.BUSY, ToneRegion.RU): Cadence((425,), (0.35, 0.35)),
    (Signal.CONGESTION, ToneRegion.RU): Cadence((425,), (0.175, 0.175)),
    (Signal.DIAL, ToneRegion.SE): Cadence((425,)),
    (Signal.RINGBACK, ToneRegion.SE): Cadence((425,), (1.0, 5.0)),
    (Signal.BUSY, ToneRegion.SE): Cadence((425,), (0.25, 0.25)),
    (Signal.CONGESTION, ToneRegion.SE): Cadence((425,), (0.25, 0.75)),
}

SPECIAL_INFORMATION = ((950, 0.33), (1400, 0.33), (1800, 0.33))
"""Hz and seconds of the three tones of SIT, one after another (E.180, clause 8: 50 Hz and 70 ms more or less)."""

_OF_FAXES = {Signal.FAX_CNG: Cadence((1100,), (0.5, 3.0)), Signal.FAX_CED: Cadence((2100,))}
"""T.30: CNG is 0.5 s of 1100 Hz and 3 s of silence, CED 2.6 to 4 s of 2100 Hz."""


def cadence_of(signal: Signal, region: ToneRegion) -> Cadence:
    """Return frequencies and rhythm of a signal; those of faxes are the same everywhere.

    Raises:
        ConfigurationError: The region has no such tone, or it is SIT, which is three.
    """
    cadence = _OF_FAXES.get(signal) or CADENCES.get((signal, region))
    if cadence is None:
        raise ConfigurationError(f"there is no single {signal} tone in {region}")
    return cadence
