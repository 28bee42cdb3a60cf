"""A call as the transport of a real pipecat pipeline, against the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from support.limit import LIMIT

pytest.importorskip("pipecat")

from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InputDTMFFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputDTMFUrgentFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from support.hearing import hear_tone
from support.pages import blocks, run_piece
from support.signals import dominant_frequency, pcm, rms, tone
from support.users import log_in
from telnyx_native import AudioConfig, AudioEncoding, Call, TelnyxClient
from telnyx_native.gateway import Gateway, User
from telnyx_native.gateway.calls.leg import CalleeLeg
from telnyx_native.integrations.pipecat import TelnyxTransport

RATE = 16_000
TTS_RATE = 24_000
"""What speech synthesis gives: the pipeline has to resample."""


class Brain(FrameProcessor):
    """Where a bot would have its recogniser, model and voice."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = bytearray()
        self.keys: list[str] = []
        self.got_key = asyncio.Event()
        self.fell_silent = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            self.heard += frame.audio
        elif isinstance(frame, InputDTMFFrame):
            self.keys.append(frame.button.value)
            self.got_key.set()
        elif isinstance(frame, BotStoppedSpeakingFrame):
            self.fell_silent.set()
        await self.push_frame(frame, direction)

    async def speak(self, hz: float, seconds: float) -> None:
        await self.push_frame(TTSStartedFrame())
        audio = tone(hz, seconds, TTS_RATE).tobytes()
        await self.push_frame(TTSAudioRawFrame(audio=audio, sample_rate=TTS_RATE, num_channels=1))
        await self.push_frame(TTSStoppedFrame())


class Bot:
    """A pipeline at a call."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.brain = Brain()
        self.transport = TelnyxTransport(call)
        self.connected = asyncio.Event()
        self.disconnected = asyncio.Event()
        self.transport.add_event_handler("on_client_connected", lambda *_: self.connected.set())
        self.transport.add_event_handler("on_client_disconnected", lambda *_: self.disconnected.set())
        pipeline = Pipeline([self.transport.input(), self.brain, self.transport.output()])
        self.worker = PipelineWorker(pipeline)

    async def run(self) -> None:
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self.worker)
        await runner.run()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway([User("bot", "s3cret")]) as running:
        yield running


CALLS = [AudioConfig(encoding=AudioEncoding.ULAW), AudioConfig(sample_rate=8_000, encoding=AudioEncoding.FLOAT32)]
"""Calls whose audio is not what frameworks expect."""


@pytest.fixture
async def scene(gateway: Gateway, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Bot, CalleeLeg]]:
    """A bot that has taken a call, and its caller."""
    async with TelnyxClient() as client:
        incoming = client.incoming_calls.collect()
        await log_in(client, gateway, "bot")
        caller = await gateway.place_call("bot", from_="+15550199")
        call = await asyncio.wait_for(anext(incoming), LIMIT)
        await call.accept(audio=getattr(request, "param", None))
        bot = Bot(call)
        running = asyncio.create_task(bot.run())
        await asyncio.wait_for(bot.connected.wait(), LIMIT)
        await caller.media.wait_connected()
        yield bot, caller
        await bot.worker.cancel()
        await asyncio.wait_for(running, LIMIT)


async def test_caller_and_pipeline_hear_each_other(scene: tuple[Bot, CalleeLeg]) -> None:
    bot, caller = scene
    await caller.audio.write(tone(700, 2.0, RATE))
    await bot.brain.speak(440, 1.0)
    await hear_tone(caller.audio, 440)
    await caller.audio.drain()
    await asyncio.wait_for(bot.brain.fell_silent.wait(), LIMIT)
    heard = pcm(bytes(bot.brain.heard))
    assert dominant_frequency(heard, RATE) == pytest.approx(700, abs=5)
    assert np.count_nonzero(np.abs(heard) > 500) > RATE


@pytest.mark.parametrize("scene", CALLS, indirect=True)
async def test_a_call_of_another_encoding_is_heard_as_it_is(scene: tuple[Bot, CalleeLeg]) -> None:
    bot, caller = scene
    await caller.audio.write(tone(700, 2.0, RATE))
    await bot.brain.speak(440, 1.0)
    await hear_tone(caller.audio, 440)
    await caller.audio.drain()
    await asyncio.wait_for(bot.brain.fell_silent.wait(), LIMIT)
    assert dominant_frequency(pcm(bytes(bot.brain.heard)), bot.call.audio.sample_rate) == pytest.approx(700, abs=5)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (8_000, 1), (24_000, 2)])
async def test_frames_that_are_given_directly(scene: tuple[Bot, CalleeLeg], rate: int, channels: int) -> None:
    bot, caller = scene
    samples = np.repeat(tone(440, 2.0, rate), channels)
    step = rate // 50 * channels
    for start in range(0, len(samples), step):
        frame = OutputAudioRawFrame(samples[start : start + step].tobytes(), rate, channels)
        assert await bot.transport.output().write_audio_frame(frame)
    await hear_tone(caller.audio, 440)


async def test_interruption_is_heard_at_once(scene: tuple[Bot, CalleeLeg]) -> None:
    bot, caller = scene
    await bot.brain.speak(440, 20.0)
    await hear_tone(caller.audio, 440)
    assert bot.call.audio.queued < 0.5  # pipecat keeps the rest, so that it can be dropped
    await bot.worker.queue_frame(InterruptionFrame())
    async with asyncio.timeout(LIMIT):
        while rms(pcm(await caller.audio.read(RATE // 10))) > 100:
            pass
    assert bot.call.audio.queued == 0
    assert bot.call.audio.played < 10
    await bot.brain.speak(880, 1.0)
    await hear_tone(caller.audio, 880)


async def test_keys_both_ways(scene: tuple[Bot, CalleeLeg]) -> None:
    bot, caller = scene
    await caller.peer.insert_dtmf("5")
    await asyncio.wait_for(bot.brain.got_key.wait(), LIMIT)
    assert bot.brain.keys == ["5"]
    keys = caller.keys.collect()
    await bot.worker.queue_frame(OutputDTMFUrgentFrame.from_string("42"))
    assert [await asyncio.wait_for(anext(keys), LIMIT) for _ in range(2)] == ["4", "2"]


async def test_end_frame_lets_all_be_heard_and_hangs_up(scene: tuple[Bot, CalleeLeg]) -> None:
    bot, caller = scene
    await bot.brain.speak(440, 1.0)
    await bot.worker.queue_frame(EndFrame())
    await hear_tone(caller.audio, 440)
    reason = await caller.wait_ended(LIMIT)
    assert reason.cause == "NORMAL_CLEARING"
    assert bot.call.audio.played == pytest.approx(1.0, abs=0.1)


async def test_caller_who_hangs_up_is_noticed(scene: tuple[Bot, CalleeLeg]) -> None:
    bot, caller = scene
    await caller.hang_up()
    await asyncio.wait_for(bot.disconnected.wait(), LIMIT)


async def test_the_page_says_how(scene: tuple[Bot, CalleeLeg]) -> None:
    (piece,) = [block for block in blocks() if "integrations.pipecat" in block.text]
    await run_piece(piece, {"call": scene[0].call, "bot": Brain()})
