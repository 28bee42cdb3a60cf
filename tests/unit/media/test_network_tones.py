from __future__ import annotations

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.media.network_tones import CADENCES, Cadence, Signal, ToneRegion, cadence_of


def test_every_region_has_what_a_caller_hears_in_every_call():
    for region in ToneRegion:
        for signal in (Signal.DIAL, Signal.RINGBACK, Signal.BUSY):
            assert (signal, region) in CADENCES


def test_rhythms_are_pairs_of_a_tone_and_a_pause():
    assert all(len(cadence.rhythm) % 2 == 0 for cadence in CADENCES.values())
    assert all(seconds > 0.1 for cadence in CADENCES.values() for seconds in cadence.rhythm)


def test_a_dial_tone_has_no_pause():
    assert {cadence.rhythm for (signal, _), cadence in CADENCES.items() if signal is Signal.DIAL} == {()}


def test_signals_of_a_region_differ():
    for region in ToneRegion:
        own = [cadence for (_, of), cadence in CADENCES.items() if of is region]
        assert len(set(own)) == len(own)


@pytest.mark.parametrize("region", list(ToneRegion))
def test_tones_of_fax_machines_are_the_same_everywhere(region):
    assert cadence_of(Signal.FAX_CNG, region) == Cadence((1100,), (0.5, 3.0))
    assert cadence_of(Signal.FAX_CED, region).frequencies == (2100,)


def test_what_there_is_not():
    with pytest.raises(ConfigurationError, match="congestion tone in mx"):
        cadence_of(Signal.CONGESTION, ToneRegion.MX)
    with pytest.raises(ConfigurationError, match="sit"):
        cadence_of(Signal.SIT, ToneRegion.US)
