"""baresip-python: no WebRTC, but SIP from one process to the other, with RTP in the clear."""

import asyncio
import time

import baresip

HOST = "127.0.0.1"
PORTS = {"a": 5070, "b": 5072}


class Stack:
    def __init__(self, role, codec):
        self.address = f"{HOST}:{PORTS[role]}"
        self.role, self.codec = role, "opus/48000/2" if codec == "opus" else "pcmu"

    async def start(self):
        self.incoming = asyncio.Queue()
        self.runtime = baresip.Runtime()
        config = baresip.Config(
            net_interface=HOST, max_concurrent_calls=None, extra_config_text=f"sip_listen {self.address}\n"
        )
        await self.runtime.start(config)
        account = baresip.Account(
            user=self.role, domain=self.address, password="", reg_interval=0, audio_codecs=(self.codec,)
        )
        self.agent = await baresip.UserAgent.create(self.runtime, account)
        self.agent.on_incoming(self.incoming.put_nowait)

    def peer(self, on_pcm, on_candidate):
        return Peer(self, on_pcm)


class Peer:
    FRAME_MS, PULL, rate, channels = 20, False, 8_000, 1  # until wait_connected knows better

    def __init__(self, stack, on_pcm):
        self.stack, self.on_pcm, self.call = stack, on_pcm, None

    async def create_offer(self):
        return None

    async def create_answer(self, offer):
        return f"sip:b@{self.stack.address}"

    async def set_answer(self, answer):
        self.call = await self.stack.agent.dial(answer)

    async def add_candidate(self, candidate):
        raise NotImplementedError("there are no candidates")

    async def wait_connected(self):
        if self.call is None:
            self.call = await self.stack.incoming.get()
            await self.call.answer()
        await self.call.wait_established()
        up = time.monotonic()
        while (audio := self.audio()) is None:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)
        self.rate, self.channels = audio.tx_sample_rate, audio.tx_channels
        self.reading = asyncio.create_task(self.read(audio.rx_sample_rate, audio.rx_channels))
        return up

    def audio(self):
        try:
            audio = self.call.audio.info()
        except baresip.AudioNotActive:
            return None
        return audio if audio and audio.tx_ready and audio.rx_ready else None

    async def read(self, rate, channels):
        """It has to be polled."""
        size = 2 * channels * rate // 100
        pending = b""
        while True:
            pending += self.call.audio.read(1 << 16)
            whole = len(pending) // size * size
            for at in range(0, whole, size):
                self.on_pcm(pending[at : at + size], rate, channels)
            pending = pending[whole:]
            await asyncio.sleep(0.01)

    def push(self, pcm):
        self.call.audio.write(pcm)

    async def stats(self):
        return None

    async def close(self):
        self.reading.cancel()
        await self.call.hangup()
