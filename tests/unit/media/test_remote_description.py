"""What a far end describes, over time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from telnyx_native.errors import SdpError
from telnyx_native.media.remote_description import RemoteDescription
from telnyx_native.media.sdp import AudioSection, Candidate, Codec, Description, Fingerprint, RejectedSection, write

AUDIO = AudioSection(
    (Codec(0, "PCMU", 8_000),),
    ice_ufrag="first",
    ice_pwd=22 * "p",
    fingerprint=Fingerprint("sha-256", ":".join(32 * ["7F"])),
    mid="a",
)
VIDEO = RejectedSection("video", "UDP/TLS/RTP/SAVPF", ("96",), "v")


def candidate(n: int) -> Candidate:
    return Candidate("1", "udp", n, "198.51.100.7", 1024 + n, "host")


def described(count: int, ufrag: str = "first") -> str:
    candidates = tuple(candidate(n) for n in range(count))
    return write(Description(replace(AUDIO, candidates=candidates, ice_ufrag=ufrag)))


def trickle(remote: RemoteDescription, count: int) -> int:
    """Send candidates; return how many were taken."""
    taken = 0
    for n in range(1000, 1000 + count):
        try:
            remote.take_candidate(str(candidate(n)), "a", 0)
        except SdpError:
            continue
        taken += 1
    return taken


@pytest.mark.parametrize("in_description", [0, 10, 64])
def test_candidates_of_one_generation_are_bounded_wherever_they_come_from(in_description: int) -> None:
    remote = RemoteDescription()
    assert len(remote.take_offer(described(in_description)).audio.candidates) == in_description
    assert trickle(remote, 300) == 64 - in_description
    assert remote.dropped_candidates == 300 - 64 + in_description


def test_the_next_generation_has_room_again_and_a_repeated_description_has_not() -> None:
    remote = RemoteDescription()
    remote.take_offer(described(60))
    assert len(remote.take_offer(described(60)).audio.candidates) == 4
    assert len(remote.take_answer(described(60, "second")).audio.candidates) == 60


@pytest.mark.parametrize(
    ("mid", "index", "taken"),
    [
        ("a", 1, True),
        ("a", 0, True),
        ("", 1, True),
        ("v", 0, False),
        ("", 0, False),
        ("audio", 1, True),
        ("0", 7, True),
    ],
)
def test_candidates_of_rejected_sections_are_not_the_audios(mid: str, index: int, taken: bool) -> None:
    remote = RemoteDescription()
    remote.take_offer(write(Description(AUDIO, before=(VIDEO,))))
    try:
        remote.take_candidate(str(candidate(1)), mid, index)
    except SdpError:
        assert not taken
    else:
        assert taken


def test_candidates_of_a_section_that_audio_is_bundled_with_are_the_audios() -> None:
    remote = RemoteDescription()
    remote.take_offer(write(Description(AUDIO, before=(VIDEO,), bundled=("v", "a"))))
    assert remote.take_candidate(str(candidate(1)), "v", 0) == str(candidate(1))
    assert remote.sections_before == 1


def test_a_candidate_without_a_description_belongs_to_nothing() -> None:
    with pytest.raises(SdpError, match="before the session description"):
        RemoteDescription().take_candidate(str(candidate(1)), "a", 0)


def test_an_answer_that_leaves_the_choice_means_to_begin() -> None:
    """RFC 5763, 5: an answer is active or passive, and active is recommended."""
    offer = write(Description(replace(AUDIO, setup="actpass")))
    assert RemoteDescription().take_offer(offer).audio.setup == "actpass"
    assert RemoteDescription().take_answer(offer).audio.setup == "active"
