"""Who answered: how often `AnswerDetector` is wrong, and how long it takes, on a corpus that this makes by itself.

    python benchmarks/answer_detection.py [--set held-out|tuning|all] [--errors] [--save FOLDER]

It needs the Debian packages espeak-ng and flite, for their voices. Everything that is said is synthetic: 70 voices in
ten languages, greetings of humans and of machines, these with pauses between their sentences and beeps of many kinds;
noise (hiss, street, babble) 5 to 20 dB under the voice in three of five, levels from -32 to -14 dBFS, half of it
through mu-law at 8 kHz, a quarter with lost packets; besides silence, music, noise, fax machines and tones of the
network. A third, by the hash of an item's name, is held out: nothing was tuned on it. What real people and machines do
differs.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from telnyx_native import _audio, _webrtc
from telnyx_native.config import AnswerDetectionConfig
from telnyx_native.gateway.destinations.sounds import hold_music
from telnyx_native.media.answer_detection import AnswerDetection, AnswerDetector, AnswerVerdict, Beep
from telnyx_native.media.files import read_audio, write_wav
from telnyx_native.media.tones import progress_tone, tone

RATE = 16_000
FRAME = RATE // 100
Sound = NDArray[np.float64]

ESPEAK = ("m1", "m3", "m7", "f2", "f4", "f5")
FLITE = ("kal16", "awb", "rms", "slt")

HUMANS = {
    "en": (
        "Hello?", "Hello.", "Hi!", "Yes?", "Yeah?", "Yeah, hello?", "Good morning.", "Miller.", "John Miller.",
        "This is Anna.", "Hello, this is Anna.", "Smith residence.", "Hello, who is this?", "Speaking.",
        "Hey, what's up?",
        "Good afternoon, Miller speaking.", "Reception, how can I help you?",
    ),
    "de": ("Hallo?", "Ja?", "Ja, hallo?", "Müller.", "Guten Tag, Schmidt.", "Hallo, wer ist da?"),
    "fr": ("Allô?", "Oui, allô?", "Bonjour.", "Allô, oui?"),
    "es": ("¿Diga?", "¿Sí?", "Hola.", "¿Bueno?", "¿Quién es?"),
    "it": ("Pronto?", "Sì?", "Pronto, chi parla?"),
    "nl": ("Hallo?", "Met Jansen.", "Goedemorgen, met Anna."),
    "pt": ("Alô?", "Sim?", "Olá, bom dia."),
    "pl": ("Halo?", "Słucham?", "Tak, słucham?"),
    "sv": ("Hallå?", "Ja, hej?", "Det är Anna."),
    "fi": ("Haloo?", "Virtanen."),
}  # fmt: skip

MACHINES = {
    "en": (
        ("Hi.", "You have reached the voicemail of John Miller.", "Please leave a message after the tone."),
        ("Hello, you've reached Anna.", "I can't take your call right now.", "Leave your name and number."),
        ("Your call has been forwarded to an automatic voice message system.", "At the tone, please record."),
        ("The person you are calling is not available.", "Please leave a message after the beep."),
        ("Thank you for calling Acme.", "Our office is closed.", "Please call again during business hours."),
        ("Hello.", "We are not at home at the moment.", "Please leave us a message, and we will call you back."),
        ("Hey, it's Tom!", "I'm busy, or I don't want to talk to you.", "You know what to do."),
        ("Welcome to the Miller Corporation.", "For sales, press one.", "For support, press two."),
    ),
    "de": (
        ("Guten Tag.", "Sie sind verbunden mit dem Anschluss von Familie Müller.", "Bitte sprechen Sie nach dem Ton."),
        ("Die Mailbox von", "null eins sieben zwei, fünf fünf fünf.", "Bitte hinterlassen Sie eine Nachricht."),
    ),
    "fr": (("Bonjour, vous êtes bien sur la messagerie de Paul.", "Laissez un message après le bip sonore."),),
    "es": (("Hola.", "En este momento no puedo atenderle.", "Deje su mensaje después de la señal."),),
    "it": (("Risponde la segreteria telefonica di Marco.", "Lasciate un messaggio dopo il segnale acustico."),),
    "nl": (("Dit is de voicemail van Jan.", "Spreek een bericht in na de piep."),),
    "pt": (("Olá, você ligou para Maria.", "Deixe o seu recado após o sinal."),),
    "pl": (("Dzień dobry, tu automatyczna sekretarka.", "Proszę zostawić wiadomość po sygnale."),),
    "sv": (("Hej, du har kommit till Anders.", "Lämna ett meddelande efter tonen."),),
    "fi": (("Olet soittanut Annalle.", "En voi vastata nyt.", "Jätä viesti äänimerkin jälkeen."),),
}


@dataclass
class Item:
    """A call, from the answer on.

    Attributes:
        name: What it is called; its hash says to which set it belongs, and seeds its randomness.
        right: The verdicts that are right.
        samples: What is heard.
        speech: Seconds where the first word begins, and the greeting ends, if there is one.
        beeps: Seconds where beeps begin and end.
    """

    name: str
    right: frozenset[AnswerVerdict]
    samples: NDArray[np.int16]
    speech: tuple[float, float] | None = None
    beeps: list[tuple[float, float]] = field(default_factory=list)


@cache
def spoken(text: str, voice: str, speed: int, pitch: int) -> Sound:
    """What a voice says, without the silence around it, at full scale."""
    engine, _, name = voice.partition(":")
    if engine == "flite":
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "spoken.wav"
            stretch = f"duration_stretch={175 / speed:.2f}"
            command = ["flite", "-voice", name, "--setf", stretch, "-t", text, "-o", str(file)]
            subprocess.run(command, check=True, capture_output=True)
            samples = read_audio(file, RATE).astype(np.float64)
    else:
        made = subprocess.run(
            ["espeak-ng", "-v", name, "-s", str(speed), "-p", str(pitch), "--stdout", text],
            check=True,
            capture_output=True,
        )
        with io.BytesIO(made.stdout) as data:
            heard, rate = soundfile.read(data, dtype="float64")
        steps = np.arange(0, len(heard) - 1, rate / RATE)
        samples = np.interp(steps, np.arange(len(heard)), heard) * 32767
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    samples = samples[loud[0] : loud[-1] + 1]
    return samples / np.sqrt(np.mean(samples**2))


def silence(seconds: float) -> Sound:
    """Nothing, for a while."""
    return np.zeros(round(seconds * RATE))


class Maker:
    """Makes one item: what is random in it depends on its name only."""

    def __init__(self, name: str) -> None:
        self.random = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]))

    def uniform(self, low: float, high: float) -> float:
        """A number between two."""
        return float(self.random.uniform(low, high))

    def voice(self, language: str) -> Callable[[str], Sound]:
        """A voice that speaks a language, at a speed and a pitch of its own."""
        voices = [f"espeak:{'en-us' if language == 'en' else language}+{variant}" for variant in ESPEAK]
        if language == "en":
            voices += [f"espeak:en-gb+{variant}" for variant in ESPEAK] + [f"flite:{name}" for name in FLITE] * 3
        voice = str(self.random.choice(voices))
        speed, pitch = int(self.random.integers(145, 205)), int(self.random.integers(30, 65))
        return lambda text: spoken(text, voice, speed, pitch)

    def noise(self, samples: int) -> Sound:
        """Noise of some kind, with a level of 1."""
        match int(self.random.integers(3)):
            case 0:
                sound = self.random.normal(0, 1, samples)
            case 1:  # a street, with the hum of the mains
                spectrum = np.fft.rfft(self.random.normal(0, 1, samples))
                spectrum /= np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 60) ** 0.9
                sound = np.fft.irfft(spectrum, samples)
                sound = sound / sound.std() + 0.3 * np.sin(2 * np.pi * 100 * np.arange(samples) / RATE)
            case _:  # babble
                sound = np.zeros(samples)
                for voice in self.random.choice([f"espeak:en-gb+{v}" for v in ESPEAK] + ["flite:rms", "flite:slt"], 6):
                    talk = spoken(" ".join(MACHINES["en"][int(self.random.integers(8))]), str(voice), 175, 45)
                    sound += np.resize(np.roll(talk, int(self.random.integers(len(talk)))), samples)
        return sound / np.sqrt(np.mean(sound**2))

    def line(self, sound: Sound, *, speech: Sound | None = None, noisy: bool | None = None) -> NDArray[np.int16]:
        """What arrives of a sound: with noise, at some level, through a codec, with losses."""
        voiced = speech if speech is not None else sound
        level = np.sqrt(np.mean(voiced[voiced != 0] ** 2)) if np.any(voiced) else 1.0
        if noisy if noisy is not None else self.random.random() < 0.6:
            sound = sound + self.noise(len(sound)) * level * 10 ** (-self.uniform(5, 20) / 20)
        else:
            sound = sound + self.random.normal(0, 1, len(sound)) * level * 10 ** (-self.uniform(35, 60) / 20)
        sound = sound / level * 32767 * 10 ** (self.uniform(-32, -14) / 20)
        if self.random.random() < 0.5:
            sound = _through_mulaw(sound)
        if self.random.random() < 0.25:
            sound = self._lose(sound, self.uniform(0.01, 0.05))
        return np.rint(np.clip(sound, -32768, 32767)).astype(np.int16)

    def _lose(self, sound: Sound, share: float) -> Sound:
        """Lose packets of 20 ms; what was before is repeated, and dies away."""
        sound, packet = sound.copy(), RATE // 50
        lost = 0
        for start in range(packet, len(sound) - packet, packet):
            lost = lost + 1 if self.random.random() < share else 0
            if lost:
                sound[start : start + packet] = sound[start - packet : start] * 0.7**lost
        return sound

    def beep(self) -> Sound:
        """A beep: one frequency or two, or one after another."""
        hz, seconds = int(self.random.integers(400, 2000)), self.uniform(0.12, 1.2)
        kind = self.random.random()
        if kind < 0.15:
            return 1.4 * tone((hz, min(2100, round(hz * 1.3))), seconds, RATE, -9.0).astype(np.float64) / 8192
        return tone((hz,), seconds, RATE, -6.0).astype(np.float64) / 8192


def _through_mulaw(sound: Sound) -> Sound:
    """Through a telephone: 300 to 3,400 Hz, 8 kHz, G.711."""
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum *= np.clip((hz - 150) / 150, 0, 1) * np.clip((3800 - hz) / 400, 0, 1)
    low = np.fft.irfft(spectrum, len(sound))[::2]
    scaled = np.clip(low / 32768, -1, 1)
    coded = np.rint(np.sign(scaled) * np.log1p(255 * np.abs(scaled)) / np.log(256) * 127)
    decoded = np.sign(coded) * (256 ** (np.abs(coded) / 127) - 1) / 255 * 32768
    return np.interp(np.arange(len(sound)) / 2, np.arange(len(decoded)), decoded)


HUMAN = frozenset({AnswerVerdict.HUMAN})
MACHINE = frozenset({AnswerVerdict.MACHINE})
NOBODY = frozenset({AnswerVerdict.MACHINE, AnswerVerdict.UNKNOWN, AnswerVerdict.SILENCE})


def human(name: str, language: str, text: str) -> Item:
    """Somebody says something, waits, and perhaps says it again."""
    maker = Maker(name)
    say = maker.voice(language)
    greeting = say(text)
    before = maker.uniform(0.15, 1.2)
    parts = [silence(before), greeting, silence(maker.uniform(1.5, 2.5))]
    if maker.random.random() < 0.5:
        parts.append(say("Hello?" if language == "en" else text))
    sound = np.concatenate([*parts, silence(2.5)])
    return Item(name, HUMAN, maker.line(sound, speech=greeting), (before, before + len(greeting) / RATE))


def machine(name: str, language: str, sentences: tuple[str, ...]) -> Item:
    """A greeting of sentences with pauses between them, and mostly a beep."""
    maker = Maker(name)
    say = maker.voice(language)
    before = maker.uniform(0.15, 2.0)
    parts = [silence(before)]
    for i, sentence in enumerate(sentences):
        parts += [silence(maker.uniform(0.15, 0.65))] * (i > 0) + [say(sentence)]
    greeting = np.concatenate(parts[1:])
    end = before + len(greeting) / RATE
    beeps = []
    parts = [silence(before), greeting]
    if maker.random.random() < 0.85:
        gap, beep = maker.uniform(0.1, 1.2), maker.beep()
        parts += [silence(gap), beep]
        beeps.append((end + gap, end + gap + len(beep) / RATE))
    sound = np.concatenate([*parts, silence(3.0)])
    return Item(name, MACHINE, maker.line(sound, speech=greeting), (before, end), beeps)


def other(name: str) -> Item:
    """No greeting: silence, noise, music, a fax machine, a tone of the network."""
    kind, number = name.split()
    maker, pick = Maker(name), int(number)
    if kind == "silence":
        sound = silence(7)
        return Item(
            name, frozenset({AnswerVerdict.SILENCE}), (maker.random.normal(0, 1, len(sound)) * pick).astype(np.int16)
        )
    if kind == "noise":
        level = 32767 * 10 ** (maker.uniform(-50, -22) / 20)
        right = frozenset({AnswerVerdict.SILENCE, AnswerVerdict.UNKNOWN, AnswerVerdict.MACHINE})
        return Item(name, right, np.clip(maker.noise(7 * RATE) * level, -32768, 32767).astype(np.int16))
    if kind == "music":
        music = np.roll(hold_music(RATE).astype(np.float64), -int(maker.uniform(0, 8 * RATE)))
        speed = maker.uniform(0.7, 1.4)
        music = np.interp(np.arange(0, 7 * RATE) * speed % len(music), np.arange(len(music)), music)
        sound = np.concatenate([silence(maker.uniform(0.1, 1)), music])
        return Item(name, NOBODY, maker.line(sound, noisy=False))
    if kind == "fax":
        signal = ("fax-ced", "fax-cng")[pick % 2]
        sound = progress_tone(signal, "us", 3.2, RATE, -15).astype(np.float64)
        sound = np.concatenate([silence(maker.uniform(0.2, 2.0)), sound, silence(3)])
        return Item(name, frozenset({AnswerVerdict.FAX}), maker.line(sound, noisy=pick % 3 == 0))
    if kind == "sit":
        say = maker.voice("en")
        sound = progress_tone("sit", "us", 1.2, RATE, -15).astype(np.float64) / 2000
        words = say("The number you have dialed is not in service.")
        sound = np.concatenate([silence(maker.uniform(0.1, 1)), sound, words, silence(2)])
        return Item(name, MACHINE, maker.line(sound, speech=words))
    regions = ("us", "uk", "eu", "fr", "br", "cn")
    signal = ("busy", "congestion")[pick % 2]
    sound = progress_tone(signal, regions[pick % 6], 5.0, RATE, -15).astype(np.float64)
    sound = np.concatenate([silence(maker.uniform(0.1, 1)), sound])
    return Item(name, frozenset({AnswerVerdict.UNKNOWN}), maker.line(sound, noisy=False))


def names() -> Iterator[tuple[str, Callable[[str], Item]]]:
    """All items, in their order."""
    for language, texts in HUMANS.items():
        for text in texts:
            for take in range(6 if language == "en" else 3):
                yield f"human {language} {text} {take}", lambda n, lang=language, t=text: human(n, lang, t)
    for language, greetings in MACHINES.items():
        for sentences in greetings:
            for take in range(10 if language == "en" else 7):
                yield (
                    f"machine {language} {sentences[0]} {take}",
                    lambda n, lang=language, s=sentences: machine(n, lang, s),
                )
    for kind, count in (("silence", 8), ("noise", 24), ("music", 24), ("fax", 16), ("sit", 12), ("network", 18)):
        for number in range(count):
            yield f"{kind} {number}", other


SETTINGS = {
    "the defaults": AnswerDetectionConfig(),
    "after_greeting_silence_millis=700": AnswerDetectionConfig(after_greeting_silence_millis=700),
    "after_greeting_silence_millis=800": AnswerDetectionConfig(after_greeting_silence_millis=800),
    "after_greeting_silence_millis=1000": AnswerDetectionConfig(after_greeting_silence_millis=1000),
    "Telnyx's defaults": AnswerDetectionConfig(
        total_analysis_time_millis=3500,
        after_greeting_silence_millis=800,
        greeting_duration_millis=3500,
        maximum_number_of_words=5,
        maximum_word_length_millis=3500,
        silence_threshold=256,
    ),
}
"""What is compared; the tables are those of the defaults."""


def is_held_out(name: str) -> bool:
    """Whether an item belongs to the third that is not looked at while tuning."""
    return hashlib.sha256(f"set of {name}".encode()).digest()[0] % 3 == 0


@dataclass
class Outcome:
    """What the detector said about an item."""

    item: Item
    detection: AnswerDetection | None
    beeps: list[tuple[float, Beep]]

    @property
    def is_right(self) -> bool:
        return self.detection is not None and self.detection.verdict in self.item.right

    @property
    def says_human(self) -> bool:
        return self.detection is not None and self.detection.verdict is AnswerVerdict.HUMAN

    def found_beep(self, beep: tuple[float, float]) -> float | None:
        """Seconds after the end of a beep at which it was found."""
        found = [at for at, heard in self.beeps if abs(heard.at + heard.duration - beep[1]) < 0.08]
        return found[0] - beep[1] if found else None

    @property
    def false_beeps(self) -> list[Beep]:
        return [
            heard
            for _, heard in self.beeps
            if not any(begin - 0.1 < heard.at < end + 0.1 for begin, end in self.item.beeps)
        ]


def listen(item: Item, config: AnswerDetectionConfig) -> Outcome:
    """Let the detector hear an item, 10 ms at a time."""
    detector, beeps = AnswerDetector(RATE, config), []
    for start in range(0, len(item.samples) - FRAME + 1, FRAME):
        detector.feed(item.samples[start : start + FRAME])
        if len(detector.beeps) > len(beeps):
            beeps.append(((start + FRAME) / RATE, detector.beeps[-1]))
    return Outcome(item, detector.detection, beeps)


def quantiles(values: list[float]) -> str:
    """Median and 90th percentile."""
    return f"{np.median(values):.2f} / {np.quantile(values, 0.9):.2f} s" if values else "-"


@dataclass(frozen=True)
class Score:
    """How it went with the items of a set.

    Attributes:
        humans: Those where a human answered.
        machines: Those where a greeting machine did.
        others: The rest.
    """

    humans: list[Outcome]
    machines: list[Outcome]
    others: list[Outcome]

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> Score:
        """Sort the outcomes."""
        humans = [o for o in outcomes if o.item.right == HUMAN]
        machines = [o for o in outcomes if o.item.name.startswith("machine")]
        return cls(humans, machines, [o for o in outcomes if o.item.right != HUMAN and o not in machines])

    @property
    def since_first_word(self) -> list[float]:
        """Seconds until the verdicts on humans that were right."""
        return [o.detection.after_answer - o.item.speech[0] for o in self.humans if o.is_right]

    def line(self) -> str:
        """The most important of it."""
        times = self.since_first_word
        return (
            f"false machine {sum(not o.says_human for o in self.humans)} of {len(self.humans)}, "
            f"false human {sum(o.says_human for o in self.machines)} of {len(self.machines)}, "
            f"humans after {quantiles(times)} from the first word, {np.mean(np.array(times) < 1.2):.0%} within 1.2 s"
        )


def report(title: str, outcomes: list[Outcome], console: Console) -> None:
    """Print the table of a set."""
    score = Score.of(outcomes)
    humans, machines, others = score.humans, score.machines, score.others
    table = Table(title=f"{title}: {len(outcomes)} items", show_header=False)
    false_machine = [o for o in humans if not o.says_human]
    false_human = [o for o in machines if o.says_human]
    table.add_row("humans taken for something else", f"{len(false_machine)} of {len(humans)}")
    table.add_row("machines taken for a human", f"{len(false_human)} of {len(machines)}")
    table.add_row("machines not taken for one", f"{sum(not o.is_right for o in machines)} of {len(machines)}")
    for kind in ("silence", "noise", "music", "fax", "sit", "network"):
        some = [o for o in others if o.item.name.startswith(kind)]
        human_too = sum(o.says_human for o in some)
        table.add_row(
            f"{kind}: wrong (taken for a human)", f"{sum(not o.is_right for o in some)} ({human_too}) of {len(some)}"
        )
    right = [o for o in humans if o.is_right]
    since_begin = score.since_first_word
    since_end = [o.detection.after_answer - o.item.speech[1] for o in right if o.detection and o.item.speech]
    table.add_row("human: from the first word to the verdict", quantiles(since_begin))
    table.add_row("human: in less than 1.2 s", f"{sum(t < 1.2 for t in since_begin)} of {len(since_begin)}")
    table.add_row("human: from the end of the greeting", quantiles(since_end))
    known = [o for o in machines if o.is_right]
    table.add_row(
        "machine: from the first word to the verdict",
        quantiles([o.detection.after_answer - o.item.speech[0] for o in known if o.detection and o.item.speech]),
    )
    beeps = [(o, beep, o.found_beep(beep)) for o in outcomes for beep in o.item.beeps]
    found = [after for _, _, after in beeps if after is not None]
    hours = sum(len(o.item.samples) for o in outcomes) / RATE / 3600
    false = [(o, b) for o in outcomes for b in o.false_beeps]
    table.add_row("beeps missed", f"{len(beeps) - len(found)} of {len(beeps)}")
    table.add_row("beeps where there is none", f"{len(false)} in {60 * hours:.0f} minutes")
    table.add_row("beep: from its end until it is found", quantiles(found) + f", at most {max(found, default=0):.2f} s")
    console.print(table)


def cost() -> tuple[float, float]:
    """Microseconds that a call costs in 10 ms: words, and tones, on speech in noise."""
    sound = Maker("cost").line(np.concatenate([spoken(" ".join(MACHINES["en"][1]), "espeak:en-us+f4", 175, 45)] * 3))
    frames = [sound[i : i + FRAME].tobytes() for i in range(0, len(sound) - FRAME + 1, FRAME)]
    words, tones = _webrtc.WordDetector(RATE), _audio.SteadyToneDetector(RATE)
    costs = []
    for process in (lambda frame: words.process(frame, 256), tones.process):
        rounds = []
        for _ in range(5):
            begun = time.process_time()
            for frame in frames:
                process(frame)
            rounds.append((time.process_time() - begun) / len(frames) * 1e6)
        costs.append(min(rounds))
    return costs[0], costs[1]


def main() -> None:
    """Make the corpus, listen to it, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=("held-out", "tuning", "all"), default="all", help="which items to listen to")
    parser.add_argument(
        "--errors", action="store_true", help="list what was wrong; not for the held-out set, while tuning"
    )
    parser.add_argument("--save", type=Path, help="write the items there, as WAV files")
    options = parser.parse_args()
    for program in ("espeak-ng", "flite"):
        if not shutil.which(program):
            sys.exit(f"{program} is not there: apt-get install espeak-ng flite")
    console = Console(width=110)
    outcomes: dict[tuple[bool, str], list[Outcome]] = {(h, s): [] for h in (False, True) for s in SETTINGS}
    for name, make in names():
        if options.set == "all" or (options.set == "held-out") == is_held_out(name):
            item = make(name)
            for setting, config in SETTINGS.items():
                outcomes[is_held_out(name), setting].append(listen(item, config))
            if options.save:
                options.save.mkdir(parents=True, exist_ok=True)
                write_wav(options.save / f"{name.replace('/', '_')}.wav", item.samples.data, RATE)
    for held_out, title in ((False, "tuning"), (True, "held out")):
        default = outcomes[held_out, "the defaults"]
        if not default:
            continue
        report(title, default, console)
        by_reason = Counter((o.detection.reason if o.detection else None, o.is_right) for o in default)
        for reason in sorted({reason for reason, _ in by_reason if reason}):
            right, wrong = by_reason[reason, True], by_reason[reason, False]
            console.print(f"  {reason}: {right} right, {wrong} wrong ({right / (right + wrong):.2f})")
        for setting in SETTINGS:
            console.print(f"{setting}: {Score.of(outcomes[held_out, setting]).line()}")
        for outcome in default if options.errors else ():
            missed = any(outcome.found_beep(beep) is None for beep in outcome.item.beeps)
            if not outcome.is_right or outcome.false_beeps or missed:
                console.print(
                    outcome.item.name, outcome.item.speech, outcome.detection, outcome.beeps, outcome.item.beeps
                )
    words, tones = cost()
    console.print(f"CPU per call: {words:.1f} us for words and {tones:.1f} us for tones, every 10 ms: "
                  f"{(words + tones) / 100:.2f} % of a core, with the calls from Python")  # fmt: skip


if __name__ == "__main__":
    main()
