"""What the far end of a peer has described so far: its latest description, and the candidates that belong to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from telnyx_native.errors import SdpError
from telnyx_native.media.sdp import MAX_CANDIDATES, parse, parse_candidate

if TYPE_CHECKING:
    from telnyx_native.media.sdp import Description

__all__ = ["RemoteDescription"]


class RemoteDescription:
    """The border to libwebrtc: what a far end says of itself is read here, bounded, and handed on as values.

    Each of its candidates is checked against each of ours, so there are at most `MAX_CANDIDATES` of one generation,
    which is what goes with one ICE user name, in descriptions and trickled together.

    Attributes:
        offer: The latest offer.
        dropped_candidates: Candidates that were unusable, or too many, so far.
    """

    def __init__(self) -> None:
        self.offer: Description | None = None
        self.dropped_candidates = 0
        self._latest: Description | None = None
        self._candidates = 0

    @property
    def sections_before(self) -> int:
        """How many sections both sides have before the audio."""
        return 0 if self.offer is None else len(self.offer.before)

    def take_offer(self, text: str) -> Description:
        """Read an offer.

        Raises:
            SdpError: It cannot be used.
        """
        self.offer = self._take(parse(text))
        return self.offer

    def take_answer(self, text: str) -> Description:
        """Read an answer.

        Raises:
            SdpError: It cannot be used.
        """
        answer = parse(text)
        if answer.audio.setup == "actpass":  # which is no choice; to begin is what it should have chosen (RFC 5763, 5)
            answer = replace(answer, audio=replace(answer.audio, setup="active"))
        return self._take(answer)

    def is_of_same_certificate(self, text: str) -> bool:
        """Whether a description names the DTLS certificate that the latest one named.

        Raises:
            SdpError: It cannot be read.
        """
        return self._latest is not None and self._latest.audio.fingerprint == parse(text).audio.fingerprint

    def take_candidate(self, text: str, mid: str, index: int) -> str:
        """Read a candidate that was trickled.

        Args:
            text: The candidate attribute.
            mid: The section it belongs to, by name; empty if it is not named.
            index: The section it belongs to, by position.

        Returns:
            It in the form in which libwebrtc takes it; it belongs to the first section there.

        Raises:
            SdpError: It is of no use, or there is no description yet.
        """
        try:
            if self._latest is None:
                raise SdpError("an ICE candidate came before the session description")
            candidate = parse_candidate(text)
            if not _concerns_audio(self._latest, mid, index):
                raise SdpError(f"an ICE candidate for section {mid or index}, which was rejected")
            if self._candidates >= MAX_CANDIDATES:
                raise SdpError(f"the far end has sent more than {MAX_CANDIDATES} ICE candidates")
        except SdpError:
            self.dropped_candidates += 1
            raise
        self._candidates += 1
        return str(candidate)

    def _take(self, description: Description) -> Description:
        audio = description.audio
        if self._latest is None or self._latest.audio.ice_ufrag != audio.ice_ufrag:
            self._candidates = 0
        kept = audio.candidates[: MAX_CANDIDATES - self._candidates]
        self._candidates += len(kept)
        self.dropped_candidates += description.dropped_candidates + len(audio.candidates) - len(kept)
        self._latest = replace(description, audio=replace(audio, candidates=kept))
        return self._latest


def _concerns_audio(description: Description, mid: str, index: int) -> bool:
    """Whether a candidate is one of the audio's transport. A name that no section has is no name."""
    others = (*description.before, *description.after)
    if mid and mid in (description.audio.mid, *description.bundled):
        return True
    if mid and any(other.mid == mid for other in others):
        return False
    return index == len(description.before) or not 0 <= index <= len(others)
