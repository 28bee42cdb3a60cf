"""How speech sounds over a bad network: PESQ of what arrives, for this library and others, through the same relay.

    python benchmarks/speech_quality.py [--loss 0,5,10,20] [--jitter 0.04] [--stack wrtc=/path/to/its/python ...]

Each stack makes a call between two of its own ends. All packets go through a relay on this machine that delays and
loses them as `SimulatedLink` says, with the same seed for all: the n-th packet of speech has the same fate. What the
remote hears is compared with what was said by wideband PESQ (ITU-T P.862.2, package `pesq`), in pieces of some
seconds; 4.6 is perfect. Every stack has an adapter in `peers/`, and those beside ours an environment of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import re
import sys
import time
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FRAME = 0.01
RATES = 16_000, 48_000
"""At which what is said is there."""
SPEECH = 96.0
"""Seconds of speech in a call: which parts of it are lost makes half a point for six seconds."""
CANDIDATE = re.compile(r"(candidate:\S+ \d+ )(\w+)( \d+ )(\S+) (\d+)( typ )(\w+)([^\"\\\r\n]*)")


# --- the process of one stack: standard library only -----------------------------------------------------------------


class Ends:
    """Both ends of one call, by commands on stdin."""

    def __init__(self, stack: str) -> None:
        module = importlib.import_module(f"peers.{stack}")
        self._heard: list[tuple[int, int, bytes]] = []
        self._stack = module.Stack("a", "opus")
        self._ends: list[Any] = []

    def _hear(self, pcm: bytes, rate: int, channels: int) -> None:
        self._heard.append((rate, channels, bytes(pcm)))

    def _ignore(self, pcm: bytes, rate: int, channels: int) -> None:
        pass

    def _candidate(self, role: str) -> Any:
        loop = asyncio.get_running_loop()
        return lambda candidate: loop.call_soon_threadsafe(say, {"candidate": candidate, "of": role})

    async def begin(self) -> None:
        if hasattr(self._stack, "start"):
            await self._stack.start()
        for role, hear in (("a", self._ignore), ("b", self._hear)):
            self._ends.append(self._stack.peer(hear, self._candidate(role)))

    async def offer(self) -> Any:
        return await self._ends[0].create_offer()

    async def answer(self, offer: Any) -> Any:
        return await self._ends[1].create_answer(offer)

    async def accept(self, answer: Any) -> None:
        await self._ends[0].set_answer(answer)

    async def candidate(self, role: str, candidate: Any) -> None:
        await self._ends["ab".index(role)].add_candidate(candidate)

    async def connected(self) -> None:
        for end in self._ends:
            await asyncio.wait_for(end.wait_connected(), 20)

    async def talk(self, said: str, heard: str) -> list[int]:
        """Say a file of samples (`SAID.RATE`); write what is heard to another. Returns its rate and channels."""
        frames = frames_of(said, self._ends[0].rate)
        self._heard.clear()
        due = time.monotonic() - FRAME  # two frames at once: who paces what is sent has one in hand
        for frame in frames:
            self._ends[0].push(frame)
            due += FRAME
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await asyncio.sleep(0.5)
        rate, channels, _ = self._heard[-1]
        keep(heard, (part for at, of, part in self._heard if (at, of) == (rate, channels)))
        return [rate, channels]


def frames_of(path: str, rate: int) -> list[bytes]:
    pcm, size = Path(f"{path}.{rate}").read_bytes(), int(rate * FRAME) * 2
    return [pcm[start : start + size] for start in range(0, len(pcm) - size + 1, size)]


def keep(path: str, parts: Iterable[bytes]) -> None:
    Path(path).write_bytes(b"".join(parts))


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def serve(stack: str) -> None:
    ends = Ends(stack)
    await ends.begin()
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command, *arguments = json.loads(line)
        say({"result": await getattr(ends, command)(*arguments)})


# --- the measuring process ---------------------------------------------------------------------------------------


class Relay:
    """Two sockets, one for each end: what comes to the one leaves from the other, when the link says so."""

    def __init__(self, conditions: Any, seed: int) -> None:
        from telnyx_native.media.simulated_network import SimulatedLink

        self._links = [SimulatedLink(2 * seed + way, conditions) for way in range(2)]
        self._transports: list[asyncio.DatagramTransport] = []
        self._targets: list[tuple[str, int] | None] = [None, None]

    async def open(self, address: str) -> None:
        loop = asyncio.get_running_loop()
        for side in range(2):
            transport, _ = await loop.create_datagram_endpoint(lambda s=side: _Side(self, s), (address, 0))
            self._transports.append(transport)

    def stand_in_for(self, side: int, text: str) -> str:
        """The same description or candidate, with the address of the relay instead of that of an end."""

        def replaced(found: re.Match[str]) -> str:
            usable = found[2].lower() == "udp" and ":" not in found[4] and found[7] == "host"
            if usable and self._targets[side] in {None, (found[4], int(found[5]))}:
                self._targets[side] = found[4], int(found[5])
                host, port = self._transports[1 - side].get_extra_info("sockname")[:2]
            else:
                host, port = "127.0.0.1", 9  # nobody is there
            return f"{found[1]}{found[2]}{found[3]}{host} {port}{found[6]}{found[7]}{found[8]}"

        return CANDIDATE.sub(replaced, text)

    def pass_on(self, side: int, packet: bytes) -> None:
        target = self._targets[1 - side]
        if target is None:
            return
        loop = asyncio.get_running_loop()
        for due in self._links[side].offer(loop.time(), packet):
            loop.call_at(due, self._send, self._transports[1 - side], packet, target)

    @staticmethod
    def _send(transport: asyncio.DatagramTransport, packet: bytes, target: tuple[str, int]) -> None:
        if not transport.is_closing():
            transport.sendto(packet, target)

    def close(self) -> None:
        for transport in self._transports:
            transport.close()


class _Side(asyncio.DatagramProtocol):
    def __init__(self, relay: Relay, side: int) -> None:
        self._relay, self._side = relay, side

    def datagram_received(self, packet: bytes, _address: object) -> None:
        self._relay.pass_on(self._side, packet)


async def call(stack: str, python: str, conditions: Any, seed: int, said: Path, heard: Path) -> list[int]:
    """One call; returns rate and channels of what was heard."""
    relay = Relay(conditions, seed)
    await relay.open(own_address())
    process = await asyncio.create_subprocess_exec(
        python, __file__, "--serve", stack, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 24
    )
    assert process.stdin
    stdin, results = process.stdin, asyncio.Queue[Any]()

    def tell(*command: Any) -> None:
        stdin.write(json.dumps(command).encode() + b"\n")

    def through(role: str, value: Any) -> Any:
        return json.loads(relay.stand_in_for("ab".index(role), json.dumps(value)))

    held: list[tuple[str, Any]] | None = []

    async def listen() -> None:
        assert process.stdout
        async for line in process.stdout:
            if not line.startswith(b"{"):
                continue
            message = json.loads(line)
            if "candidate" not in message:
                results.put_nowait(message["result"])
            elif held is not None:
                held.append((message["of"], message["candidate"]))

    listening = asyncio.create_task(listen())

    async def ask(*command: Any) -> Any:
        tell(*command)
        return await asyncio.wait_for(results.get(), SPEECH + 30)

    try:
        answer = through("b", await ask("answer", through("a", await ask("offer"))))
        await ask("accept", answer)
        await asyncio.sleep(0.5)  # trickled candidates
        for role, candidate in held:
            await ask("candidate", "b" if role == "a" else "a", through(role, candidate))
        held = None
        await ask("connected")
        await asyncio.sleep(1.0)
        return list(await ask("talk", str(said), str(heard)))
    finally:
        listening.cancel()
        process.kill()
        await process.wait()
        relay.close()


async def calls(
    stack: str, python: str, options: argparse.Namespace, said: Path, heard: dict[float, Path]
) -> list[list[int]]:
    """A call at each loss, all at once."""
    from telnyx_native.media.simulated_network import NetworkConditions

    return await asyncio.gather(
        *(
            call(
                stack,
                python,
                NetworkConditions(jitter=options.jitter, loss=loss / 100, burst=options.burst),
                options.seed,
                said,
                file,
            )
            for loss, file in heard.items()
        )
    )


def own_address() -> str:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])


def scores(said: Any, heard: Any) -> list[float]:
    """PESQ of pieces of 6 s, each found in what was heard."""
    import numpy as np
    from pesq import pesq

    rate, piece, slack = 16_000, 6 * 16_000, 16_000
    found = []
    for start in range(0, len(said) - piece + 1, piece):
        reference = said[start : start + piece].astype(np.float64)
        window = heard[max(start - slack, 0) : start + piece + 2 * slack].astype(np.float64)
        if len(window) < piece:
            continue
        size = 1 << int(np.ceil(np.log2(len(window) + piece)))
        likeness = np.fft.irfft(np.fft.rfft(window, size) * np.conj(np.fft.rfft(reference, size)), size)
        lag = int(np.argmax(likeness[: len(window) - piece + 1]))
        found.append(float(pesq(rate, reference.astype(np.int16), window[lag : lag + piece].astype(np.int16), "wb")))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--loss", default="0,5,10,20", help="percent, a list")
    parser.add_argument("--jitter", type=float, default=0.04, help="seconds that a packet takes longer at most")
    parser.add_argument("--burst", type=float, default=1.0, help="packets lost in a row, on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--others-only", action="store_true", help="not ours")
    parser.add_argument("--stack", action="append", default=[], help="NAME=PYTHON, of another stack")
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    measure(options)


def measure(options: argparse.Namespace) -> None:
    import tempfile

    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from telnyx_native.gateway.destinations.sounds import PROMPT
    from telnyx_native.media.files import read_audio

    stacks = {} if options.others_only else dict.fromkeys(("telnyx_native_16k", "telnyx_native"), sys.executable)
    stacks |= dict(stack.split("=", 1) for stack in options.stack)
    losses = [float(loss) for loss in options.loss.split(",")]
    table = Table(
        title=f"PESQ, {1000 * options.jitter:.0f} ms jitter, bursts of {options.burst:g}, seed {options.seed}"
    )
    for column in ("stack", *(f"{loss:g} % lost" for loss in losses)):
        table.add_column(column)
    with tempfile.TemporaryDirectory() as folder:
        said, wav = Path(folder) / "said", Path(folder) / "heard.wav"
        for rate in RATES:
            once = np.frombuffer(read_audio(PROMPT, rate), np.int16)
            spoken = np.tile(once, int(np.ceil(SPEECH * rate / len(once))))[: int(SPEECH * rate)]
            said.with_name(f"said.{rate}").write_bytes(spoken.tobytes())
        reference = np.fromfile(said.with_name("said.16000"), np.int16)
        for stack, python in stacks.items():
            heard = {loss: Path(folder) / f"heard.{loss}" for loss in losses}
            formats = asyncio.run(calls(stack, python, options, said, heard))
            row = [stack]
            for loss, (rate, channels) in zip(losses, formats, strict=True):
                samples = array("h", heard[loss].read_bytes())[::channels]
                write_wav(wav, np.array(samples, np.int16), rate)
                found = scores(reference, np.frombuffer(read_audio(wav, 16_000), np.int16))
                row.append(f"{np.mean(found):.2f}")
                print(stack, loss, [f"{score:.2f}" for score in found], file=sys.stderr, flush=True)
            table.add_row(*row)
    Console().print(table)


def write_wav(path: Path, samples: Any, rate: int) -> None:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


if __name__ == "__main__":
    main()
