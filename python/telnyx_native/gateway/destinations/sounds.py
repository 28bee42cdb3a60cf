"""What the gateway can play: tones, keys, music, files of a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from telnyx_native.errors import ConfigurationError
from telnyx_native.event_loop import run_blocking
from telnyx_native.media.network_tones import Signal, ToneRegion, cadence_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from telnyx_native.media.stream import AudioStream

__all__ = [
    "PROMPT",
    "VOICEMAIL",
    "EndlessTone",
    "FileSound",
    "KeyTones",
    "Music",
    "NetworkTone",
    "Silence",
    "Sound",
    "SoundFolder",
    "Tone",
    "hold_music",
    "parse_sound",
    "play",
    "rendered",
]

PROMPT = Path(__file__).parents[2] / "assets" / "prompt.flac"
"""A few words in English, of the package's own."""

VOICEMAIL = Path(__file__).parents[2] / "assets" / "voicemail.flac"
"""The greeting of a machine, of the package's own."""

LONGEST_FILE = 900.0
"""Seconds of a sound file; a longer one is refused, for it is held in memory."""

LOWEST, HIGHEST = 20, 3400
"""Hz of a tone: what telephones carry."""


class Sound(Protocol):
    """Something that can be played."""

    def render(self, rate: int) -> NDArray[np.int16]:
        """Return its samples, `rate` a second. Takes its time: not for the event loop."""


async def rendered(sound: Sound, rate: int) -> NDArray[np.int16]:
    """Return the samples of a sound.

    Raises:
        ConfigurationError: Its file cannot be read, or is too long.
    """
    return await run_blocking(sound.render, rate)


async def play(audio: AudioStream, sound: Sound) -> None:
    """Play a sound on the audio of an answered leg; return when it has been sent.

    Raises:
        MediaError: The call ended first.
        ConfigurationError: The sound's file cannot be read, or is too long.
    """
    samples = await rendered(sound, audio.sample_rate)
    await audio.write(samples.data)
    await audio.drain()


@dataclass(frozen=True)
class Tone:
    """A sine tone."""

    hz: int
    seconds: float = 0.5

    def render(self, rate: int) -> NDArray[np.int16]:
        """Return its samples."""
        from telnyx_native.media.tones import tone  # loads NumPy: not before something is played

        return tone((self.hz,), self.seconds, rate)


@dataclass(frozen=True)
class EndlessTone:
    """A second of a sine tone, to be repeated without a seam."""

    hz: int = 440

    @classmethod
    def parse(cls, argument: str) -> EndlessTone:
        """Make the tone of an address: `tone` or `tone:1000`."""
        return cls(_hertz(argument)) if argument else cls()

    def render(self, rate: int) -> NDArray[np.int16]:
        """Return its samples."""
        from telnyx_native.media.tones import endless_tone

        return endless_tone((self.hz,), rate)


@dataclass(frozen=True)
class Silence:
    """A pause."""

    seconds: float

    def render(self, rate: int) -> NDArray[np.int16]:
        """Return its samples."""
        import numpy as np

        return np.zeros(round(self.seconds * rate), np.int16)


@dataclass(frozen=True)
class KeyTones:
    """Keys, any of 0-9, *, # and A-D, as the sound that they make on a telephone."""

    keys: str

    def render(self, rate: int) -> NDArray[np.int16]:
        """Return its samples."""
        from telnyx_native.media.tones import dtmf_tones

        return dtmf_tones(self.keys, rate, duration=0.12, gap=0.08)


@dataclass(frozen=True)
class NetworkTone:
    """What the network tells a caller with a tone: a period of its rhythm, to be repeated, or a second."""

    signal: Signal = Signal.RINGBACK
    region: ToneRegion = ToneRegion.US

    @classmethod
    def parse(cls, argument: str) -> NetworkTone:
        """Make the tone of an address: `busy`, or `busy:uk`.

        Raises:
            ConfigurationError: There is no such tone.
        """
        signal, _, region = argument.partition(":")
        try:
            made = cls(Signal(signal), ToneRegion(region or "us"))
        except ValueError:
            raise ConfigurationError(
                f"{argument!r} is no tone: write one of {', '.join(Signal)}, and :REGION if it is not us"
            ) from None
        if made.signal is not Signal.SIT:
            cadence_of(made.signal, made.region)  # raises
        return made

    @property
    def seconds(self) -> float:
        """Of one period; of SIT and of CED with some silence behind them."""
        if self.signal in (Signal.SIT, Signal.FAX_CED):
            return 2.0
        return sum(cadence_of(self.signal, self.region).rhythm) or 1.0

    def render(self, rate: int) -> NDArray[np.int16]:
        """Return its samples."""
        from telnyx_native.media.tones import endless_tone, progress_tone

        if self.signal is Signal.DIAL:
            return endless_tone(tuple(map(int, cadence_of(self.signal, self.region).frequencies)), rate)
        return progress_tone(self.signal, self.region, self.seconds, rate)


@dataclass(frozen=True)
class Music:
    """Music on hold: some bars to be repeated without a seam, composed for this package."""

    def render(self, rate: int) -> NDArray[np.int16]:
        """Return its samples."""
        return hold_music(rate)


@dataclass(frozen=True)
class FileSound:
    """A sound file."""

    path: Path

    def render(self, rate: int) -> NDArray[np.int16]:
        """Return its samples."""
        import soundfile

        try:
            seconds = soundfile.info(self.path).duration
            changed = self.path.stat().st_mtime_ns
        except (OSError, soundfile.SoundFileError) as error:
            raise ConfigurationError(f"cannot read audio from {self.path}: {error}") from error
        if seconds > LONGEST_FILE:
            raise ConfigurationError(f"{self.path} is longer than {LONGEST_FILE:g} s")
        return _read(self.path, changed, rate)


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int, rate: int) -> NDArray[np.int16]:
    from telnyx_native.media.files import read_audio

    return read_audio(path, rate)


class SoundFolder:
    """The files that may be played. Nothing outside of the folder can be reached from the wire.

    Args:
        folder: The folder; without one there is only the package's own prompt.

    Raises:
        ConfigurationError: There is no such folder.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder.resolve() if folder else None
        if self._folder is not None and not self._folder.is_dir():
            raise ConfigurationError(f"{folder} is no folder: make it and put the sound files there, or name another")

    def find(self, name: str) -> Path:
        """Return the path of a file below the folder; without a name, the package's own prompt.

        Raises:
            ConfigurationError: There is no such file there. What is elsewhere is not looked at.
        """
        if not name:
            return PROMPT
        if self._folder is None:
            raise ConfigurationError("no folder of sounds is configured: name one with --sounds, or as `sounds`")
        try:
            # Links are followed first: neither ".." nor a link leads out of the folder.
            path = (self._folder / name).resolve()
            known = path.is_relative_to(self._folder) and path.is_file()
        except (OSError, ValueError, RuntimeError):  # too long a name, a NUL, a loop of links
            known = False
        if not known:
            raise ConfigurationError(f"there is no file {name!r} below {self._folder}")
        return path


def parse_sound(text: str, folder: SoundFolder) -> Sound:
    """Read `file:NAME`, `tone:HZ`, `tone:HZ:SECONDS`, `keys:KEYS` or `silence:SECONDS`.

    Raises:
        ConfigurationError: It is none of these, or there is no such file.
    """
    kind, _, argument = text.partition(":")
    match kind:
        case "file" if argument:
            return FileSound(folder.find(argument))
        case "tone" if argument:
            hz, _, seconds = argument.partition(":")
            return Tone(_hertz(hz), _seconds(seconds)) if seconds else Tone(_hertz(hz))
        case "keys" if argument and set(argument) <= set("0123456789*#ABCD"):
            return KeyTones(argument)
        case "silence" if argument:
            return Silence(_seconds(argument))
    raise ConfigurationError(
        f"{text!r} is no sound: write file:NAME, tone:HZ, tone:HZ:SECONDS, keys:KEYS or silence:SECONDS"
    )


def _hertz(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,6}", text) and LOWEST <= int(text) <= HIGHEST:
        return int(text)
    raise ConfigurationError(f"a tone is between {LOWEST} and {HIGHEST} Hz, such as tone:440")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.02 <= seconds <= 60:
        raise ConfigurationError(f"{text!r} is no number of seconds between 0.02 and 60")
    return seconds


BEAT = 0.5
"""Seconds; 120 beats a minute."""

CHORDS = (("A2", "C4", "E4", "A4"), ("F2", "C4", "F4", "A4"), ("C3", "C4", "E4", "G4"), ("G2", "B3", "D4", "G4"))
"""Bass and three notes, for four beats each: Am F C G."""

MELODY = "E5 - D5 C5  A4 - C5 D5  E5 G5 E5 D5  B4 - D5 -"
"""A note a beat; a dash holds the last one."""

PARTIALS = (1.0, 0.35, 0.12)
"""Amplitudes of the harmonics of a note."""

PEAK = 8_000

_SEMITONES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}


@lru_cache(maxsize=4)
def hold_music(rate: int) -> NDArray[np.int16]:
    """Return eight seconds of music, to be repeated without a seam.

    Args:
        rate: Samples a second.
    """
    import numpy as np

    beats = 4 * len(CHORDS)
    music = np.zeros(round(beats * BEAT * rate))
    for bar, (bass, *chord) in enumerate(CHORDS):
        _add(music, rate, bass, beat=4 * bar, beats=4, level=0.5)
        for beat in range(4):
            for step, note in enumerate(chord):
                _add(music, rate, note, beat=4 * bar + beat + step / 3, beats=1, level=0.25)
    notes = MELODY.split()
    for beat, note in enumerate(notes):
        if note != "-":
            held = next((i for i, after in enumerate(notes[beat + 1 :], 1) if after != "-"), len(notes) - beat)
            _add(music, rate, note, beat=beat, beats=held, level=0.6)
    samples: NDArray[np.int16] = np.rint(music * (PEAK / np.abs(music).max())).astype(np.int16)
    samples.setflags(write=False)
    return samples


def _add(music: NDArray[np.float64], rate: int, note: str, *, beat: float, beats: float, level: float) -> None:
    """Add a plucked note; what sounds beyond the end goes on at the beginning."""
    import numpy as np

    hz = 440.0 * 2 ** ((_SEMITONES[note[0]] + 12 * (int(note[1]) - 4)) / 12)
    time = np.arange(round((beats * BEAT + 0.4) * rate)) / rate
    envelope = np.minimum(time / 0.01, 1.0) * np.exp(-2.0 * time) * np.clip((time[-1] - time) / 0.1, 0.0, 1.0)
    wave = sum(share * np.sin(2 * np.pi * hz * (n + 1) * time) for n, share in enumerate(PARTIALS))
    places = (round(beat * BEAT * rate) + np.arange(time.size)) % music.size
    music[places] += level * envelope * wave
