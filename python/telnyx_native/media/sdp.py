"""Session descriptions of voice calls (RFC 8866): read liberally from remotes, written strictly for libwebrtc.

libwebrtc is built with its debug checks on: a description that no honest peer would send can trip one, and end the
process. So nothing that a remote wrote reaches it as text. `parse` takes what the field sends, in any case, order and
spacing, and makes a model of the parts that a voice call needs; `write` says those in the one form that libwebrtc takes
(RFC 8839, 8122, 7587). Header extensions and congestion feedback are not among them: Telnyx's servers have neither, and
one voice stream gains nothing from them but their cost. Neither is comfort noise (RFC 3389): with it, G.711 and G.722
calls send nothing during silence, and the jitter buffer of the remote stretches the first words after each pause.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from telnyx_native.errors import SdpError

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "MAX_CANDIDATES",
    "AudioSection",
    "Candidate",
    "Codec",
    "Description",
    "Fingerprint",
    "RejectedSection",
    "parse",
    "parse_candidate",
    "write",
    "write_rejected",
]

MAX_DESCRIPTION = 256 * 1024
"""Characters; a browser's offer has about 3,000."""

MAX_LINES = 5000
MAX_SECTIONS = 64
MAX_CODECS = 64
MAX_CANDIDATE = 1024

MAX_MID = 16
"""Characters of the name of a section, as browsers have it: what a header extension of one byte can carry (RFC 8285).
libwebrtc ends the process with a longer one."""

MAX_CANDIDATES = 64
"""Candidates of one generation of a description. ICE checks each of them against each of ours."""

Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Codec:
    """A payload format of the audio (RFC 3551, 4855).

    Attributes:
        payload_type: Its number in RTP packets, 0 to 127.
        name: Its name, in the usual spelling.
        clock_rate: Ticks a second of its timestamps.
        channels: Its channels.
        parameters: Its parameters by name, in order; those of RED and telephone-events have no name.
    """

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    parameters: Parameters = ()


@dataclass(frozen=True)
class Fingerprint:
    """The digest of the certificate with which the remote does DTLS (RFC 8122).

    Attributes:
        algorithm: The hash function, such as `"sha-256"`.
        value: The digest: pairs of hexadecimal digits, in capitals, with colons between.
    """

    algorithm: str
    value: str


@dataclass(frozen=True)
class Candidate:
    """An address at which the remote may be reached (RFC 8839, 5.1). It is never a name, which had to be looked up.

    Attributes:
        foundation: Tells candidates apart that fail together.
        protocol: `"udp"`, or `"tcp"`.
        priority: How much the remote likes it.
        address: An IPv4 or IPv6 address.
        port: The port.
        type: `"host"`, `"srflx"`, `"prflx"` or `"relay"`.
        related: The address and port it was derived from.
        tcp_type: Who opens a TCP connection (RFC 6544): `"active"`, `"passive"` or `"so"`.
        generation: Which generation of the description it belongs to, as libwebrtc counts.
        ufrag: Which ICE credentials it belongs to.
    """

    foundation: str
    protocol: str
    priority: int
    address: str
    port: int
    type: str
    related: tuple[str, int] | None = None
    tcp_type: str | None = None
    generation: int | None = None
    ufrag: str | None = None

    def __str__(self) -> str:
        words = [f"candidate:{self.foundation} 1 {self.protocol} {self.priority} {self.address} {self.port}"]
        words.append(f"typ {self.type}")
        if self.related is not None:
            words.append(f"raddr {self.related[0]} rport {self.related[1]}")
        if self.tcp_type is not None:
            words.append(f"tcptype {self.tcp_type}")
        if self.generation is not None:
            words.append(f"generation {self.generation}")
        if self.ufrag is not None:
            words.append(f"ufrag {self.ufrag}")
        return " ".join(words)


@dataclass(frozen=True)
class AudioSection:
    """The audio of a call.

    Attributes:
        codecs: What the remote takes, the best first.
        ice_ufrag: Its ICE user name.
        ice_pwd: Its ICE password.
        fingerprint: Of its certificate.
        mid: The name of the section.
        setup: Who begins DTLS: `"actpass"`, `"active"`, `"passive"`; `None` if it does not say.
        direction: `"sendrecv"`, `"sendonly"`, `"recvonly"` or `"inactive"`.
        ice_options: Extensions of ICE it knows.
        ptime: Milliseconds of audio that it wants in a packet.
        maxptime: Milliseconds of audio that it takes in a packet.
        rtcp_mux: Whether RTCP comes on the same port.
        rtcp_rsize: Whether it takes RTCP packets of reduced size.
        source: Its SSRC and CNAME.
        candidates: Where it may be reached; at most `MAX_CANDIDATES`.
    """

    codecs: tuple[Codec, ...]
    ice_ufrag: str
    ice_pwd: str = field(repr=False)
    fingerprint: Fingerprint
    mid: str | None = None
    setup: str | None = None
    direction: str = "sendrecv"
    ice_options: tuple[str, ...] = ()
    ptime: int | None = None
    maxptime: int | None = None
    rtcp_mux: bool = True
    rtcp_rsize: bool = False
    source: tuple[int, str] | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class RejectedSection:
    """Something else that the remote offers, and that a voice call has no use for: video, a data channel, a fax.

    Attributes:
        media: What it is.
        protocol: How it would be carried.
        formats: In which formats.
        mid: The name of the section.
    """

    media: str
    protocol: str
    formats: tuple[str, ...]
    mid: str | None = None


@dataclass(frozen=True)
class Description:
    """What a voice call needs of a session description.

    Attributes:
        audio: The audio.
        protocol: The profile of the audio, as the remote names it.
        before: The sections before the audio.
        after: The sections after it.
        bundled: The names of the sections whose media share a transport with the audio, its own among them.
        ice_lite: Whether the remote only answers ICE checks.
        dropped_candidates: Candidates that were unusable, or too many.
    """

    audio: AudioSection
    protocol: str = "UDP/TLS/RTP/SAVPF"
    before: tuple[RejectedSection, ...] = ()
    after: tuple[RejectedSection, ...] = ()
    bundled: tuple[str, ...] = ()
    ice_lite: bool = False
    dropped_candidates: int = field(default=0, compare=False)

    @property
    def alone(self) -> Description:
        """The audio alone, in the profile that libwebrtc speaks."""
        bundled = (self.audio.mid,) if self.audio.mid is not None and self.bundled else ()
        return Description(self.audio, bundled=bundled, ice_lite=self.ice_lite)


# What is taken. Everything is compared with one of these before it becomes part of the model.

TOKEN = re.compile(r"[\w.!#$%&'*+^`{|}~-]{1,64}", re.ASCII)  # RFC 8866, 9
WORD = re.compile(r"[\w./+-]{1,64}", re.ASCII)
NUMBER = re.compile(r"\d{1,10}", re.ASCII)
ICE_UFRAG = re.compile(r"[\w+/-]{4,256}", re.ASCII)
ICE_PWD = re.compile(r"[\w+/-]{22,256}", re.ASCII)
ICE_OPTION = re.compile(r"[\w+/-]{1,32}", re.ASCII)
FOUNDATION = re.compile(r"[\w+/-]{1,32}", re.ASCII)
CNAME = re.compile(r"[\w+/={}@.-]{1,255}", re.ASCII)
SECURE_AUDIO = re.compile(r"(?:(?:UDP/TLS|TCP/DTLS|TCP/TLS)/)?RTP/S?AVPF?")  # RFC 8829, 5.1.2
PACKET_TIMES = frozenset(map(str, range(10, 121, 10)))  # ms; what libwebrtc's encoders can make

DIGEST_BYTES = {"sha-512": 64, "sha-384": 48, "sha-256": 32, "sha-224": 28, "sha-1": 20}
"""Hash functions, the best first (RFC 8122, 5), and how long their digests are."""

DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
SETUPS = frozenset({"actpass", "active", "passive"})
CANDIDATE_TYPES = frozenset({"host", "srflx", "prflx", "relay"})

SPELLINGS: dict[tuple[str, int], tuple[str, int]] = {
    ("opus", 48_000): ("opus", 2),
    ("red", 48_000): ("red", 2),
    ("g722", 8_000): ("G722", 1),
    ("pcmu", 8_000): ("PCMU", 1),
    ("pcma", 8_000): ("PCMA", 1),
    **{("telephone-event", rate): ("telephone-event", 1) for rate in (8_000, 16_000, 32_000, 48_000)},
}
"""The codecs of this package, by name in lower case and clock rate: their usual spelling, and their channels."""

STATIC = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}
"""Payload types that need no `rtpmap` (RFC 3551, 6)."""

FLAG = frozenset("01")

OPUS_PARAMETERS: dict[str, range | frozenset[str]] = {
    **dict.fromkeys(("ptime", "minptime", "maxptime"), PACKET_TIMES),
    **dict.fromkeys(("useinbandfec", "usedtx", "stereo", "sprop-stereo", "cbr"), FLAG),
    **dict.fromkeys(("maxplaybackrate", "sprop-maxcapturerate"), range(8_000, 48_001)),
    "maxaveragebitrate": range(6_000, 510_001),
}
"""The parameters of Opus (RFC 7587, 6.1) and the values of them that make sense."""

EVENTS = re.compile(r"\d{1,3}(?:-\d{1,3})?(?:,\d{1,3}(?:-\d{1,3})?){0,16}", re.ASCII)  # RFC 4733, 2.4.1


def parse(text: str) -> Description:
    """Read a session description.

    Takes time in proportion to its length. Lines and attributes that are unknown, or make no sense, are ignored.

    Raises:
        SdpError: It is too long, or describes no audio that can be had; says why.
    """
    if len(text) > MAX_DESCRIPTION:
        raise SdpError(f"a session description of {len(text):,} characters is too long")
    session, sections = _blocks(text)
    bundle = next((group for value in session.all("group") if (group := _bundle_of(value))), ())
    reasons = []
    for index, section in enumerate(sections):
        if section.media != "audio":
            continue
        shared = next((tagged for tagged in sections if tagged.mid in bundle), section)
        transport = shared if section.mid in bundle and not section.all("ice-ufrag") else section
        # Browsers name the candidates of a shared transport once, and its ICE user name in each section.
        described = transport if transport.all("candidate") or not transport.shares(shared) else shared
        try:
            audio, dropped = _audio(section, transport, session, described)
        except SdpError as error:
            reasons.append(error)
            continue
        return Description(
            audio,
            section.protocol,
            tuple(other.rejected for other in sections[:index]),
            tuple(other.rejected for other in sections[index + 1 :]),
            bundle if audio.mid in bundle else (),
            bool(session.all("ice-lite")),
            dropped,
        )
    raise reasons[0] if reasons else SdpError("the session description has no audio, so it is of no use for a call")


def parse_candidate(text: str) -> Candidate:
    """Read an ICE candidate, with or without `a=candidate:` before it.

    Raises:
        SdpError: It is none, or none of use: a host name, the component of RTCP, an address that is nobody's.
    """
    words = re.sub(r"^\s*(?:a=)?(?:candidate:)?", "", text[:MAX_CANDIDATE], flags=re.IGNORECASE).split()
    if len(text) > MAX_CANDIDATE or len(words) < 8 or words[6].lower() != "typ":
        raise SdpError("an ICE candidate is one line that begins with candidate:")
    foundation, component, protocol, priority, address, port, _, kind = words[:8]
    extensions = {name.lower(): value for name, value in zip(words[8::2], words[9::2], strict=False)}
    if (
        not FOUNDATION.fullmatch(foundation)
        or component != "1"  # 2 is RTCP, which comes on the same port
        or protocol.lower() not in {"udp", "tcp"}
        or not _is_below(priority, 2**32)
        or not _is_address(address)
        or not _is_below(port, 2**16)
        or kind.lower() not in CANDIDATE_TYPES
    ):
        raise SdpError(f"an ICE candidate of type {kind.lower()[:8]!r} is of no use: it needs an address and a port")
    related, generation = (extensions.get("raddr", ""), extensions.get("rport", "")), extensions.get("generation", "")
    ufrag, tcp_type = extensions.get("ufrag", ""), extensions.get("tcptype", "").lower()
    return Candidate(
        foundation,
        protocol.lower(),
        int(priority),
        address,
        int(port),
        kind.lower(),
        (related[0], int(related[1])) if _is_address(related[0]) and _is_below(related[1], 2**16) else None,
        tcp_type if protocol.lower() == "tcp" and tcp_type in {"active", "passive", "so"} else None,
        int(generation) if _is_below(generation, 2**31) else None,
        ufrag if ICE_UFRAG.fullmatch(ufrag) else None,
    )


def write(description: Description) -> str:
    """Say a description in the form in which libwebrtc takes it; `parse` makes the same of it again."""
    audio = description.audio
    lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if description.bundled:
        lines.append(f"a=group:BUNDLE {' '.join(description.bundled)}")
    if description.ice_lite:
        lines.append("a=ice-lite")
    for other in description.before:
        lines += write_rejected(other)
    lines.append(f"m=audio 9 {description.protocol} {' '.join(str(codec.payload_type) for codec in audio.codecs)}")
    lines.append("c=IN IP4 0.0.0.0")
    lines += [f"a={candidate}" for candidate in audio.candidates]
    lines += [f"a=ice-ufrag:{audio.ice_ufrag}", f"a=ice-pwd:{audio.ice_pwd}"]
    if audio.ice_options:
        lines.append(f"a=ice-options:{' '.join(audio.ice_options)}")
    lines.append(f"a=fingerprint:{audio.fingerprint.algorithm} {audio.fingerprint.value}")
    if audio.setup is not None:
        lines.append(f"a=setup:{audio.setup}")
    if audio.mid is not None:
        lines.append(f"a=mid:{audio.mid}")
    lines.append(f"a={audio.direction}")
    lines += ["a=rtcp-mux"] * audio.rtcp_mux + ["a=rtcp-rsize"] * audio.rtcp_rsize
    for codec in audio.codecs:
        lines += _write_codec(codec)
    if audio.ptime is not None:
        lines.append(f"a=ptime:{audio.ptime}")
    if audio.maxptime is not None:
        lines.append(f"a=maxptime:{audio.maxptime}")
    if audio.source is not None:
        lines.append(f"a=ssrc:{audio.source[0]} cname:{audio.source[1]}")
    for other in description.after:
        lines += write_rejected(other)
    return "".join(f"{line}\r\n" for line in lines)


def write_rejected(section: RejectedSection) -> list[str]:
    """The lines of a section that is rejected: its port is 0 (RFC 3264, 6)."""
    lines = [f"m={section.media} 0 {section.protocol} {' '.join(section.formats)}", "c=IN IP4 0.0.0.0"]
    return lines if section.mid is None else [*lines, f"a=mid:{section.mid}"]


# What makes a model of lines.


class _Block:
    """The lines of a section, or those before the first one.

    Attributes:
        media: What it is about; empty before the first section.
        attributes: The attributes in order: names in lower case, and values.
    """

    def __init__(self, media_line: str = "") -> None:
        self.attributes: list[tuple[str, str]] = []
        self.media, self.port, self.protocol = "", "", ""
        self.formats: list[str] = []
        if media_line:
            words = media_line.split()
            if len(words) < 3 or not TOKEN.fullmatch(words[0]) or not WORD.fullmatch(words[2]):
                raise SdpError("a media line of the session description makes no sense")
            self.media, self.port, self.protocol = words[0].lower(), words[1].partition("/")[0], words[2].upper()
            self.formats = [word for word in words[3 : 3 + MAX_CODECS] if WORD.fullmatch(word)]

    def all(self, name: str) -> list[str]:
        """The values of an attribute, in order."""
        return [value for known, value in self.attributes if known == name]

    def first(self, name: str, form: re.Pattern[str]) -> str | None:
        """The first value of an attribute that has this form."""
        return next((value for value in self.all(name) if form.fullmatch(value)), None)

    @property
    def mid(self) -> str | None:
        """Its name."""
        return self.first("mid", TOKEN)

    def shares(self, other: _Block) -> bool:
        """Whether both have the same ICE user name, and so the same transport."""
        return self.all("ice-ufrag") == other.all("ice-ufrag") != []

    @property
    def is_offered(self) -> bool:
        """Whether there is a port for it, or it goes by that of another section (RFC 8843, 6)."""
        return self.port.strip("0") != "" or bool(self.all("bundle-only"))

    @property
    def rejected(self) -> RejectedSection:
        """What is said of it when it is rejected."""
        return RejectedSection(self.media, self.protocol, tuple(self.formats) or ("0",), self.mid)


def _blocks(text: str) -> tuple[_Block, list[_Block]]:
    """The lines before the first section, and the sections."""
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"), maxsplit=MAX_LINES)
    if len(lines) > MAX_LINES:
        raise SdpError(f"a session description of more than {MAX_LINES:,} lines is too long")
    blocks = [_Block()]
    for line in lines:
        kind, _, value = line.partition("=")
        match kind.strip().lower():
            case "m":
                blocks.append(_Block(value))
            case "a":
                name, _, value = value.partition(":")
                blocks[-1].attributes.append((name.strip().lower(), value.strip()))
    if len(blocks) > 1 + MAX_SECTIONS:
        raise SdpError(f"a session description of {len(blocks) - 1} sections is too long")
    return blocks[0], blocks[1:]


def _bundle_of(value: str) -> tuple[str, ...]:
    words = value.split()
    return tuple(filter(TOKEN.fullmatch, words[1:])) if words and words[0].upper() == "BUNDLE" else ()


def _audio(section: _Block, transport: _Block, session: _Block, described: _Block) -> tuple[AudioSection, int]:
    """The audio that a section describes, and how many candidates were left out.

    Args:
        section: The section.
        transport: The section that has its ICE and DTLS attributes, which is another one if it is bundled with that.
        session: What holds for all sections.
        described: The section that has the candidates.
    """
    if not section.is_offered:
        raise SdpError("the session description rejects audio: its port is 0")
    if section.mid is not None and len(section.mid) > MAX_MID:
        raise SdpError(f"the name of the audio section (a=mid) has more than {MAX_MID} characters")
    if not SECURE_AUDIO.fullmatch(section.protocol):
        raise SdpError(f"a voice call is audio over secure RTP, not over {section.protocol}")
    codecs = _codecs(section)
    if not any(codec.name not in {"red", "telephone-event"} for codec in codecs):
        raise SdpError("the session description has no codec in common with us: Opus, G.722 or G.711")
    levels = (transport, session)
    ufrag, pwd = _first(levels, "ice-ufrag", ICE_UFRAG), _first(levels, "ice-pwd", ICE_PWD)
    if ufrag is None or pwd is None:
        raise SdpError("the session description has no usable ICE user name and password")
    fingerprint = _fingerprint(transport) or _fingerprint(session)
    if fingerprint is None:
        raise SdpError("the session description has no DTLS fingerprint: a voice call is encrypted")
    candidates, dropped = _candidates(described)
    audio = AudioSection(
        codecs=codecs,
        ice_ufrag=ufrag,
        ice_pwd=pwd,
        fingerprint=fingerprint,
        mid=section.mid,
        setup=next((v.lower() for level in levels for v in level.all("setup") if v.lower() in SETUPS), None),
        direction=_direction(section) or _direction(session) or "sendrecv",
        ice_options=_ice_options(levels),
        ptime=_packet_time(section, "ptime"),
        maxptime=_packet_time(section, "maxptime"),
        rtcp_mux=any(level.all("rtcp-mux") or level.all("rtcp-mux-only") for level in (section, *levels)),  # RFC 8858
        rtcp_rsize=bool(section.all("rtcp-rsize")),
        source=_source(section),
        candidates=candidates,
    )
    return audio, dropped


def _first(levels: tuple[_Block, ...], name: str, form: re.Pattern[str]) -> str | None:
    return next((value for level in levels if (value := level.first(name, form)) is not None), None)


def _codecs(section: _Block) -> tuple[Codec, ...]:
    maps = dict(reversed([_numbered(value) for value in section.all("rtpmap")]))  # of one given twice, the first
    parameters = dict(reversed([_numbered(value) for value in section.all("fmtp")]))
    numbers = dict.fromkeys(word.lstrip("0") or "0" for word in section.formats if NUMBER.fullmatch(word))
    found = (_codec(n, maps.get(n) or STATIC.get(n, ""), parameters.get(n, ""), numbers.keys()) for n in numbers)
    return tuple(codec for codec in found if codec is not None)


def _numbered(value: str) -> tuple[str, str]:
    """A value that belongs to a payload type: that, without leading zeros, and the rest."""
    number, *rest = value.split(maxsplit=1)[:2] or [""]
    return number.lstrip("0") or "0", rest[0] if rest else ""


def _codec(number: str, encoding: str, parameters: str, numbers: Collection[str]) -> Codec | None:
    name, _, rest = encoding.replace(" ", "").partition("/")
    rate = rest.partition("/")[0]
    payload_type = int(number)
    if not NUMBER.fullmatch(rate) or payload_type > 127 or 64 <= payload_type <= 95:  # RTCP has those (RFC 5761, 4)
        return None
    spelling = SPELLINGS.get((name.lower(), int(rate)))
    if spelling is None:
        return None
    usual, channels = spelling
    return Codec(payload_type, usual, int(rate), channels, _parameters(usual, parameters, numbers))


def _parameters(codec: str, text: str, numbers: Collection[str]) -> Parameters:
    match codec:
        case "opus":
            pairs = (pair.partition("=")[::2] for pair in text.split(";"))
            named = [(name.strip().lower(), value.strip()) for name, value in pairs]
            return tuple({n: v for n, v in named if _makes_sense(n, v)}.items())
        case "red":  # the payload types of the copies, which have to be there
            carried = text.split("/")
            known = 2 <= len(carried) <= 5 and all(word in numbers for word in carried)
            return (("", text),) if known else ()
        case "telephone-event":
            events = text.replace(" ", "")
            return (("", events),) if EVENTS.fullmatch(events) else ()
    return ()


def _makes_sense(name: str, value: str) -> bool:
    values = OPUS_PARAMETERS.get(name, frozenset())
    return (int(value) if NUMBER.fullmatch(value) else -1) in values if isinstance(values, range) else value in values


def _write_codec(codec: Codec) -> list[str]:
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    lines = [f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}"]
    if codec.parameters:
        said = ";".join(f"{name}={value}" if name else value for name, value in codec.parameters)
        lines.append(f"a=fmtp:{codec.payload_type} {said}")
    return lines


def _fingerprint(level: _Block) -> Fingerprint | None:
    """That of the best hash function (RFC 8122, 5); of several of one, the last, as libwebrtc has it."""
    found = {}
    for value in level.all("fingerprint"):
        algorithm, _, digest = value.partition(" ")
        length = DIGEST_BYTES.get(algorithm.lower())
        digest = digest.strip().upper()
        if length and re.fullmatch(rf"[0-9A-F]{{2}}(?::[0-9A-F]{{2}}){{{length - 1}}}", digest):
            found[algorithm.lower()] = digest
    return next((Fingerprint(algorithm, found[algorithm]) for algorithm in DIGEST_BYTES if algorithm in found), None)


def _direction(level: _Block) -> str | None:
    return next((name for name, _ in reversed(level.attributes) if name in DIRECTIONS), None)


def _ice_options(levels: tuple[_Block, ...]) -> tuple[str, ...]:
    words = [word for level in levels for value in level.all("ice-options") for word in value.split()]
    return tuple(dict.fromkeys(filter(ICE_OPTION.fullmatch, words)))[:8]


def _packet_time(section: _Block, name: str) -> int | None:
    return next((int(value) for value in section.all(name) if value in PACKET_TIMES), None)


def _source(section: _Block) -> tuple[int, str] | None:
    for value in section.all("ssrc"):
        number, _, attribute = value.partition(" ")
        name, _, cname = attribute.strip().partition(":")
        if _is_below(number, 2**32) and name.lower() == "cname" and CNAME.fullmatch(cname):
            return int(number), cname
    return None


def _candidates(transport: _Block) -> tuple[tuple[Candidate, ...], int]:
    said = transport.all("candidate")
    candidates: dict[Candidate, None] = {}
    for value in said:
        if len(candidates) == MAX_CANDIDATES:
            break
        try:
            candidates[parse_candidate(value)] = None
        except SdpError:
            continue
    return tuple(candidates), len(said) - len(candidates)


def _is_below(text: str, limit: int) -> bool:
    return NUMBER.fullmatch(text) is not None and int(text) < limit


def _is_address(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return "%" not in text and not (address.is_unspecified or address.is_multicast)
