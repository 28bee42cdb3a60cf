"""A call as the ears and the mouth of a real livekit-agents session, against the gateway; no LiveKit server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from support.limit import LIMIT

pytest.importorskip("livekit.agents")

from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, Agent, AgentSession, APIConnectOptions, stt

from support.hearing import hear_tone
from support.pages import blocks, run_piece
from support.signals import dominant_frequency, pcm, rms, tone
from support.users import log_in
from telnyx_native import AudioConfig, AudioEncoding, Call, TelnyxClient
from telnyx_native.gateway import Gateway, User
from telnyx_native.gateway.calls.leg import CalleeLeg
from telnyx_native.integrations.livekit import CallAudioInput, CallAudioOutput

RATE = 16_000
TTS_RATE = 24_000
"""What speech synthesis gives: the session has to resample."""


class Recogniser(stt.STT):
    """Takes the audio of the caller, as a recogniser would."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))
        self.heard = bytearray()

    async def _recognize_impl(self, *_: object, **__: object) -> stt.SpeechEvent:
        raise NotImplementedError

    def stream(
        self, *, language: object = NOT_GIVEN, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> stt.RecognizeStream:
        return Listening(self, conn_options)


class Listening(stt.RecognizeStream):
    def __init__(self, recogniser: Recogniser, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=recogniser, conn_options=conn_options)
        self._recogniser = recogniser

    async def _run(self) -> None:
        async for frame in self._input_ch:
            if isinstance(frame, rtc.AudioFrame):
                self._recogniser.heard += frame.data


class Scene:
    def __init__(self, call: Call, caller: CalleeLeg) -> None:
        self.call = call
        self.caller = caller
        self.recogniser = Recogniser()
        self.session = AgentSession(stt=self.recogniser)
        self.session.input.audio = CallAudioInput(call)
        self.output = CallAudioOutput(call)
        self.session.output.audio = self.output


CALLS = [AudioConfig(encoding=AudioEncoding.ULAW), AudioConfig(sample_rate=8_000, encoding=AudioEncoding.FLOAT32)]
"""Calls whose audio is not what frameworks expect."""


@pytest.fixture
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    async with Gateway([User("bot", "s3cret")]) as gateway, TelnyxClient() as client:
        incoming = client.incoming_calls.collect()
        await log_in(client, gateway, "bot")
        caller = await gateway.place_call("bot", from_="+15550199")
        call = await asyncio.wait_for(anext(incoming), LIMIT)
        await call.accept(audio=getattr(request, "param", None))
        await call.wait_active(LIMIT)
        await caller.media.wait_connected()
        scene = Scene(call, caller)
        await scene.session.start(Agent(instructions="be kind"))
        yield scene
        await asyncio.wait_for(scene.session.aclose(), LIMIT)


async def voice(hz: float, seconds: float) -> AsyncIterator[rtc.AudioFrame]:
    """What speech synthesis gives, faster than real time."""
    samples = tone(hz, seconds, TTS_RATE)
    for start in range(0, len(samples), TTS_RATE // 10):
        part = samples[start : start + TTS_RATE // 10]
        yield rtc.AudioFrame(part.tobytes(), TTS_RATE, 1, len(part))


async def test_caller_and_agent_hear_each_other(scene: Scene) -> None:
    await scene.caller.audio.write(tone(700, 2.0, RATE))
    said = scene.session.say("good morning", audio=voice(440, 1.0))
    await hear_tone(scene.caller.audio, 440)
    await asyncio.wait_for(said.wait_for_playout(), LIMIT)
    assert scene.call.audio.played == pytest.approx(1.0, abs=0.1)
    await scene.caller.audio.drain()
    async with asyncio.timeout(LIMIT):
        while len(scene.recogniser.heard) < 4 * RATE:  # noqa: ASYNC110 - the session has no event for it
            await asyncio.sleep(0.02)
    assert dominant_frequency(pcm(bytes(scene.recogniser.heard)), RATE) == pytest.approx(700, abs=5)


@pytest.mark.parametrize("scene", CALLS, indirect=True)
async def test_a_call_of_another_encoding_is_heard_as_it_is(scene: Scene) -> None:
    rate = scene.call.audio.sample_rate
    await scene.caller.audio.write(tone(700, 2.0, RATE))
    scene.session.say("good morning", audio=voice(440, 1.0))
    await hear_tone(scene.caller.audio, 440)
    await scene.caller.audio.drain()
    async with asyncio.timeout(LIMIT):
        while len(scene.recogniser.heard) < 4 * rate:  # noqa: ASYNC110 - the session has no event for it
            await asyncio.sleep(0.02)
    assert dominant_frequency(pcm(bytes(scene.recogniser.heard)), rate) == pytest.approx(700, abs=5)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (8_000, 1), (24_000, 2)])
async def test_frames_that_are_given_directly(scene: Scene, rate: int, channels: int) -> None:
    samples = np.repeat(tone(440, 2.0, rate), channels)
    step = rate // 50 * channels
    for start in range(0, len(samples), step):
        part = samples[start : start + step]
        await scene.output.capture_frame(rtc.AudioFrame(part.tobytes(), rate, channels, len(part) // channels))
    scene.output.flush()
    await hear_tone(scene.caller.audio, 440)


async def test_frames_after_the_calls_end_go_nowhere(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    await scene.call.end()
    for _ in range(10):
        await scene.output.capture_frame(rtc.AudioFrame(bytes(640), RATE, 1, 320))
    scene.output.flush()
    scene.output.clear_buffer()
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_interruption_is_heard_at_once(scene: Scene) -> None:
    said = scene.session.say("a long story", audio=voice(440, 20.0))
    await hear_tone(scene.caller.audio, 440)
    finished = asyncio.get_running_loop().create_future()
    scene.output.on("playback_finished", finished.set_result)
    said.interrupt()
    event = await asyncio.wait_for(finished, LIMIT)
    assert event.interrupted
    assert event.playback_position == pytest.approx(scene.call.audio.played, abs=0.05)
    async with asyncio.timeout(LIMIT):
        while rms(pcm(await scene.caller.audio.read(RATE // 10))) > 100:
            pass
    scene.session.say("where was I", audio=voice(880, 1.0))
    await hear_tone(scene.caller.audio, 880)


async def test_false_interruption_loses_nothing(scene: Scene) -> None:
    said = scene.session.say("a short story", audio=voice(440, 2.0))
    await hear_tone(scene.caller.audio, 440)
    scene.output.pause()
    async with asyncio.timeout(LIMIT):
        while rms(pcm(await scene.caller.audio.read(RATE // 10))) > 100:
            pass
    held = scene.call.audio.played
    await scene.caller.audio.read(RATE // 2)
    assert scene.call.audio.played == held < 1.9
    scene.output.resume()
    await hear_tone(scene.caller.audio, 440)
    await asyncio.wait_for(said.wait_for_playout(), LIMIT)
    assert scene.call.audio.played == pytest.approx(2.0, abs=0.1)


async def test_caller_hangs_up_in_mid_sentence(scene: Scene) -> None:
    said = scene.session.say("a long story", audio=voice(440, 20.0))
    await hear_tone(scene.caller.audio, 440)
    await scene.caller.hang_up()
    await asyncio.wait_for(said.wait_for_playout(), LIMIT)


async def test_the_page_says_how(scene: Scene) -> None:
    (piece,) = [block for block in blocks() if "integrations.livekit" in block.text]
    await run_piece(piece, {"call": scene.call, "session": AgentSession()})
