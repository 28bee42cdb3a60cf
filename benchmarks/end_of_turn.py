"""When is a turn over? Smart Turn against plain silence, on synthetic speech: cut-offs and delay.

    make frameworks    # once: it installs pipecat, which carries the model, into build/
    PYTHONPATH=build/frameworks .venv/bin/python benchmarks/end_of_turn.py

Sentences are spoken by espeak-ng and flite (apt install espeak-ng flite), each whole, and with a pause in the middle,
where nobody has finished. A *cut-off* is a turn that is ended in such a pause; the *delay* is from the last sound of a
whole sentence to the decision. It takes a minute. Synthetic voices do not sink and rise as people do, which is what the
model goes by: this shows how the two are compared, more than what is to be expected of people.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from telnyx_native.integrations.smart_turn import SmartTurn
from telnyx_native.media.files import read_audio

RATE = 16_000
PAUSE = 0.2
"""Seconds of silence after which the model is asked."""
PATIENCE = 2.0
INNER = (0.3, 1.5)
"""Seconds of the pauses in the middle, evenly spread."""
SILENCES = (0.4, 0.7, 1.0, 1.5)

SENTENCES = (
    ("I would like to book a table", "for two people on Friday."),
    ("My number is five five five", "one two three four."),
    ("Can you tell me", "when you open on Sunday?"),
    ("I ordered a pair of shoes", "and they have not arrived."),
    ("The thing is that", "I moved to another town last month."),
    ("My name is Anna", "and I am calling about my invoice."),
    ("Could you please", "connect me with somebody in sales?"),
    ("It is broken because", "the screen does not turn on."),
    ("I want to change", "my appointment to next week."),
    ("Is it possible", "to pay with a credit card?"),
    ("We were there in March", "or perhaps it was in April."),
    ("If you send it today", "when will it be here?"),
)
VOICES = {
    "espeak-ng en-us": ("espeak-ng", "-v", "en-us", "-w"),
    "espeak-ng en-gb+f3": ("espeak-ng", "-v", "en-gb+f3", "-w"),
    "flite slt": ("flite", "-voice", "slt", "-o"),
    "flite rms": ("flite", "-voice", "rms", "-o"),
}


@dataclass(frozen=True)
class Sentence:
    """Speech that ends, or that pauses in its middle."""

    whole: np.ndarray
    begun: np.ndarray


def spoken(voice: tuple[str, ...], text: str, folder: Path) -> np.ndarray:
    """The samples of a text, without silence around them."""
    file = folder / "said.wav"
    words = ["-t", text] if voice[0] == "flite" else [text]
    command = [*voice[:-1], *words, voice[-1], str(file)] if voice[0] == "flite" else [*voice, str(file), *words]
    subprocess.run(command, check=True, capture_output=True)
    samples = read_audio(file, RATE)
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 200)
    return samples[loud[0] : loud[-1] + 1]


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        corpus = [
            Sentence(spoken(voice, f"{begun} {rest}", Path(folder)), spoken(voice, begun, Path(folder)))
            for voice in VOICES.values()
            for begun, rest in SENTENCES
        ]
    model, silence = SmartTurn(), np.zeros(round(PAUSE * RATE), np.int16)
    over, wrong, took = [], [], []
    for sentence in track(corpus, "asking the model"):
        for speech, said in ((sentence.whole, over), (sentence.begun, wrong)):
            began = time.perf_counter()
            said.append(await model.is_over(np.concatenate([speech, silence]).tobytes(), RATE))
            took.append(time.perf_counter() - began)
    pauses = np.linspace(*INNER, len(corpus))
    answer = median(took)
    table = Table(title=f"{len(corpus)} sentences of {len(VOICES)} synthetic voices")
    for head in ("a turn is over", "cut off", "mean delay (s)"):
        table.add_column(head)
    for limit in SILENCES:
        table.add_row(f"after {limit} s of silence", f"{np.mean(pauses > limit):.0%}", f"{limit:.2f}")
    order = np.random.default_rng(1).permutation(pauses)
    asked = [flag or pause > PATIENCE for flag, pause in zip(wrong, order, strict=True)]
    delays = [PAUSE + answer if flag else PATIENCE for flag in over]
    table.add_row(
        f"Smart Turn at {PAUSE} s, {PATIENCE:g} s of patience", f"{np.mean(asked):.0%}", f"{mean(delays):.2f}"
    )
    console = Console()
    console.print(table)
    console.print(
        f"A question takes {1000 * answer:.0f} ms of CPU; whole sentences taken for whole: {np.mean(over):.0%}"
    )


asyncio.run(main())
