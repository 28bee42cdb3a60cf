"""A browser offers more than audio, and judges our answer: Chromium, with every bundle policy."""

from __future__ import annotations

import asyncio
import json
import wave
from pathlib import Path
from typing import Any

import pytest

from support.browser import needs_browser, open_page
from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, tone
from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.gateway import Gateway
from telnyx_native.media.engine import MediaEngine

pytestmark = [pytest.mark.interop, needs_browser]

RATE = 16_000

OFFER = """(async (policy, audioFirst) => {
    const pc = window.pc = new RTCPeerConnection({bundlePolicy: policy});
    const microphone = await navigator.mediaDevices.getUserMedia({audio: true});
    if (!audioFirst) pc.addTransceiver("video");
    pc.createDataChannel("chat");
    pc.addTrack(microphone.getAudioTracks()[0], microphone);
    pc.addTransceiver("video");
    await pc.setLocalDescription(await pc.createOffer());
    await new Promise(done => {
        if (pc.iceGatheringState === "complete") return done();
        pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
    });
    return pc.localDescription.sdp;
})"""

ANSWER = """(async sdp => {
    await pc.setRemoteDescription({type: "answer", sdp});
    return pc.getTransceivers().filter(t => t.currentDirection === "sendrecv").map(t => t.receiver.track.kind);
})"""


# With max-bundle and video first, Chromium takes no rejection of the video: its transport is that of all.
@pytest.mark.parametrize(
    ("policy", "audio_first"), [("balanced", False), ("max-compat", False), ("balanced", True), ("max-bundle", True)]
)
async def test_audio_flows_and_the_rest_is_rejected(tmp_path: Path, policy: str, audio_first: bool) -> None:
    microphone = tmp_path / "tone.wav"
    with wave.open(str(microphone), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(tone(620, 5.0, 48_000).tobytes())
    engine = MediaEngine.acquire()
    peer = engine.create_peer(PeerConfig(loopback=True), AudioConfig())
    try:
        async with (
            Gateway() as gateway,
            open_page(gateway.url.replace("ws:", "http:"), microphone=microphone) as page,
        ):
            await page.until("document.readyState === 'complete'")
            offer: str = await page.evaluate(f"{OFFER}({json.dumps(policy)}, {json.dumps(audio_first)})")
            await peer.create_answer(offer)
            answer = await peer.gathered()
            kinds: list[Any] = await page.evaluate(f"{ANSWER}({json.dumps(answer)})")
            await peer.wait_connected(LIMIT)
            assert kinds == ["audio"]
            async with asyncio.timeout(LIMIT):
                while abs(dominant_frequency(pcm(await peer.audio.read(RATE // 2)), RATE) - 620) > 10:
                    pass
    finally:
        await peer.close()
        await engine.release()
