"""Microphones and loudspeakers at calls, on a virtual sound card."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.cancellation import CancelAt
from support.hearing import hear_tone, saying_tone
from support.limit import LIMIT
from support.signals import Pcm, dominant_frequency, pcm, rms, tone
from support.sound_server import SoundServer, needs_sound_server, sound_server
from support.users import answered_call
from telnyx_native import (
    AudioConfig,
    AudioProcessing,
    Call,
    DeviceError,
    ErrorCode,
    Handset,
    HandsetState,
    Loudspeaker,
    NoiseSuppression,
    Verdict,
    run_microphone_check,
    sound_devices,
)
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.files import read_audio

pytestmark = needs_sound_server

RATE = 16_000
UNPROCESSED = AudioProcessing(
    echo_cancellation=False, noise_suppression=NoiseSuppression.OFF, gain_control=False, high_pass=False
)


@pytest.fixture
async def sounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SoundServer]:
    async with sound_server(tmp_path) as server:
        monkeypatch.setenv("PULSE_SERVER", server.address)
        server.add_room("room")
        yield server


async def hears_nothing(call: Call) -> None:
    async with asyncio.timeout(LIMIT):
        while rms(pcm(await call.audio.read(RATE // 2))) > 20:
            pass


async def test_what_the_loudspeaker_plays_the_microphone_hears(sounds, alice, bob) -> None:
    caller, kiosk = await answered_call(alice, bob, "bob", audio=AudioConfig.microphone(processing=UNPROCESSED))
    async with Handset(kiosk, microphone="pulse", speaker="pulse") as handset:
        assert handset.state.value is HandsetState.WORKING
        async with saying_tone(caller.audio, 700):
            await hear_tone(caller.audio, 700)
    assert handset.state.value is HandsetState.CLOSED


async def test_streams_of_the_application_go_on(sounds, alice, bob) -> None:
    """PortAudio is one for the process; starting it again, to see new devices, would end them."""
    import sounddevice

    _, kiosk = await answered_call(alice, bob, "bob", audio=AudioConfig.microphone(processing=UNPROCESSED))
    blocks = count()

    def play(data: Any, *_: object) -> None:
        data[:] = bytes(len(data))
        next(blocks)

    sound_devices()
    with sounddevice.RawOutputStream(RATE, 160, channels=1, dtype="int16", device="pulse", callback=play) as stream:
        sound_devices()
        async with Handset(kiosk, microphone="pulse", speaker="pulse"):
            before = next(blocks)
            async with asyncio.timeout(LIMIT):
                while next(blocks) < before + 20:  # noqa: ASYNC110 - it is counted on a thread of the sound system
                    await asyncio.sleep(0.05)
        assert stream.active


@pytest.mark.sound
async def test_the_echo_of_a_handset_is_taken_away(sounds, alice, bob) -> None:
    caller, kiosk = await answered_call(alice, bob, "bob", audio=AudioConfig.microphone())
    async with Handset(kiosk):
        said = np.tile(read_audio(PROMPT, RATE), 10)
        saying = asyncio.create_task(caller.audio.write(said))
        quieter = list[float]()
        async with asyncio.timeout(LIMIT):  # it finds the echo anew whenever a sound device has stumbled
            while len(quieter) < 4 or quieter[-1] < 18:  # 25 dB
                quieter.append(rms(said) / max(rms(pcm(await caller.audio.read(RATE))), 1))
        saying.cancel()


async def test_devices_that_are_unplugged_are_waited_for(sounds, alice, bob) -> None:
    caller, kiosk = await answered_call(alice, bob, "bob", audio=AudioConfig.microphone(processing=UNPROCESSED))
    async with Handset(kiosk) as handset:
        async with saying_tone(caller.audio, 700):
            await hear_tone(caller.audio, 700)
        sounds.remove_room("room")
        await asyncio.wait_for(handset.state.wait_for(lambda state: state is HandsetState.UNPLUGGED), LIMIT)
        await hears_nothing(caller)
        sounds.add_room("room")
        await asyncio.wait_for(handset.state.wait_for(lambda state: state is HandsetState.WORKING), LIMIT)
        assert handset.counters.reopened == 1
        async with saying_tone(caller.audio, 900):
            await hear_tone(caller.audio, 900)


async def test_other_devices_during_the_call(sounds, alice, bob) -> None:
    caller, kiosk = await answered_call(alice, bob, "bob", audio=AudioConfig.microphone(processing=UNPROCESSED))
    async with Handset(kiosk) as handset:
        with pytest.raises(DeviceError, match="no loudspeaker 'bluetooth'; there are 'pulse'"):
            await handset.use(speaker="bluetooth")
        assert handset.state.value is HandsetState.WORKING
        await handset.use(microphone="pulse", speaker="pulse")
        async with saying_tone(caller.audio, 700):
            await hear_tone(caller.audio, 700)


@pytest.mark.parametrize("step", ["open", "use", "close"])
async def test_cancelled_anywhere_the_devices_are_let_go_of(sounds, alice, bob, step) -> None:
    caller, kiosk = await answered_call(alice, bob, "bob", audio=AudioConfig.microphone(processing=UNPROCESSED))
    for point in count():
        cancel, handset = CancelAt(point), Handset(kiosk)
        if step != "open":
            await handset.open()
        with suppress(asyncio.CancelledError):
            await asyncio.create_task(cancel.run(getattr(handset, step)()))
        await asyncio.wait_for(handset.close(), LIMIT)
        assert handset.state.value is HandsetState.CLOSED
        if not cancel.reached:
            break
        assert point < 50
    async with Handset(kiosk), saying_tone(caller.audio, 700):  # as good as new
        await hear_tone(caller.audio, 700)


async def test_microphone_check_can_be_cancelled_anywhere(sounds) -> None:
    for point in count():
        cancel = CancelAt(point)
        with suppress(asyncio.CancelledError):
            await asyncio.create_task(cancel.run(run_microphone_check(duration=0.2)))
        if not cancel.reached:
            break
        assert point < 50
    assert (await run_microphone_check(duration=0.2)).verdict is not None


async def test_a_device_that_is_not_there(sounds, alice, bob) -> None:
    _, kiosk = await answered_call(alice, bob, "bob", audio=AudioConfig.microphone())
    with pytest.raises(DeviceError, match="no microphone 'bluetooth'; there are 'pulse'") as caught:
        await Handset(kiosk, microphone="bluetooth").open()
    assert caught.value.kind is ErrorCode.MEDIA_DEVICE_NOT_FOUND


async def test_devices_are_listed(sounds) -> None:
    default = next(device for device in sound_devices() if device.is_default)
    assert default.is_microphone
    assert default.is_speaker


async def test_a_microphone_is_checked_before_the_first_call(sounds) -> None:
    assert (await run_microphone_check(duration=0.5)).reasons.keys() == {"microphone_silent"}
    async with Loudspeaker() as loudspeaker:
        for _ in range(25):
            loudspeaker.write(tone(520, 0.1, loudspeaker.sample_rate).tobytes())
        report = await run_microphone_check(duration=1.0)
    assert report.verdict is Verdict.READY
    assert 0.2 < report.peak < 0.3
    assert 0.05 < report.level < 0.2
    missing = await run_microphone_check("bluetooth")
    assert missing.verdict is Verdict.BLOCKED
    assert "'bluetooth'" in missing.reasons["microphone_unavailable"]


async def test_the_command_that_lists_devices(sounds, monkeypatch) -> None:
    environment = {**os.environ, "COLUMNS": "100"}
    command = [sys.executable, "-m", "telnyx_native", "devices", "--check"]
    listing = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
    output, _ = await asyncio.wait_for(listing.communicate(), LIMIT)
    assert b"pulse" in output
    assert b"nothing is heard" in output
    assert listing.returncode == 1


async def test_without_devices(sounds, alice, bob, monkeypatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
    _, kiosk = await answered_call(alice, bob, "bob", audio=AudioConfig.microphone())
    with pytest.raises(DeviceError):
        await Handset(kiosk).open()


async def test_ringing_is_heard_from_a_loudspeaker(sounds, alice, bob, tmp_path: Path) -> None:
    import sounddevice

    loop, heard = asyncio.get_running_loop(), asyncio.Queue[Pcm]()

    def hear(samples: object, *_: object) -> None:
        loop.call_soon_threadsafe(heard.put_nowait, pcm(bytes(samples)))  # type: ignore[call-overload]

    async with Loudspeaker() as loudspeaker:
        listening = sounddevice.RawInputStream(RATE, blocksize=RATE // 5, channels=1, dtype="int16", callback=hear)
        with listening:
            sound = tone(520, 2, loudspeaker.sample_rate).tobytes()
            for start in range(0, len(sound), 640):
                loudspeaker.write(sound[start : start + 640])
                await asyncio.sleep(0.01)
            async with asyncio.timeout(LIMIT):
                while True:
                    piece = await heard.get()
                    if rms(piece) > 500 and abs(dominant_frequency(piece, RATE) - 520) < 10:
                        break
