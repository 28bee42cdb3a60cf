"""What the caller decides: server, region, login, audio, limits.

Everything is frozen and checked when it is made: what cannot work raises `ConfigurationError` at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from telnyx_native.credentials import expiry_of
from telnyx_native.errors import ConfigurationError, ErrorCode
from telnyx_native.logs import LogLevel, TxLogger
from telnyx_native.redaction import keep_secret, mask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime
    from pathlib import Path
    from ssl import SSLContext

    from telnyx_native.push import PushConfig

__all__ = [
    "AnonymousConfig",
    "AnswerDetectionConfig",
    "AudioCodec",
    "AudioConfig",
    "AudioEncoding",
    "AudioProcessing",
    "ConsentBeep",
    "CredentialConfig",
    "IceServer",
    "Limits",
    "NoiseSuppression",
    "OpusConfig",
    "PausedAudio",
    "PeerConfig",
    "RecordedPart",
    "RecordingConfig",
    "Region",
    "RingSink",
    "TelnyxConfig",
    "Timeouts",
    "TokenConfig",
    "TxServerConfiguration",
    "VoiceActivityConfig",
    "require_bitrate",
    "require_sample_rate",
    "route",
]


class Region(Enum):
    """Where to connect; the value goes before the host's name, as in the Telnyx Android and JS SDKs.

    `EU_WEST`, which older documentation of Telnyx names, is the same as `EU`.
    """

    AUTO = ""
    EU = "eu"
    US_CENTRAL = "us-central"
    US_EAST = "us-east"
    US_WEST = "us-west"
    CA_CENTRAL = "ca-central"
    APAC = "apac"
    SOUTH_ASIA = "south-asia"

    EU_WEST = "eu"  # noqa: PIE796 - an alias, meant to be one


SAMPLE_RATES = (8_000, 16_000, 24_000, 32_000, 48_000)
"""Rates, in Hz, at which an application can read and write audio."""


def require_sample_rate(sample_rate: int) -> None:
    """Raise `ConfigurationError` for a rate at which no audio is read or written."""
    if sample_rate not in SAMPLE_RATES:
        rates = ", ".join(str(rate) for rate in SAMPLE_RATES)
        raise ConfigurationError(f"sample_rate {sample_rate} is not one of {rates}")


class AudioEncoding(StrEnum):
    """How samples are written down in bytes.

    `INT16` is signed, in the byte order of the machine. `FLOAT32` is full scale at 1.0. `ULAW` and `ALAW` are those of
    ITU-T G.711, a byte a sample, as speech services for the telephone take and give them, usually at 8 kHz.
    """

    INT16 = "int16"
    FLOAT32 = "float32"
    ULAW = "ulaw"
    ALAW = "alaw"


LIVE_BACKLOG = 0.06
"""Seconds that a microphone may be ahead of the media clock: some blocks of its own."""


@dataclass(frozen=True)
class IceServer:
    """A STUN or TURN server.

    Attributes:
        urls: Its addresses, such as `"turn:turn.telnyx.com:3478?transport=tcp"`.
        username: The name to use TURN with.
        password: The password to use TURN with.
    """

    urls: tuple[str, ...]
    username: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.urls, str) or not self.urls:
            raise ConfigurationError("IceServer.urls must be a non-empty tuple of addresses")
        for url in self.urls:
            if url.partition(":")[0] not in {"stun", "stuns", "turn", "turns"}:
                raise ConfigurationError(f"{mask(url)!r} is no ICE server: it must start with stun:, turn: or turns:")
        keep_secret(self, "password")


def _telnyx_ice_servers(*hosts: str) -> tuple[IceServer, ...]:
    """The ICE servers of the Telnyx JS SDK for an environment.

    The TURN credentials are the public, fixed ones that every Telnyx SDK ships.
    """
    stun, turn, *more = hosts
    turn_urls = (
        f"turn:{turn}:3478?transport=udp",
        f"turn:{turn}:3478?transport=tcp",
        *(f"turns:{host}:443" for host in (turn, *more)),
    )
    return (
        IceServer((f"stun:{stun}:3478",)),
        IceServer(("stun:stun.l.google.com:19302",)),
        IceServer(turn_urls, "testuser", "testpassword"),
    )


PRODUCTION_ICE_SERVERS = _telnyx_ice_servers("stun.telnyx.com", "turn.telnyx.com", "turn2.telnyx.com")
"""STUN and TURN of the production environment, as in the Telnyx JS SDK."""

DEVELOPMENT_ICE_SERVERS = _telnyx_ice_servers("stundev.telnyx.com", "turndev.telnyx.com")
"""STUN and TURN of the development environment, as in the Telnyx JS SDK."""


def _is_port_range(ports: object) -> bool:
    match ports:
        case (int(first), int(last)):
            return 0 < first <= last < 65_536
        case _:
            return False


@dataclass(frozen=True)
class TxServerConfiguration:
    """The server to connect to; Telnyx's production server by default.

    Attributes:
        host: Its name or address.
        port: Its TCP port.
        secure: TLS (`wss://`) or plain text (`ws://`).
        ice_servers: STUN and TURN servers for the audio. Left out, a plain-text server on this machine gets
            none and every other one gets Telnyx's.
        ssl_context: Which certificates to trust, for a server whose certificate no public authority has
            signed: `ssl.create_default_context(cafile=...)`. By default those that the system trusts.
        udp_ports: The first and the last UDP port that audio may use on this machine, for a firewall or a container
            that has only these open: `(40_000, 40_199)`. A call takes one for each address of this machine, and as many
            again while it moves to another path; one that finds none free fails at once. By default the system chooses.
        interfaces: The network interfaces that audio may use, by name: `("eth0",)`. By default all.
        ipv6: Whether audio may use addresses of IPv6.
    """

    host: str = "rtc.telnyx.com"
    port: int = 443
    secure: bool = True
    ice_servers: tuple[IceServer, ...] = PRODUCTION_ICE_SERVERS
    ssl_context: SSLContext | None = field(default=None, repr=False)
    udp_ports: tuple[int, int] | None = None
    interfaces: tuple[str, ...] = ()
    ipv6: bool = True

    def __post_init__(self) -> None:
        if self.udp_ports is not None and not _is_port_range(self.udp_ports):
            message = "udp_ports are the first and the last UDP port, 1 to 65,535, like (40_000, 40_199)"
            raise ConfigurationError(f"{message}: {self.udp_ports!r}")
        if isinstance(self.interfaces, str) or not all(isinstance(name, str) and name for name in self.interfaces):
            raise ConfigurationError(f'interfaces are a sequence of names, like ("eth0",): {self.interfaces!r}')
        if not self.host or any(c.isspace() or c in "/?#@" for c in self.host):
            raise ConfigurationError(f"{self.host!r} is not a host name; use parse() for an address")
        if not 0 < self.port < 65_536:
            raise ConfigurationError(f"port {self.port} is out of range")
        if self.ssl_context is not None and not self.secure:
            raise ConfigurationError("ssl_context is of no use to a plain-text server; its address starts with ws://")
        if self.ice_servers is PRODUCTION_ICE_SERVERS and not self.secure and self.is_local:
            object.__setattr__(self, "ice_servers", ())

    @classmethod
    def production(cls) -> TxServerConfiguration:
        """Telnyx's production server."""
        return cls()

    @classmethod
    def development(cls) -> TxServerConfiguration:
        """Telnyx's development server."""
        return cls("rtcdev.telnyx.com", ice_servers=DEVELOPMENT_ICE_SERVERS)

    @classmethod
    def parse(cls, address: str, *, ssl_context: SSLContext | None = None) -> TxServerConfiguration:
        """Read an address such as `"ws://127.0.0.1:8899"`, `"wss://rtc.telnyx.com"` or a bare host."""
        try:
            parts = urlsplit(address if "://" in address else f"wss://{address}")
            port = parts.port
        except ValueError as error:
            message = f"{mask(address)!r} is not a server address: {mask(str(error))}"
            raise ConfigurationError(message) from None
        if parts.scheme not in {"ws", "wss"} or not parts.hostname:
            raise ConfigurationError(f"{mask(address)!r} is not a server address such as wss://rtc.telnyx.com")
        if parts.path.strip("/") or parts.query or parts.username:
            raise ConfigurationError(f"{parts.hostname!r}: a server address has no path, query or user")
        secure = parts.scheme == "wss"
        return cls(parts.hostname, port or (443 if secure else 80), secure, ssl_context=ssl_context)

    @property
    def url(self) -> str:
        """The WebSocket address."""
        scheme, default_port = ("wss", 443) if self.secure else ("ws", 80)
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == default_port else f":{self.port}"
        return f"{scheme}://{host}{port}"

    @property
    def http_url(self) -> str:
        """The same server for HTTP, where reports of calls are posted."""
        return self.url.replace("ws", "http", 1)

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            # Names below localhost mean this machine, too (RFC 6761, 6.3).
            return self.host.rpartition(".")[2] == "localhost"

    def in_region(self, region: Region) -> TxServerConfiguration:
        """The same server in a region: `eu.rtc.telnyx.com` for `rtc.telnyx.com`. An address has no regions."""
        try:
            ip_address(self.host)
        except ValueError:
            return replace(self, host=f"{region.value}.{self.host}") if region.value else self
        return self


class RingSink(Protocol):
    """Where ringing is heard, for example a loudspeaker. The SDK has no device of its own."""

    @property
    def sample_rate(self) -> int:
        """Samples a second that it takes."""

    def write(self, pcm: bytes) -> None:
        """Take the next 20 ms: mono, signed 16-bit, native byte order. It must not block."""


@dataclass(frozen=True, kw_only=True)
class TelnyxConfig:
    """What all ways to log in have in common.

    Attributes:
        sip_caller_id_name: The name that the called side sees unless a call says otherwise.
        sip_caller_id_number: The number that the called side sees unless a call says otherwise.
        ringtone: A sound file to be heard while an inbound call rings here.
        ringback_tone: A sound file to be heard while an outbound call rings there, unless the other side sends its own.
        ring_sink: Where the two are heard.
        push: Where calls are announced while no client is connected.
        region: Where to connect. It goes before the name of the server; an address has no regions.
        fallback_on_region_failure: Whether to connect without the region when that cannot be reached.
        force_relay_candidate: Whether audio goes over TURN servers only: it hides this machine's addresses.
        auto_reconnect: Whether a lost connection is made again, with the calls that it carried.
        early_sdp_answer: Whether the server describes its audio while an outbound call rings, and not with the answer,
            so that the path stands when somebody answers. Guests of an assistant cannot ask for it.
        debug: Whether statistics of each call go to Telnyx over the connection, while it lasts.
        call_reports: Whether a report of each call is posted to Telnyx afterwards, if the server asks for it.
        call_report_directory: Where a report of each call is written afterwards, as `CALL_ID.json`.
        log_level: What is logged.
        custom_logger: Where it is logged; the standard `logging` tree by default.
    """

    sip_caller_id_name: str | None = None
    sip_caller_id_number: str | None = None
    ringtone: str | Path | None = None
    ringback_tone: str | Path | None = None
    ring_sink: RingSink | None = field(default=None, repr=False)
    push: PushConfig | None = None
    region: Region = Region.AUTO
    fallback_on_region_failure: bool = True
    force_relay_candidate: bool = False
    auto_reconnect: bool = True
    early_sdp_answer: bool = False
    debug: bool = False
    call_reports: bool = True
    call_report_directory: Path | None = None
    log_level: LogLevel = LogLevel.NONE
    custom_logger: TxLogger | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.ringtone or self.ringback_tone) and self.ring_sink is None:
            raise ConfigurationError("ringtone and ringback_tone need a ring_sink, where they are heard")


def route(
    config: TelnyxConfig, server: TxServerConfiguration
) -> tuple[TxServerConfiguration, TxServerConfiguration | None]:
    """Return where a login connects to, and where if that cannot be reached."""
    regional = server.in_region(config.region)
    return regional, server if config.fallback_on_region_failure and regional != server else None


@dataclass(frozen=True)
class CredentialConfig(TelnyxConfig):
    """A login with SIP credentials; see `TelnyxConfig` for what else can be said.

    Attributes:
        sip_user: The user name of the SIP connection or telephony credential.
        sip_password: Its password; never logged.
    """

    sip_user: str
    sip_password: str = field(repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sip_user:
            raise ConfigurationError("sip_user is empty", kind=ErrorCode.INVALID_CREDENTIALS)
        if not self.sip_password:
            raise ConfigurationError("sip_password is empty", kind=ErrorCode.INVALID_CREDENTIALS)
        keep_secret(self, "sip_password")


@dataclass(frozen=True)
class TokenConfig(TelnyxConfig):
    """A login with a token (JWT) of a telephony credential; see `TelnyxConfig` for what else can be said.

    Attributes:
        sip_token: The token; never logged.
    """

    sip_token: str = field(repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sip_token:
            raise ConfigurationError("sip_token is empty", kind=ErrorCode.INVALID_CREDENTIALS)
        keep_secret(self, "sip_token")

    @property
    def expires_at(self) -> datetime | None:
        """When the token expires, if it says so."""
        return expiry_of(self.sip_token)


@dataclass(frozen=True)
class AnonymousConfig(TelnyxConfig):
    """A login as nobody, to talk to an AI assistant; see `TelnyxConfig` for what else can be said.

    Attributes:
        target_id: The assistant.
        target_type: What it is.
        target_version_id: Which version of it.
        user_variables: What the assistant shall know, as its dynamic variables.
        conversation_id: An earlier conversation to go on with.
    """

    target_id: str
    target_type: str = "ai_assistant"
    target_version_id: str | None = None
    user_variables: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    conversation_id: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.target_id:
            raise ConfigurationError("target_id is empty", kind=ErrorCode.INVALID_CREDENTIALS)


class AudioCodec(Enum):
    """The codecs that a call can use, as W3C `RTCRtpCodec` describes them.

    Attributes:
        mime_type: The name of the codec, such as `"audio/PCMU"`.
        clock_rate: Its clock in Hz, as session descriptions name it.
        channels: Its channels, as session descriptions name them.
        sdp_fmtp_line: Its parameters; empty without any.
    """

    OPUS = ("audio/opus", 48_000, 2, "minptime=10;useinbandfec=1")
    G722 = ("audio/G722", 8_000, 1, "")
    PCMU = ("audio/PCMU", 8_000, 1, "")
    PCMA = ("audio/PCMA", 8_000, 1, "")

    def __init__(self, mime_type: str, clock_rate: int, channels: int, sdp_fmtp_line: str) -> None:
        self.mime_type = mime_type
        self.clock_rate = clock_rate
        self.channels = channels
        self.sdp_fmtp_line = sdp_fmtp_line


@dataclass(frozen=True)
class PeerConfig:
    """How the audio of a call finds its way.

    Attributes:
        ice_servers: STUN and TURN servers to use.
        relay_only: Use TURN relays only, never a direct path.
        loopback: Offer 127.0.0.1 as a candidate too; right when the remote is on this machine.
        udp_ports: The first and the last UDP port to use; any by default.
        interfaces: The network interfaces to use, by name; all by default.
        ipv6: Use addresses of IPv6.
    """

    ice_servers: tuple[IceServer, ...] = ()
    relay_only: bool = False
    loopback: bool = False
    udp_ports: tuple[int, int] | None = None
    interfaces: tuple[str, ...] = ()
    ipv6: bool = True


def require_bitrate(bitrate: int) -> None:
    """Raise `ConfigurationError` for a bitrate that Opus cannot have."""
    if not 6_000 <= bitrate <= 510_000:
        raise ConfigurationError("an Opus bitrate is between 6,000 and 510,000 bits a second")


PACKET_TIMES = (10, 20, 40, 60)
"""Milliseconds of audio in a packet that an Opus call can have."""


@dataclass(frozen=True)
class OpusConfig:
    """How Opus is used in a call.

    Attributes:
        ptime: Milliseconds of audio in a packet, 10, 20, 40 or 60, both ways as far as the remote follows; `None`
            follows the remote, which is 20 if it does not care. 10 halves the delay from mouth to ear and doubles the
            packets; 40 and 60 save bandwidth.
        bitrate: Bits a second to send at most, 6,000 to 510,000. `None` is 32,000 for audio of up to 16 kHz and 44,000
            above, less if the remote plays less bandwidth, and half as much again while `fec` is sent.
        complexity: How much the encoder may think, 0 to 10. From 7 on it tells speech from music and notices how much
            bandwidth it is given; below, encoding costs less.
        fec: Whether there is in-band FEC: packets carry the one before again, in case that is lost. It is sent in the
            first ten seconds, and as long as the remote reports losses.
        dtx: Whether (nearly) nothing is sent during silence.
        red: Whether each packet repeats the whole one before it (RFC 2198), if the remote takes that: single losses
            are not heard at all, for twice the bandwidth at all times.
    """

    ptime: int | None = None
    bitrate: int | None = None
    complexity: int = 5
    fec: bool = True
    dtx: bool = False
    red: bool = False

    def __post_init__(self) -> None:
        if self.ptime is not None and self.ptime not in PACKET_TIMES:
            raise ConfigurationError(f"ptime {self.ptime} is not one of {', '.join(map(str, PACKET_TIMES))}")
        if self.bitrate is not None:
            require_bitrate(self.bitrate)
        if not 0 <= self.complexity <= 10:
            raise ConfigurationError("an Opus complexity is between 0 and 10")


@dataclass(frozen=True)
class VoiceActivityConfig:
    """How speech is told from the rest.

    Attributes:
        aggressiveness: 0 rarely misses speech, up to 3, which rarely takes noise for speech.
        onset: Seconds of speech, less the pauses in it, before somebody is speaking.
        hangover: Seconds without speech before nobody is any more; shorter pauses belong to what is said.
        barge_in: The same as `onset`, while we are heard: if it is longer, a "hm" or a cough interrupts nobody. `None`
            for `onset`.
        echo_loss: What is quieter by so many dB than what we sent in the last half second is its echo, and nobody
            speaking: 0 if nothing is. The echo of a telephone line is usually 20 to 40 dB under it.
        dead_air: Seconds without a sound from either side after which `Call.turn_flow` tells of it.
    """

    aggressiveness: int = 2
    onset: float = 0.06
    hangover: float = 0.4
    barge_in: float | None = None
    echo_loss: float = 0.0
    dead_air: float = 5.0

    def __post_init__(self) -> None:
        if self.aggressiveness not in range(4):
            raise ConfigurationError("aggressiveness is 0, 1, 2 or 3")
        if not (0.01 <= self.onset <= 10 and 0.01 <= self.hangover <= 60):
            raise ConfigurationError("onset is 0.01 to 10 seconds, and hangover 0.01 to 60")
        if self.barge_in is not None and not self.onset <= self.barge_in <= 10:
            raise ConfigurationError("barge_in is at least as long as onset, and at most 10 seconds")
        if not 0 <= self.echo_loss <= 60:
            raise ConfigurationError("echo_loss is 0 to 60 dB")
        if not self.hangover < self.dead_air <= 600:
            raise ConfigurationError("dead_air is longer than hangover, and at most 600 seconds")


@dataclass(frozen=True, kw_only=True)
class AnswerDetectionConfig:
    """How `Call.detect_answer` tells a human from a machine.

    The names, and that times are whole milliseconds, are those of Telnyx's `answering_machine_detection_config`, so
    that one can be moved to the other. The defaults are those with the fewest errors in the measurements of
    docs/answer-detection.md, where they stand beside Telnyx's.

    Attributes:
        total_analysis_time_millis: After so long without a verdict it is unknown.
        initial_silence_millis: After so long without a word it is silence (Telnyx: a machine).
        after_greeting_silence_millis: Who is silent for so long after a greeting is a human.
        greeting_duration_millis: A greeting that lasts longer is a machine's.
        maximum_number_of_words: A greeting of more words is a machine's.
        maximum_word_length_millis: A single word, speech without a pause, that lasts longer is a machine's.
        between_words_silence_millis: A longer pause separates two words; shorter ones than 50 ms are not heard.
        silence_threshold: What has a lower mean amplitude, of 32,767, is silence; so is what is not 7 dB over the
            noise.
        greeting_total_analysis_time_millis: After so long, `Call.wait_greeting_ended` waits no more.
        greeting_silence_duration_millis: After so long a pause the greeting of a machine is over, without a beep.
    """

    total_analysis_time_millis: int = 5000
    initial_silence_millis: int = 3500
    after_greeting_silence_millis: int = 650
    greeting_duration_millis: int = 2000
    maximum_number_of_words: int = 8
    maximum_word_length_millis: int = 1500
    between_words_silence_millis: int = 50
    silence_threshold: int = 128
    greeting_total_analysis_time_millis: int = 30_000
    greeting_silence_duration_millis: int = 1500

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, int) or isinstance(value, bool):
                raise ConfigurationError(f"{name} is a whole number, not {value!r}")
        if not 0 <= self.silence_threshold <= 32_767:
            raise ConfigurationError(f"silence_threshold is 0 to 32767, not {self.silence_threshold}")
        if not 1 <= self.maximum_number_of_words <= 1000:
            raise ConfigurationError(f"maximum_number_of_words is 1 to 1000, not {self.maximum_number_of_words}")
        for name, value in vars(self).items():
            if name.endswith("_millis") and not 10 <= value <= 600_000:
                raise ConfigurationError(f"{name} is 10 to 600000 milliseconds, not {value}")


class NoiseSuppression(Enum):
    """How much of steady noise is taken away: the more, the more the voice suffers with it."""

    OFF = 0
    LOW = 1
    MODERATE = 2
    HIGH = 3
    VERY_HIGH = 4


@dataclass(frozen=True)
class AudioProcessing:
    """What is done to the sound of a microphone (Telnyx Android SDK: `AudioConstraints`), or to what is received.

    Attributes:
        echo_cancellation: Takes away what the loudspeaker plays and the microphone hears (libwebrtc's AEC3). Nothing is
            done of that to what is received.
        noise_suppression: Takes away steady noise.
        gain_control: Brings speech to an even level (libwebrtc's AGC2).
        high_pass: Takes away what is below speech: hum, and the wind.
    """

    echo_cancellation: bool = True
    noise_suppression: NoiseSuppression = NoiseSuppression.HIGH
    gain_control: bool = True
    high_pass: bool = True


@dataclass(frozen=True)
class AudioConfig:
    """The audio that the application reads and writes: mono.

    Attributes:
        sample_rate: Hz; 8, 16, 24, 32 or 48 thousand.
        playback_buffer: Seconds of written audio that can wait to be sent.
        capture_buffer: Seconds of received audio that can wait to be read; when full, the oldest goes.
        max_backlog: `None` keeps all that is written (speech). A number of seconds keeps up instead (live
            audio): whenever more than that waits, the oldest is dropped.
        opus: How the Opus codec is used, if that is the one of the call.
        voice_activity: How speech of the remote is told from the rest, see `Call.voice_activity_flow`.
        dtmf_tones: Whether keys are also looked for in the sound, see `Call.dtmf_flow`. For remotes that send no
            telephone-events.
        processing: What is done to written audio before it is sent. For a microphone near the loudspeaker that plays
            what is received; nothing by default, since a program's audio has neither echo nor noise.
        receive_processing: What is done to what is received, before it is read, recorded, or looked through for speech
            and keys: `AudioProcessing(noise_suppression=NoiseSuppression.HIGH, gain_control=False)`, say. Nothing by
            default: docs/noise.md has what it does to speech recognition.
        encoding: How the samples are written down in bytes, both ways. Arrays of 16-bit integers or 32-bit floats are
            taken as what they are, whatever this says.
        preferred_codecs: The codecs to choose from first, unless a call names its own.
    """

    sample_rate: int = 16_000
    playback_buffer: float = 5.0
    capture_buffer: float = 2.0
    max_backlog: float | None = None
    opus: OpusConfig = field(default_factory=OpusConfig)
    voice_activity: VoiceActivityConfig = field(default_factory=VoiceActivityConfig)
    dtmf_tones: bool = False
    processing: AudioProcessing | None = None
    receive_processing: AudioProcessing | None = None
    encoding: AudioEncoding = AudioEncoding.INT16
    preferred_codecs: tuple[AudioCodec, ...] = ()

    @classmethod
    def telephone(cls) -> AudioConfig:
        """Return what suits calls to and from the telephone network: 8 kHz, and G.711 where the remote has it.

        The telephone network sends G.711 anyway. A call takes about half the CPU of one with Opus, and has less delay;
        it takes 64 kbit/s instead of 32, and has no in-band FEC: docs/codecs.md has when which is better.
        """
        return cls(8_000, preferred_codecs=(AudioCodec.PCMU, AudioCodec.PCMA))

    @classmethod
    def microphone(cls, sample_rate: int = 16_000, processing: AudioProcessing | None = None) -> AudioConfig:
        """Return what suits a microphone and a loudspeaker: live audio, whose echo and noise are taken away.

        Args:
            sample_rate: Hz; 8, 16, 24, 32 or 48 thousand.
            processing: What is done to the sound of the microphone; everything by default.
        """
        return cls(sample_rate, max_backlog=LIVE_BACKLOG, processing=processing or AudioProcessing())

    def __post_init__(self) -> None:
        require_sample_rate(self.sample_rate)
        if self.encoding not in list(AudioEncoding):
            raise ConfigurationError(f"encoding {self.encoding!r} is not one of {', '.join(AudioEncoding)}")
        for name in ("playback_buffer", "capture_buffer"):
            if not 0.02 <= getattr(self, name) <= 600:
                raise ConfigurationError(f"{name} must be between 0.02 and 600 seconds")
        if self.max_backlog is not None and not 0.01 <= self.max_backlog <= self.playback_buffer:
            raise ConfigurationError("max_backlog must be between 0.01 seconds and playback_buffer")
        if not all(isinstance(codec, AudioCodec) for codec in self.preferred_codecs):
            message = f"preferred_codecs are of AudioCodec, such as [AudioCodec.PCMU]: {self.preferred_codecs!r}"
            raise ConfigurationError(message, kind=ErrorCode.INVALID_CALL_PARAMETERS)


class PausedAudio(StrEnum):
    """What a recording has for the time in which it is paused: nothing, or silence of the same length."""

    LEFT_OUT = "left out"
    SILENT = "silent"


@dataclass(frozen=True, kw_only=True)
class ConsentBeep:
    """The beep by which a caller hears, again and again, that the call is recorded.

    The sound is that of recorder warning tones in the United States: 1,260 to 1,540 Hz for 0.17 to 0.25 s, every 12 to
    15 s (47 CFR 64.501 as it was, and AT&T PUB 61201). What a country asks for is for its lawyers to say.

    Attributes:
        every: Seconds from one to the next, 1 to 3,600.
        frequency: Hz.
        duration: Seconds that it lasts, up to 1.
        level_dbfs: How loud it is, in dB under a sine of full scale.
    """

    every: float = 15.0
    frequency: float = 1_400.0
    duration: float = 0.2
    level_dbfs: float = -20.0

    def __post_init__(self) -> None:
        if not (1 <= self.every <= 3_600 and 0.02 <= self.duration <= 1 and -60 <= self.level_dbfs <= -3):
            raise ConfigurationError("a beep comes every 1 to 3,600 s, lasts 0.02 to 1 s, and has -60 to -3 dBFS")
        if not 100 <= self.frequency < 4_000:
            raise ConfigurationError("a beep has between 100 and 4,000 Hz, which a telephone lets through")


@dataclass(frozen=True, slots=True)
class RecordedPart:
    """A file of a recording that is complete.

    Attributes:
        path: Where it is.
        number: Which part of the recording it is, from 1 on.
        duration: Seconds in it.
    """

    path: Path
    number: int
    duration: float


@dataclass(frozen=True, kw_only=True)
class RecordingConfig:
    """How a call is recorded.

    Attributes:
        part_seconds: Begin another file after so many seconds, to the sample; of packets, with the packet in which they
            are over. The files are numbered: `call-001.wav`.
        part_bytes: Begin another file when one has so many bytes, or a second of audio more.
        on_complete: Called with each `RecordedPart` when it is complete, also with the only one: to upload it, say. An
            `async` function runs in the event loop, any other on a thread. What it raises is logged.
        paused_audio: What is in the file for the time between `Recording.pause` and `Recording.resume`.
        beep: What the other side hears while it is recorded; nothing by default.
    """

    part_seconds: float | None = None
    part_bytes: int | None = None
    on_complete: Callable[[RecordedPart], Awaitable[None] | None] | None = field(default=None, repr=False)
    paused_audio: PausedAudio = PausedAudio.LEFT_OUT
    beep: ConsentBeep | None = None

    def __post_init__(self) -> None:
        if self.part_seconds is not None and not self.part_seconds >= 1:
            raise ConfigurationError("part_seconds is one second at least")
        if self.part_bytes is not None and not self.part_bytes >= 10_000:
            raise ConfigurationError("part_bytes is 10,000 at least")
        if self.paused_audio not in list(PausedAudio):
            raise ConfigurationError(f"paused_audio {self.paused_audio!r} is not one of {', '.join(PausedAudio)}")
        if self.on_complete is not None and not callable(self.on_complete):
            raise ConfigurationError("on_complete is a function that takes a RecordedPart")


@dataclass(frozen=True)
class Timeouts:
    """How long each step may take, in seconds.

    Attributes:
        connect: Reaching the server: DNS, TCP, TLS and the WebSocket handshake.
        login: The server's answer to a login, and its word that the session is ready.
        gateway_poll: Time between two questions for the SIP registration, and before another attempt to get one
            (Telnyx Android SDK: 3 s).
        request: The server's answer to any other request (Telnyx JS SDK: 10 s).
        push_invite: From the login to the invitation of a call that a push announced (Telnyx iOS SDK: 10 s).
        bye: The server's answer to a hang-up; the call is over with or without it (Telnyx JS SDK: 5 s).
        gather: Looking for network candidates before an offer or answer leaves (Telnyx JS SDK: 1 s).
        reattach_gather: The same when a call is brought back, for then none can follow (Telnyx JS SDK: 5 s).
        description: From an answer without a session description to the message that brings it.
        media: From the answer to connected audio.
        path_lost: How long a broken audio path may take to come back by itself before a new one is sought.
        ice_restart: Finding a new audio path (Telnyx JS SDK: 15 s).
        close: Saying good-bye to the server before the connection is cut.
        silence: How long a server may say nothing before it is asked for a sign of life (Telnyx JS SDK: 20 s).
        unanswered: How long nothing may be answered before the same is done (Telnyx JS SDK: 45 s).
        probe: The sign of life; without it the connection is cut and made again (Telnyx JS SDK: 5 s).
        reconnect: How long an answered call waits to be brought back after its connection was lost (Telnyx Android
            SDK: 60 s).
        report: Posting what reports of calls are left when the client disconnects (Telnyx JS SDK: 10 s).
    """

    connect: float = 10.0
    login: float = 10.0
    gateway_poll: float = 3.0
    request: float = 10.0
    push_invite: float = 10.0
    bye: float = 5.0
    gather: float = 1.0
    reattach_gather: float = 5.0
    description: float = 5.0
    media: float = 15.0
    path_lost: float = 3.0
    ice_restart: float = 15.0
    close: float = 2.0
    silence: float = 20.0
    unanswered: float = 45.0
    probe: float = 5.0
    reconnect: float = 60.0
    report: float = 10.0

    def __post_init__(self) -> None:
        _require_positive(self)


@dataclass(frozen=True)
class Limits:
    """How much of something there may be.

    Attributes:
        max_concurrent_calls: Calls that are not over, in both directions, at the same time; `None` for as many as come.
            One more inbound call is told USER_BUSY, one more outbound call is a `CallLimitError`.
        registrations: Further attempts to get registered when the SIP registration of a login fails, each on a new
            connection (Telnyx Android SDK: 3); only with `auto_reconnect`.
        gateway_polls: Questions for the SIP registration before it has failed (Telnyx Android SDK: 3).
        ringing_calls: Inbound calls that ring at the same time; the client is busy for any more.
        queued_candidates: Network candidates of the remote that wait for its description; more are dropped.
        ice_restarts: Attempts in a row to find a new audio path before the call is given up.
    """

    max_concurrent_calls: int | None = None
    registrations: int = 3
    gateway_polls: int = 3
    ringing_calls: int = 100
    queued_candidates: int = 64
    ice_restarts: int = 3

    def __post_init__(self) -> None:
        _require_positive(self)


def _require_positive(settings: Timeouts | Limits) -> None:
    for name, value in vars(settings).items():
        if value is not None and not value > 0:
            raise ConfigurationError(f"{type(settings).__name__}.{name} must be more than zero")
