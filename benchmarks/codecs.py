"""What speech recognition makes of calls with Opus and with G.711, over a network that loses packets.

    python benchmarks/codecs.py [--loss 0,2,5,10,20] [--utterances 18]

It needs what benchmarks/noise.py needs, whose synthetic voices say strings of four digits. They come from the telephone
network, band-limited and through mu-law at 8 kHz, and go on in a call with each codec, in real time, over a simulated
network: 30 ms of delay, up to 20 ms of jitter, losses of single packets, the same ones for both. PocketSphinx
recognises what arrives.
"""

from __future__ import annotations

import argparse
import asyncio

import numpy as np
from noise import RATE, Judge
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.media.alignment import align
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.simulated_network import NetworkConditions, SimulatedNetwork

CODECS = {"Opus, 16 kHz": AudioConfig(), "G.711, 8 kHz": AudioConfig.telephone()}
NARROW = 8_000


def resampled(samples: NDArray[np.float64], rate: int, wanted: int) -> NDArray[np.float64]:
    """The same at another rate, half or twice as high."""
    spectrum = np.fft.rfft(samples)
    count = len(samples) * wanted // rate
    bins = np.zeros(count // 2 + 1, complex)
    shared = min(len(bins), len(spectrum))
    bins[:shared] = spectrum[:shared]
    return np.fft.irfft(bins, count) * wanted / rate


def through_a_telephone(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """300 to 3,400 Hz, 8 kHz, mu-law (ITU-T G.711, by its continuous curve), of samples at 16 kHz."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    spectrum[(frequencies < 300) | (frequencies > 3400)] = 0
    narrow = resampled(np.fft.irfft(spectrum, len(samples)), RATE, NARROW) / 32768
    compressed = np.sign(narrow) * np.log1p(255 * np.minimum(np.abs(narrow), 1)) / np.log(256)
    levels = np.rint(compressed * 127) / 127
    return np.sign(levels) * (256 ** np.abs(levels) - 1) / 255 * 32768


async def called(said: NDArray[np.float64], audio: AudioConfig, loss: float) -> NDArray[np.int16]:
    """What arrives, at 16 kHz, of samples at 8 kHz."""
    rate = audio.sample_rate
    network = SimulatedNetwork(7, sending=NetworkConditions(delay=0.03, jitter=0.02, loss=loss))
    engine = MediaEngine.acquire()
    caller = engine.create_peer(PeerConfig(loopback=True), audio, network=network)
    callee = engine.create_peer(PeerConfig(loopback=True), audio)
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    await caller.set_answer(await callee.gathered())
    await callee.wait_connected(10)
    speech = np.rint(resampled(said, NARROW, rate) if rate != NARROW else said).clip(-32768, 32767).astype(np.int16)
    saying = asyncio.create_task(caller.audio.write(speech))
    heard = np.frombuffer(await callee.audio.read(len(speech) + rate), np.int16)
    await saying
    for peer in (caller, callee):
        await peer.close()
    await engine.release()
    return heard if rate == RATE else np.rint(resampled(heard.astype(float), rate, RATE)).astype(np.int16)


async def main() -> None:
    """Place the calls, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loss", default="0,2,5,10,20", help="percent, a list")
    parser.add_argument("--utterances", type=int, default=18)
    options = parser.parse_args()
    judge = Judge(options.utterances)
    said = through_a_telephone(judge.speech)
    plain = np.rint(resampled(said, NARROW, RATE)).clip(-32768, 32767).astype(np.int16)
    before = judge.word_errors(plain, 0)
    table = Table(title=f"word errors, {options.utterances} strings of 4 digits; before the call {before:.0%}")
    table.add_column("packets lost")
    for codec in CODECS:
        table.add_column(codec, justify="right")
    losses = [float(loss) / 100 for loss in options.loss.split(",")]
    cells = [(loss, audio) for loss in losses for audio in CODECS.values()]
    heard = iter(await asyncio.gather(*(called(said, audio, loss) for loss, audio in cells)))
    for loss in losses:
        row = []
        for _ in CODECS:
            arrived = next(heard)
            delay = round(align(plain, arrived, RATE).offset * RATE)
            row.append(f"{judge.word_errors(arrived, delay):.0%}")
        table.add_row(f"{loss:.0%}", *row)
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main())
