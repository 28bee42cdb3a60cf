"""wrtc (python-webrtc): libwebrtc behind the API of browsers."""

import asyncio
import time

import webrtc

from peers import Candidates


class Stack:
    def __init__(self, role, codec):
        self.opus = codec == "opus"

    def peer(self, on_pcm, on_candidate):
        return Peer(self.opus, on_pcm, on_candidate)


class Peer:
    FRAME_MS, PULL, channels = 10, False, 1

    def __init__(self, opus, on_pcm, on_candidate):
        self.codec, self.rate = ("audio/opus", 48_000) if opus else ("audio/PCMU", 8_000)
        self.on_pcm, self.on_candidate = on_pcm, on_candidate
        self.up = asyncio.get_running_loop().create_future()
        self.candidates = Candidates(self.use_candidate)
        self.add_candidate = self.candidates.add
        self.connection = webrtc.RTCPeerConnection()
        self.connection.on("connectionstatechange", self.on_state)
        self.connection.on("icecandidate", self.on_ice)
        self.connection.on("track", self.on_track)

    def on_state(self, event):
        if self.connection.connection_state == "connected" and not self.up.done():
            self.up.set_result(time.monotonic())

    def on_ice(self, event):
        if (found := event.candidate) is not None:
            names = ("candidate", "sdp_mid", "sdp_m_line_index")
            self.on_candidate({name: getattr(found, name) for name in names})

    def on_track(self, event):
        self.reading = asyncio.create_task(self.read(event.track))

    async def read(self, track):
        processor = webrtc.MediaStreamTrackProcessor(webrtc.MediaStreamTrackProcessorInit(track))
        plane = webrtc.AudioDataCopyToOptions(plane_index=0)
        async for data in processor.readable:
            with data:
                pcm = bytearray(2 * data.number_of_channels * data.number_of_frames)
                data.copy_to(pcm, plane)
                self.on_pcm(pcm, int(data.sample_rate), data.number_of_channels)

    def add_track(self):
        generator = self.generator = webrtc.MediaStreamTrackGenerator("audio")
        self.writer = generator.writable.get_writer()
        self.connection.add_track(generator)
        known = webrtc.RTCRtpReceiver.get_capabilities("audio").codecs
        self.connection.get_transceivers()[0].set_codec_preferences([c for c in known if c.mime_type == self.codec])

    async def create_offer(self):
        self.add_track()
        await self.connection.set_local_description(await self.connection.create_offer())
        return self.connection.local_description.sdp

    async def create_answer(self, offer):
        await self.connection.set_remote_description(webrtc.RTCSessionDescriptionInit("offer", offer))
        self.add_track()
        await self.candidates.described()
        await self.connection.set_local_description(await self.connection.create_answer())
        return self.connection.local_description.sdp

    async def set_answer(self, answer):
        await self.connection.set_remote_description(webrtc.RTCSessionDescriptionInit("answer", answer))
        await self.candidates.described()

    async def use_candidate(self, candidate):
        await self.connection.add_ice_candidate(webrtc.RTCIceCandidateInit(**candidate))

    async def wait_connected(self):
        return await self.up

    def push(self, pcm):
        frames = len(pcm) // 2
        timestamp = time.monotonic_ns() // 1000
        init = webrtc.AudioDataInit(
            format="s16",
            sample_rate=self.rate,
            number_of_frames=frames,
            number_of_channels=1,
            timestamp=timestamp,
            data=pcm,
            transfer=[pcm],
        )
        self.writer.write(webrtc.AudioData(init))

    async def stats(self):
        for report in (await self.connection.get_stats()).values():
            if report.type == "inbound-rtp":
                emitted = getattr(report, "jitter_buffer_emitted_count", 0)
                return {"jitter_buffer_ms": 1000 * report.jitter_buffer_delay / emitted if emitted else 0}
        return None

    async def close(self):
        self.connection.close()
