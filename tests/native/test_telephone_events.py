"""Telephone-events (RFC 4733) packet by packet, and which keys count when they come in two ways."""

from __future__ import annotations

from telnyx_native._audio import KeyMerger, TelephoneEvents

EVENT_OF = {key: event for event, key in enumerate("0123456789*#ABCD")}


def packet(key: str, duration: int, *, end: bool = False) -> bytes:
    return bytes([EVENT_OF[key], 0x80 * end | 10]) + duration.to_bytes(2, "big")


def test_three_end_packets_are_one_key():
    events = TelephoneEvents()
    for duration in (160, 320, 480, 640):
        events.insert(1000, packet("5", duration))
    assert events.tick() == []
    for _ in range(3):
        events.insert(1000, packet("5", 800, end=True))
    assert events.tick() == [("5", 100)]
    events.insert(1000, packet("5", 800, end=True))
    events.insert(1000, packet("5", 480))
    assert [events.tick() for _ in range(50)] == [[]] * 50


def test_a_key_whose_packets_but_the_last_were_lost_is_a_key():
    events = TelephoneEvents()
    events.insert(7, packet("#", 960, end=True))
    assert events.tick() == [("#", 120)]


def test_a_key_whose_end_was_lost_is_over_after_a_while():
    events = TelephoneEvents()
    events.insert(1000, packet("A", 160))
    events.insert(1000, packet("A", 480))
    ticks = [events.tick() for _ in range(40)]
    assert [keys for keys in ticks if keys] == [[("A", 60)]]
    events.insert(1000, packet("A", 640, end=True))  # very late
    assert events.tick() == []


def test_the_next_key_ends_the_one_before():
    events = TelephoneEvents()
    events.insert(1000, packet("1", 320))
    events.insert(3000, packet("2", 160))
    events.insert(1000, packet("1", 480, end=True))  # overtaken
    events.insert(3000, packet("2", 800, end=True))
    assert events.tick() == [("1", 40), ("2", 100)]


def test_packets_that_overtake_each_other_do_not_shorten_a_key():
    events = TelephoneEvents()
    for duration in (160, 640, 480):
        events.insert(1000, packet("9", duration))
    events.insert(5000, packet("9", 160))
    assert events.tick() == [("9", 80)]


def test_a_key_over_several_segments_is_one_key():
    events = TelephoneEvents()
    events.insert(1000, packet("3", 0xFFFF))
    events.insert(1000 + 0xFFFF, packet("3", 160))
    events.insert(1000 + 0xFFFF, packet("3", 0xFFFF))
    events.insert(1000 + 2 * 0xFFFF, packet("3", 8000, end=True))
    assert events.tick() == [("3", (2 * 0xFFFF + 8000) // 8)]


def test_time_stamps_wrap():
    events = TelephoneEvents()
    events.insert(2**32 - 100, packet("1", 800, end=True))
    events.insert(500, packet("1", 800, end=True))
    assert events.tick() == [("1", 100), ("1", 100)]


def test_other_events_and_broken_packets_are_ignored():
    events = TelephoneEvents()
    for payload in (b"", b"\x05", b"\x05\x8a\x01", bytes([16, 0x8A, 1, 0]), bytes([255, 0x8A, 1, 0])):
        events.insert(1, payload)
    events.insert(1, packet("5", 800, end=True), clock_rate=0)
    assert events.tick() == []


def test_more_packets_than_there_is_room_for_do_no_harm():
    events = TelephoneEvents()
    for duration in range(500):
        events.insert(1000, packet("5", duration))
    assert events.tick() == []
    events.insert(1000, packet("5", 600, end=True))
    assert events.tick() == [("5", 75)]


def test_tones_do_not_count_around_telephone_events():
    merger = KeyMerger()
    merger.on_event_packet(500)
    assert merger.accept_event("1", 510)
    assert not merger.accept_tone("1", 518)
    assert not merger.accept_tone("2", 540)
    assert merger.accept_tone("1", 700)


def test_an_event_that_repeats_a_tone_does_not_count_once_for_each_tone():
    merger = KeyMerger()
    assert merger.accept_tone("1", 500)
    assert not merger.accept_event("1", 512)
    assert merger.accept_event("1", 527)
    assert merger.accept_event("2", 540)
