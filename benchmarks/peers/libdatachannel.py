"""libdatachannel-py: ICE, DTLS and RTP only. Opus is PyAV's, and there is no jitter buffer: what comes is decoded."""

import asyncio
import fractions
import itertools
import time

import av
import libdatachannel as ldc

from peers import Candidates

PAYLOAD_TYPE, RATE, HEADER = 111, 48_000, 12


class Stack:
    def __init__(self, role, codec):
        if codec != "opus":
            raise ValueError("measured with Opus only")
        self.ssrcs = itertools.count(1 if role == "a" else 1 << 16)

    def peer(self, on_pcm, on_candidate):
        return Peer(next(self.ssrcs), on_pcm, on_candidate)


class Peer:
    FRAME_MS, PULL, rate, channels = 20, False, RATE, 1

    def __init__(self, ssrc, on_pcm, on_candidate):
        self.ssrc, self.on_pcm = ssrc, on_pcm
        self.encoder, self.decoder = encoder(), decoder()
        self.sent = 0
        self.track = None
        self.candidates = Candidates(self.use_candidate)
        self.add_candidate = self.candidates.add
        self.loop = asyncio.get_running_loop()
        self.up = self.loop.create_future()
        config = ldc.Configuration()
        config.disable_auto_negotiation = True
        self.connection = ldc.PeerConnection(config)
        self.connection.on_local_candidate(lambda c: on_candidate([c.candidate(), c.mid()]))
        self.connection.on_state_change(self.on_state)
        self.connection.on_track(self.adopt)

    def on_state(self, state):
        if state == ldc.PeerConnection.State.Connected:
            now = time.monotonic()
            self.loop.call_soon_threadsafe(lambda: self.up.done() or self.up.set_result(now))

    def adopt(self, track):
        config = ldc.RtpPacketizationConfig(self.ssrc, "bench", PAYLOAD_TYPE, RATE)
        chain = ldc.OpusRtpPacketizer(config)
        chain.add_to_chain(ldc.RtcpSrReporter(config))
        chain.add_to_chain(ldc.RtcpReceivingSession())
        track.set_media_handler(chain)
        track.on_message(self.on_packet)
        self.track = track

    def on_packet(self, packet):
        if not isinstance(packet, bytes) or len(packet) <= HEADER or packet[1] & 0x7F != PAYLOAD_TYPE:
            return
        for frame in self.decoder.decode(av.Packet(packet[HEADER:])):
            channels = len(frame.layout.channels)
            self.on_pcm(bytes(frame.planes[0])[: 2 * channels * frame.samples], RATE, channels)

    async def create_offer(self):
        audio = ldc.Description.Audio("audio", ldc.Description.Direction.SendRecv)
        audio.add_opus_codec(PAYLOAD_TYPE)
        audio.add_ssrc(self.ssrc, "bench", "bench", "audio")
        self.adopt(self.connection.add_track(audio))
        self.connection.set_local_description(ldc.Description.Type.Offer)
        return str(self.connection.local_description())

    async def create_answer(self, offer):
        self.connection.set_remote_description(ldc.Description(offer, "offer"))
        await self.candidates.described()
        self.connection.set_local_description(ldc.Description.Type.Answer)
        return str(self.connection.local_description())

    async def set_answer(self, answer):
        self.connection.set_remote_description(ldc.Description(answer, "answer"))
        await self.candidates.described()

    async def use_candidate(self, candidate):
        self.connection.add_remote_candidate(ldc.Candidate(*candidate))

    async def wait_connected(self):
        return await self.up

    def push(self, pcm):
        if not self.track.is_open():
            return
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.planes[0].update(pcm)
        frame.sample_rate, frame.time_base, frame.pts = RATE, fractions.Fraction(1, RATE), self.sent
        for packet in self.encoder.encode(frame):
            self.track.send_frame(bytes(packet), ldc.FrameInfo(self.sent))
        self.sent += frame.samples

    async def stats(self):
        return None

    async def close(self):
        self.connection.close()


def encoder():
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = RATE, "mono", "s16", 32_000
    codec.options = {"application": "voip", "frame_duration": "20"}
    return codec


def decoder():
    codec = av.CodecContext.create("libopus", "r")
    codec.sample_rate, codec.layout = RATE, "mono"
    return codec
