"""Pieces of programs on the pages, run as they stand there, in a scene: a client, a gateway, and a call that is up."""

from __future__ import annotations

import asyncio
from array import array
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import soundfile

from support.limit import LIMIT
from support.pages import Block, blocks, run_piece
from support.signals import tone
from support.sound_server import PULSEAUDIO, sound_server
from support.users import answered_call, log_in
from telnyx_native import AudioClosedError, Call, TelnyxClient, TxServerConfiguration
from telnyx_native.gateway import Gateway, User
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.files import read_audio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PIECES = [
    block
    for block in blocks()
    if block.language == "python" and not block.is_program and "telnyx_native.integrations" not in block.text
]
"""Those for frameworks are run where the frameworks are: tests/frameworks; for metrics, in test_metrics.py."""
LONG_ENOUGH = 1.5
"""Seconds of call for a piece that listens until the call is over."""
RATE = 16_000


class Recogniser:
    """Takes frames, as a recogniser of speech does."""

    async def send(self, frame: bytes) -> None:
        pass


async def remote(call: Call) -> None:
    """Somebody speaks, presses a key, and hangs up: what a piece may listen for."""
    speech = read_audio(PROMPT, RATE)
    try:
        await call.audio.write(speech[: 3 * RATE])
        await call.audio.drain()
        await call.dtmf_in_band("5")
        await asyncio.sleep(LONG_ENOUGH)
    except AudioClosedError:  # the piece has ended the call
        return
    await call.end()


class Words:
    """Gives words and how they sound, as a service for speech does."""

    async def __aiter__(self) -> AsyncIterator[tuple[str, bytes]]:
        for word in ("how", "are", "you"):
            yield word, tone(500, 0.2, RATE).tobytes()


def alsa_devices(directory: Path, *rooms: str) -> Path:
    """Make rooms of the sound server devices with names of their own, as sound cards have them."""
    devices = [
        f'pcm.{room} {{ type asym hint {{ show on description "{room}" }} '
        f'playback.pcm {{ type pulse device "{room}" }} capture.pcm {{ type pulse device "{room}.monitor" }} }}'
        for room in rooms
    ]
    file = directory / "asound.conf"
    file.write_text("\n".join(["</usr/share/alsa/alsa.conf>", *devices]))
    return file


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway([User("alice", "demo", "+15550100"), User("bob", "demo", "+12345550100")]) as running:
        yield running


@pytest.fixture
async def scene(
    piece: Block, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[dict[str, Any]]:
    """What a piece finds: names that a reader knows from the text around it."""
    monkeypatch.chdir(tmp_path)
    for file in ("ringtone.wav", "welcome.flac", "music.flac", "office.ogg"):
        soundfile.write(tmp_path / file, tone(440, 0.5, RATE), RATE)
    async with AsyncExitStack() as stack:
        if piece.page == "microphone.md":
            if PULSEAUDIO is None:
                pytest.skip("needs pulseaudio: make test-tools")
            sounds = await stack.enter_async_context(sound_server(tmp_path))
            monkeypatch.setenv("PULSE_SERVER", sounds.address)
            for room in ("USB", "HDMI"):
                sounds.add_room(room)
            monkeypatch.setenv("ALSA_CONFIG_PATH", str(alsa_devices(tmp_path, "USB", "HDMI")))
        alice, bob, stranger = [await stack.enter_async_context(TelnyxClient()) for _ in range(3)]
        await log_in(alice, gateway, "alice", "demo")
        await log_in(bob, gateway, "bob", "demo")
        call, far = await answered_call(alice, bob, "bob")
        speaking = asyncio.create_task(remote(far))
        yield {
            "analyse": lambda frame: None,
            "call": call,
            "client": stranger if "client.connect" in piece.text else alice,
            "gateway": gateway,
            "other": far,
            "recogniser": Recogniser(),
            "samples": array("h", bytes(2 * RATE)),
            "server": TxServerConfiguration.parse(gateway.url),
            "speech": tone(600, 0.5, RATE),
            "supervisor": await alice.new_invite("echo") if "supervisor" in piece.text else None,
            "words": Words(),
        }
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
async def test_piece(piece: Block, scene: dict[str, Any]) -> None:
    running = asyncio.create_task(run_piece(piece, scene))
    over = asyncio.create_task(scene["call"].wait_done())
    await asyncio.wait([running, over], timeout=LIMIT, return_when=asyncio.FIRST_COMPLETED)
    if not (await asyncio.wait([running], timeout=1))[0]:  # it goes on for as long as there is a client
        await scene["client"].close()
    await asyncio.wait_for(running, LIMIT)
    over.cancel()
