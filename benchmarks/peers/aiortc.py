"""aiortc: ICE, DTLS and RTP in Python, codecs by PyAV. Tracks are asked for their next 20 ms."""

import asyncio
import fractions
import time

import aiortc
import av


class Stack:
    def __init__(self, role, codec):
        self.opus = codec == "opus"

    def peer(self, on_pcm, on_candidate):
        return Peer(self.opus, on_pcm)


class PushedTrack(aiortc.AudioStreamTrack):
    def __init__(self, peer):
        super().__init__()
        self.peer, self.began, self.frames = peer, None, 0

    async def recv(self):
        if self.began is None:
            self.began = time.monotonic()
        due = self.began + self.frames * self.peer.FRAME_MS / 1000
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        size = self.peer.rate * self.peer.FRAME_MS // 1000
        frame = av.AudioFrame(format="s16", layout="mono", samples=size)
        frame.planes[0].update(self.peer.next_frame())
        frame.sample_rate, frame.time_base = self.peer.rate, fractions.Fraction(1, self.peer.rate)
        frame.pts = self.frames * size
        self.frames += 1
        return frame


class Peer:
    FRAME_MS, PULL, channels = 20, True, 1

    def __init__(self, opus, on_pcm):
        self.codec, self.rate = ("audio/opus", 48_000) if opus else ("audio/PCMU", 8_000)
        self.on_pcm = on_pcm
        self.up = asyncio.get_running_loop().create_future()
        self.connection = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        self.connection.on("connectionstatechange", self.on_state)
        self.connection.on("track", self.on_track)

    def on_state(self):
        if self.connection.connectionState == "connected" and not self.up.done():
            self.up.set_result(time.monotonic())

    def on_track(self, track):
        self.reading = asyncio.create_task(self.read(track))

    async def read(self, track):
        while True:
            frame = await track.recv()
            channels = len(frame.layout.channels)
            self.on_pcm(bytes(frame.planes[0])[: 2 * channels * frame.samples], frame.sample_rate, channels)

    def add_track(self):
        self.connection.addTrack(PushedTrack(self))
        known = aiortc.RTCRtpReceiver.getCapabilities("audio").codecs
        self.connection.getTransceivers()[0].setCodecPreferences([c for c in known if c.mimeType == self.codec])

    async def create_offer(self):
        self.add_track()
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def create_answer(self, offer):
        await self.connection.setRemoteDescription(aiortc.RTCSessionDescription(offer, "offer"))
        self.add_track()
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return self.connection.localDescription.sdp

    async def set_answer(self, answer):
        await self.connection.setRemoteDescription(aiortc.RTCSessionDescription(answer, "answer"))

    async def add_candidate(self, candidate):
        raise NotImplementedError("descriptions are complete")

    async def wait_connected(self):
        return await self.up

    async def stats(self):
        return None

    async def close(self):
        await self.connection.close()
