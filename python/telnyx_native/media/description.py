"""The session descriptions of a peer: what the remote sent, for libwebrtc, and what libwebrtc made, for the remote.

This is the border to libwebrtc. It sends the first codec that the remote names (RFC 3264, 6.1), and makes its encoder
as the parameters of that codec ask (RFC 7587): what a call asks of its codecs is put into the remote's description. It
knows of one section only, the audio: what else the remote offers is rejected here, in the same order (RFC 3264, 6).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from telnyx_native.errors import SdpError
from telnyx_native.media.sdp import MAX_CANDIDATES, parse, parse_candidate, write_rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from telnyx_native.config import AudioCodec, OpusConfig
    from telnyx_native.media.sdp import AudioSection, Codec, Description, RejectedSection

__all__ = [
    "RemoteDescription",
    "answering",
    "asking_for_ptime",
    "in_order",
    "preferring",
    "with_opus",
    "without_comfort_noise",
]


class RemoteDescription:
    """The border to libwebrtc: what a remote says of itself is read here, bounded, and handed on as values.

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
                raise SdpError(f"the remote has sent more than {MAX_CANDIDATES} ICE candidates")
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


AUDIO_LINE = re.compile(r"(?m)^m=audio (\d+) (\S+) ([\d ]+)")


def answering(description: str, offer: Description) -> str:
    """Return our description with the profile of the audio that the remote named, and with its other sections."""
    description = AUDIO_LINE.sub(rf"m=audio \1 {offer.protocol} \3", description, count=1)
    session, line, audio = description.partition("m=audio ")
    return session + _rejected(offer.before) + line + audio + _rejected(offer.after)


def in_order(description: str, preferred: Sequence[AudioCodec]) -> str:
    """Return our description with the preferred codecs first: who answers keeps the order (RFC 3264, 6.1)."""
    if not preferred:
        return description
    codecs = preferring(parse(description).audio.codecs, preferred)
    types = " ".join(str(codec.payload_type) for codec in codecs)
    return AUDIO_LINE.sub(rf"m=audio \1 \2 {types}", description, count=1)


def asking_for_ptime(description: str, ptime: int | None) -> str:
    """Return our description with the wish for packets of `ptime` milliseconds."""
    if ptime is None:
        return description
    return re.sub(r"(?m)^(a=rtcp-mux\r?\n)", rf"\1a=ptime:{ptime}\r\n", description, count=1)


def without_comfort_noise(description: str) -> str:
    """Return our description without the CN codec (RFC 3389); `media.sdp` says why."""
    for number in {"13", *re.findall(r"(?m)^a=rtpmap:(\d+) CN/", description)}:  # 13 needs no line to be CN
        description = re.sub(rf"(?m)^a=(?:rtpmap|fmtp):{number} .*\r?\n", "", description)
        description = re.sub(rf"(?m)^(m=audio .*) {number}(?= |\r?$)", r"\1", description)
    return description


def _rejected(sections: Iterable[RejectedSection]) -> str:
    return "".join(f"{line}\r\n" for section in sections for line in write_rejected(section))


def preferring(codecs: Sequence[Codec], preferred: Sequence[AudioCodec]) -> tuple[Codec, ...]:
    """Return `codecs` with those first that are preferred, in that order; all others stay behind them."""
    wanted = [(codec.mime_type.partition("/")[2].lower(), codec.clock_rate) for codec in preferred]

    def rank(codec: Codec) -> int:
        name = codec.name.lower(), codec.clock_rate
        return wanted.index(name) if name in wanted else len(wanted)

    return tuple(sorted(codecs, key=rank))


def with_opus(audio: AudioSection, opus: OpusConfig, sample_rate: int) -> AudioSection:
    """Return the audio of a remote, so changed that libwebrtc encodes Opus for it as this call wants.

    What the remote asks beside that, such as a bitrate it can take, stays.

    Args:
        audio: What the remote describes.
        opus: How to encode.
        sample_rate: That of the application's audio: encoding has no use for more.
    """
    offered = next((codec for codec in audio.codecs if codec.name == "opus"), None)
    if offered is None:
        return audio
    parameters = dict(offered.parameters) | {
        "useinbandfec": str(int(opus.fec)),
        "usedtx": str(int(opus.dtx)),
        "x-rate": str(16_000 if sample_rate <= 16_000 else 48_000),
        "x-complexity": str(opus.complexity),
    }
    if opus.bitrate is not None:
        limit = int(parameters.get("maxaveragebitrate", opus.bitrate))
        parameters["maxaveragebitrate"] = str(min(opus.bitrate, limit))
    wanted = replace(offered, parameters=tuple(parameters.items()))
    codecs = [wanted if codec is offered else codec for codec in audio.codecs]
    red = next((codec for codec in codecs if codec.name == "red"), None)
    if opus.red and red is not None:  # just before Opus, so that it carries that
        codecs.remove(red)
        codecs.insert(codecs.index(wanted), red)
    if opus.ptime is not None:
        audio = replace(audio, ptime=opus.ptime, maxptime=None)
    return replace(audio, codecs=tuple(codecs))
