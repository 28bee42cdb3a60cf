"""This project: the media engine and its peers, without signalling."""

import asyncio
import time

from telnyx_native.config import AudioCodec, AudioConfig, PeerConfig
from telnyx_native.media.engine import MediaEngine

FRAME_SECONDS = 0.01


class Stack:
    RATE = 48_000  # what the others carry

    def __init__(self, role, codec):
        self.rate = self.RATE if codec == "opus" else 8_000
        self.codecs = (AudioCodec.OPUS if codec == "opus" else AudioCodec.PCMU,)

    async def start(self):
        self.engine = MediaEngine.acquire()

    def peer(self, on_pcm, on_candidate):
        return Peer(self, on_pcm)


class Peer:
    FRAME_MS, PULL, channels = 10, False, 1

    def __init__(self, stack, on_pcm):
        self.rate = stack.rate
        # Live audio, as a microphone would have it: what comes late is dropped, instead of being heard late for ever.
        audio = AudioConfig(self.rate, max_backlog=FRAME_SECONDS, preferred_codecs=stack.codecs)
        self.native = stack.engine.create_peer(PeerConfig(loopback=True), audio)
        self.push = self.native.audio.write_nowait
        self.reading = asyncio.create_task(self.read(on_pcm))

    async def read(self, on_pcm):
        async for frame in self.native.audio.frames(FRAME_SECONDS):
            on_pcm(frame, self.rate, 1)

    async def create_offer(self):
        await self.native.create_offer()
        return await self.native.gathered()

    async def create_answer(self, offer):
        await self.native.create_answer(offer)
        return await self.native.gathered()

    async def set_answer(self, answer):
        await self.native.set_answer(answer)

    async def add_candidate(self, candidate):
        raise NotImplementedError("descriptions are complete")

    async def wait_connected(self):
        await self.native.wait_connected(10)
        return time.monotonic()

    async def stats(self):
        for entry in (await self.native.stats()).values():
            if entry["type"] == "inbound-rtp":
                emitted = entry["jitterBufferEmittedCount"]
                return {
                    "jitter_buffer_ms": 1000 * entry["jitterBufferDelay"] / emitted if emitted else 0,
                    "concealed": entry["concealedSamples"],
                }
        return None

    async def close(self):
        await self.native.close()
        await self.reading
