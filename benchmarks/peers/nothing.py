"""No voice stack: PCM in UDP packets over loopback. What the harness itself costs."""

import asyncio
import time


class Stack:
    def __init__(self, role, codec):
        pass

    def peer(self, on_pcm, on_candidate):
        return Peer(on_pcm)


class Peer(asyncio.DatagramProtocol):
    FRAME_MS, PULL, rate, channels = 10, False, 48_000, 1

    def __init__(self, on_pcm):
        self.on_pcm = on_pcm
        self.far_end = None

    async def bind(self):
        loop = asyncio.get_running_loop()
        self.socket, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        return list(self.socket.get_extra_info("sockname"))

    def datagram_received(self, data, addr):
        self.on_pcm(data, self.rate, self.channels)

    async def create_offer(self):
        return await self.bind()

    async def create_answer(self, offer):
        self.far_end = tuple(offer)
        return await self.bind()

    async def set_answer(self, answer):
        self.far_end = tuple(answer)

    async def add_candidate(self, candidate):
        raise NotImplementedError("there are no candidates")

    async def wait_connected(self):
        return time.monotonic()

    def push(self, pcm):
        self.socket.sendto(pcm, self.far_end)

    async def stats(self):
        return None

    async def close(self):
        self.socket.close()
