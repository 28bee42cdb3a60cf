"""What noise does to what is heard of a caller, with and without processing of what is received.

    python benchmarks/noise.py [--utterances 18] [--seconds 120]

It needs the Debian packages espeak-ng and flite, for their voices, and `pip install pystoi pocketsphinx`. Everything is
synthetic. Three voices say strings of four digits; babble (six voices at once), street (rumble, and cars that pass) and
hiss are added, 0 to 15 dB under the speech. All of it goes through `AudioProcessor`, which is what a call uses for
`AudioConfig.receive_processing`. Then:

- PocketSphinx recognises the digits; word errors are substitutions, insertions and deletions by words that were said;
- STOI (Taal 2010; 1 is wholly intelligible) compares with the speech before the noise;
- the voice detector listens to noise alone, and each onset is a false barge-in;
- CPU and delay are measured, and those of a filter of one's own in a call.

The digits are chosen by a seed; nothing was tuned on them.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder
from pystoi import stoi
from rich.console import Console
from rich.table import Table

from telnyx_native.config import AudioConfig, AudioProcessing, NoiseSuppression, PeerConfig, VoiceActivityConfig
from telnyx_native.media.alignment import align
from telnyx_native.media.audio_processor import AudioProcessor
from telnyx_native.media.detectors import VoiceActivityDetector
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.files import read_audio

RATE = 16_000
FRAME = RATE // 100
Sound = NDArray[np.float64]

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
GRAMMAR = f"#JSGF V1.0; grammar digits; public <digits> = ({'|'.join(DIGITS)})+;"
VOICES = "slt", "rms", "awb"
BABBLE = (
    "The meeting was moved to the third floor because the projector on the second does not work.",
    "My sister says that the train from the coast was late again, and that nobody told them why.",
    "If you could send me the papers before the weekend, I would be able to read them on the plane.",
    "We had soup, and after that some fish with potatoes, and for dessert there was an apple pie.",
    "He never liked the idea of selling the house, but in the end there was no other way.",
    "Turn left behind the church, go on until you see the river, and ask again at the bridge.",
)
SPEECH_LEVEL = -26.0
"""dBFS of speech, which is what telephone networks aim at (ITU-T G.111: -26 dBov)."""
SNRS = 0, 5, 10, 15
GAP = 0.8
"""Seconds of noise alone between two utterances; there are five of it at the beginning, to learn from."""

TREATMENTS: dict[str, AudioProcessing | None] = {"as received": None} | {
    name: AudioProcessing(echo_cancellation=False, noise_suppression=level, gain_control=gain, high_pass=True)
    for name, level, gain in (
        ("LOW", NoiseSuppression.LOW, False),
        ("HIGH", NoiseSuppression.HIGH, False),
        ("HIGH, gain", NoiseSuppression.HIGH, True),
    )
}


@cache
def spoken(text: str, voice: str) -> Sound:
    """What a voice says, without the silence around it, at the level of speech."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spoken.wav"
        program = ["flite", "-voice", voice, "-t", text, "-o", str(file)]
        if voice.startswith("en"):
            program = ["espeak-ng", "-v", voice, "-w", str(file), text]
        subprocess.run(program, check=True, capture_output=True)
        samples = read_audio(file, RATE).astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    return at_level(samples[loud[0] : loud[-1] + 1], SPEECH_LEVEL)


def at_level(samples: Sound, level: float) -> Sound:
    return samples * 32768 * 10 ** (level / 20) / np.sqrt(np.mean(samples**2))


def coloured(seconds: float, slope: float, rng: np.random.Generator, low: float = 50) -> Sound:
    """Noise whose power falls by 3 dB an octave for each 1 of `slope`, from `low` Hz on."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum /= np.maximum(np.fft.rfftfreq(count, 1 / RATE), low) ** (slope / 2)
    return np.fft.irfft(spectrum, count)


def noise(kind: str, seconds: float, rng: np.random.Generator) -> Sound:
    """Noise of a kind, at the level of speech."""
    count = round(seconds * RATE)
    if kind == "hiss":
        return at_level(coloured(seconds, 0, rng), SPEECH_LEVEL)
    if kind == "street":  # a car passes every six seconds: louder, and brighter when it is near
        rumble = at_level(coloured(seconds, 2, rng), SPEECH_LEVEL - 6)
        tyres = at_level(coloured(seconds, 1, rng, 400), SPEECH_LEVEL)
        near = np.maximum(0, np.sin(np.arange(count) / RATE * 2 * np.pi / 6 + rng.uniform(0, 6))) ** 4
        return at_level(rumble + 2 * near * tyres, SPEECH_LEVEL)
    total = np.zeros(count)
    for text, voice in zip(BABBLE, ("slt", "rms", "awb", "en-us+f4", "en-gb+m3", "en-us+m1"), strict=True):
        said = np.concatenate([spoken(text, voice), np.zeros(RATE // 4)])
        total += np.tile(np.roll(said, int(rng.integers(len(said)))), count // len(said) + 1)[:count]
    return at_level(total, SPEECH_LEVEL)


def treated(samples: Sound, treatment: AudioProcessing | None) -> NDArray[np.int16]:
    """What a call with this processing hears."""
    heard = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    heard = heard[: len(heard) // FRAME * FRAME]
    if treatment is None:
        return heard
    return np.frombuffer(AudioProcessor(RATE, treatment).process(heard), np.int16)


def utterances(count: int) -> Iterator[tuple[list[str], Sound]]:
    rng = np.random.default_rng(2)
    for i in range(count):
        words = [DIGITS[n] for n in rng.integers(10, size=4)]
        yield words, spoken(" ".join(words), VOICES[i % len(VOICES)])


def errors(said: list[str], found: list[str]) -> int:
    """The least number of words that have to be changed, put in or taken out."""
    row = list(range(len(found) + 1))
    for i, word in enumerate(said, 1):
        before, row = row, [i]
        for j, other in enumerate(found, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (word != other)))
    return row[-1]


class Judge:
    """Recognises what is said, and compares it with what was said."""

    def __init__(self, count: int) -> None:
        self._decoder = Decoder(samprate=RATE, lm=None, loglevel="FATAL")
        self._decoder.add_jsgf_string("digits", GRAMMAR)
        self._decoder.activate_search("digits")
        self._said = list(utterances(count))
        pieces, self._places, at = [np.zeros(5 * RATE)], [], 5 * RATE
        for words, samples in self._said:
            self._places.append((words, at, at + len(samples)))
            pieces += [samples, np.zeros(round(GAP * RATE))]
            at += len(samples) + round(GAP * RATE)
        self.speech = np.concatenate(pieces)

    def score(self, kind: str, snr: float | None, treatment: AudioProcessing | None, delay: int) -> tuple[float, float]:
        """The share of words that are wrong, and STOI."""
        noisy = self.speech
        if snr is not None:
            added = noise(kind, len(self.speech) / RATE, np.random.default_rng(3))
            noisy = noisy + added[: len(noisy)] * 10 ** (-snr / 20)
        heard = treated(noisy, treatment)
        similar = [
            stoi(self.speech[begin:end], heard[begin + delay : end + delay].astype(float), RATE)
            for _, begin, end in self._places
        ]
        return self.word_errors(heard, delay), statistics.mean(similar)

    def word_errors(self, heard: NDArray[np.int16], delay: int) -> float:
        """The share of words that are recognised wrongly in what comes of `speech`, so many samples late."""
        margin, wrong = round(0.2 * RATE), 0
        for words, begin, end in self._places:
            wrong += errors(words, self._recognise(heard[begin - margin + delay : end + margin + delay]))
        return wrong / (4 * len(self._places))

    def _recognise(self, samples: NDArray[np.int16]) -> list[str]:
        self._decoder.start_utt()
        self._decoder.process_raw(samples.tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return found.hypstr.split() if found else []


def barge_ins(samples: NDArray[np.int16], config: VoiceActivityConfig) -> tuple[float, float]:
    """How often in a minute a call takes it for the beginning of speech, and the share of time that it does.

    It does what `SpeechGate` in csrc/rtc does.
    """
    detector = VoiceActivityDetector(RATE, aggressiveness=config.aggressiveness)
    onset, hangover = round(100 * config.onset), round(100 * config.hangover)
    begun, spoken_for, level, silent, speaking = 0, 0, 0, 0, False
    for at in range(0, len(samples) - FRAME + 1, FRAME):
        voiced = detector.is_speech(samples[at : at + FRAME])
        spoken_for += speaking
        if speaking:
            silent = 0 if voiced else silent + 1
            if silent >= hangover:
                speaking, level = False, 0
        else:
            level = level + 1 if voiced else max(level - 1, 0)
            if level >= onset:
                speaking, silent, begun = True, 0, begun + 1
    return begun / (len(samples) / RATE / 60), spoken_for / (len(samples) // FRAME)


def delay_of(treatment: AudioProcessing | None) -> int:
    """By how many samples what comes out is later than what went in."""
    said = np.concatenate([np.zeros(RATE), *(samples for _, samples in utterances(3))])
    heard = treated(said, treatment)
    return max(0, round(align(said[RATE:].astype(np.int16), heard, RATE).offset * RATE) - RATE)


def cpu_of(treatment: AudioProcessing | None) -> float:
    """The share of a core that a call takes for it."""
    samples = noise("street", 60, np.random.default_rng(4))
    begun = time.process_time()
    treated(samples, treatment)
    return (time.process_time() - begun) / 60


async def filter_delay() -> list[float]:
    """Milliseconds by which a filter that does nothing is later than a plain tap, frame by frame, in a call."""
    engine = MediaEngine.acquire()
    caller, callee = (engine.create_peer(PeerConfig(loopback=True), AudioConfig()) for _ in range(2))
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    await caller.set_answer(await callee.gathered())
    await callee.wait_connected(10)
    plain, filtered = callee.audio.tap(), callee.audio.filtered(bytes)

    async def times(read: object) -> list[float]:
        found = []
        for _ in range(500):
            await read(FRAME)  # type: ignore[operator]
            found.append(time.monotonic())
        return found

    first, second = await asyncio.gather(times(plain.read), times(filtered.read))
    for peer in (caller, callee):
        await peer.close()
    await engine.release()
    return sorted(1000 * (b - a) for a, b in zip(first, second, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--utterances", type=int, default=18)
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    console, judge = Console(), Judge(arguments.utterances)
    delays = {name: delay_of(treatment) for name, treatment in TREATMENTS.items()}

    scores = Table("noise", "dB", *TREATMENTS, title=f"word errors, and STOI: {4 * arguments.utterances} digits")
    for kind, snr in [("none", None), *((kind, snr) for kind in ("babble", "street", "hiss") for snr in SNRS)]:
        found = [judge.score(kind, snr, treatment, delays[name]) for name, treatment in TREATMENTS.items()]
        scores.add_row(kind, "" if snr is None else str(snr), *(f"{wrong:.0%}  {alike:.2f}" for wrong, alike in found))
    console.print(scores)

    alarms = Table("noise", "dBFS", "aggressiveness", *TREATMENTS, title="false barge-ins a minute, and share of time")
    for kind in ("babble", "street", "hiss"):
        for below in (0, 15):
            alone = noise(kind, arguments.seconds, np.random.default_rng(5)) * 10 ** (-below / 20)
            for aggressiveness in (2, 3):
                config = VoiceActivityConfig(aggressiveness=aggressiveness)
                found = [barge_ins(treated(alone, treatment), config) for treatment in TREATMENTS.values()]
                cells = (f"{rate:.1f}  {share:.0%}" for rate, share in found)
                alarms.add_row(kind, f"{SPEECH_LEVEL - below:.0f}", str(aggressiveness), *cells)
    console.print(alarms)

    costs = Table("", *TREATMENTS, title="cost of a call")
    costs.add_row("CPU", *(f"{cpu_of(treatment):.2%} of a core" for treatment in TREATMENTS.values()))
    costs.add_row("delay", *(f"{1000 * delay / RATE:.1f} ms" for delay in delays.values()))
    console.print(costs)
    late = asyncio.run(filter_delay())
    middle, worst = late[len(late) // 2], late[round(0.95 * len(late))]
    console.print(f"a filter of one's own: {middle:.2f} ms later than a tap, 95 % of the frames within {worst:.2f} ms")


if __name__ == "__main__":
    main()
