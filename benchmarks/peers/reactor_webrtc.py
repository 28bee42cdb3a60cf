"""reactor-webrtc: libwebrtc behind Rust; audio goes in with push_pcm, and comes out on a native thread."""

import asyncio
import re
import time

import reactor_webrtc as rw

from peers import Candidates


class Stack:
    def __init__(self, role, codec):
        self.opus = codec == "opus"
        self.factory = rw.PeerConnectionFactory()
        self.tracks = 0

    def peer(self, on_pcm, on_candidate):
        return Peer(self, on_pcm, on_candidate)


class Peer:
    FRAME_MS, PULL, channels = 10, False, 1

    def __init__(self, stack, on_pcm, on_candidate):
        self.opus, self.rate = stack.opus, 48_000 if stack.opus else 8_000
        self.loop = asyncio.get_running_loop()
        self.up = self.loop.create_future()
        self.candidates = Candidates(self.use_candidate)
        self.add_candidate = self.candidates.add
        self.kept = []
        observer = self.observer = rw.PeerConnectionObserver()
        observer.on_connection_state_change = self.on_state
        observer.on_ice_candidate = lambda c: on_candidate([c.candidate, c.sdp_mid, c.sdp_mline_index])
        observer.on_track = lambda kind, track: self.on_track(track, on_pcm)
        self.connection = stack.factory.create_peer_connection(rw.RtcConfiguration(), observer)
        stack.tracks += 1
        self.track = stack.factory.create_audio_track_with_local_source(f"track{stack.tracks}")

    def on_state(self, state):
        if state == rw.PeerConnectionState.Connected:
            now = time.monotonic()
            self.loop.call_soon_threadsafe(lambda: self.up.done() or self.up.set_result(now))

    def on_track(self, track, on_pcm):
        self.kept.append(track)
        track.on_audio_frame(lambda pcm, rate, channels, frames: on_pcm(pcm, rate, channels))

    def with_codec(self, sdp):
        """Codecs cannot be chosen but in the description."""
        if self.opus:
            return sdp
        return re.sub(r"a=(rtpmap|fmtp|rtcp-fb):(?!0 ).*\r\n", "", re.sub(r"(m=audio \d+ \S+) .*", r"\1 0", sdp))

    async def create_offer(self):
        self.connection.add_track(self.track)
        sdp = self.with_codec((await self.connection.create_offer()).sdp)
        await self.connection.set_local_description(rw.SessionDescription("offer", sdp))
        return sdp

    async def create_answer(self, offer):
        await self.connection.set_remote_description(rw.SessionDescription("offer", offer))
        self.connection.add_track(self.track)
        await self.candidates.described()
        answer = await self.connection.create_answer()
        await self.connection.set_local_description(answer)
        return answer.sdp

    async def set_answer(self, answer):
        await self.connection.set_remote_description(rw.SessionDescription("answer", answer))
        await self.candidates.described()

    async def use_candidate(self, candidate):
        await self.connection.add_ice_candidate(rw.IceCandidate(*candidate))

    async def wait_connected(self):
        return await self.up

    def push(self, pcm):
        self.track.push_pcm(pcm, self.rate, 1)

    async def stats(self):
        for inbound in (await self.connection.get_stats()).inbound_rtp:
            return {"jitter_buffer_ms": 1000 * (inbound.average_jitter_buffer_delay_s or 0)}
        return None

    async def close(self):
        self.connection = self.track = self.observer = None
        self.kept.clear()
