"""What is heard while calls ring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, tone
from telnyx_native import CallState, ConfigurationError, CredentialConfig, LogLevel, TelnyxClient, TxServerConfiguration
from telnyx_native.gateway import Gateway
from telnyx_native.media.files import write_wav

RATE = 16_000
ALICE = CredentialConfig("alice", "s3cret")


class Speaker:
    """Keeps what is heard."""

    sample_rate = RATE

    def __init__(self) -> None:
        self.heard = bytearray()
        self.arrived = asyncio.Event()

    def write(self, pcm: bytes) -> None:
        self.heard += pcm
        self.arrived.set()

    async def hear(self, seconds: float) -> np.ndarray:
        """Wait until so much was heard; return it."""
        wanted = 2 * round(seconds * RATE)
        async with asyncio.timeout(LIMIT):
            while len(self.heard) < wanted:
                self.arrived.clear()
                await self.arrived.wait()
        return pcm(bytes(self.heard[:wanted]))


@pytest.fixture
async def speaker() -> Speaker:
    return Speaker()


@pytest.fixture
async def client(gateway: Gateway, speaker: Speaker, tmp_path: Path) -> AsyncIterator[TelnyxClient]:
    write_wav(tmp_path / "ringtone.wav", tone(500, 0.13, 8_000), 8_000)  # shorter than what is heard, another rate
    write_wav(tmp_path / "ringback.wav", tone(800, 0.5, RATE), RATE)
    config = replace(
        ALICE,
        ringtone=tmp_path / "ringtone.wav",
        ringback_tone=str(tmp_path / "ringback.wav"),
        ring_sink=speaker,
        log_level=LogLevel.ERROR,
    )
    async with TelnyxClient() as made:
        await made.connect(TxServerConfiguration.parse(gateway.url), config)
        yield made


async def test_ringtone_until_the_call_is_accepted(client: TelnyxClient, gateway: Gateway, speaker: Speaker) -> None:
    calls = client.incoming_calls.collect()
    await gateway.place_call("alice", from_="+15550199")
    call = await anext(calls)
    assert dominant_frequency(await speaker.hear(0.5), RATE) == pytest.approx(500, abs=10)
    await call.accept()
    heard = len(speaker.heard)
    await call.wait_active(LIMIT)
    await call.audio.read(RATE // 4)
    assert len(speaker.heard) - heard <= 2 * 2 * 320
    await call.end()


async def test_ringback_tone_until_the_call_is_over(client: TelnyxClient, speaker: Speaker) -> None:
    call = await client.new_invite("noanswer")
    await call.call_state_flow.wait_for(CallState.RINGING, timeout=LIMIT)
    assert dominant_frequency(await speaker.hear(0.3), RATE) == pytest.approx(800, abs=10)
    await call.end()
    heard = len(speaker.heard)
    await asyncio.sleep(0.1)
    assert len(speaker.heard) == heard


async def test_inbound_call_is_heard_above_an_outbound_one(
    client: TelnyxClient, gateway: Gateway, speaker: Speaker
) -> None:
    outbound = await client.new_invite("noanswer")
    await speaker.hear(0.1)
    await gateway.place_call("alice", from_="+15550199")
    speaker.heard.clear()
    assert dominant_frequency((await speaker.hear(0.5))[RATE // 10 :], RATE) == pytest.approx(500, abs=10)
    await client.disconnect()
    assert outbound.termination_reason is not None


async def test_tones_are_checked_at_once(gateway: Gateway, speaker: Speaker, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ring_sink"):
        replace(ALICE, ringtone="ring.wav")
    async with TelnyxClient() as client:
        with pytest.raises(ConfigurationError, match=r"ring\.wav"):
            await client.connect(
                TxServerConfiguration.parse(gateway.url),
                replace(ALICE, ringtone=tmp_path / "ring.wav", ring_sink=speaker),
            )
        await client.connect(TxServerConfiguration.parse(gateway.url), ALICE)


async def test_login_that_comes_later_rings_too(gateway: Gateway, speaker: Speaker, tmp_path: Path) -> None:
    write_wav(tmp_path / "ringback.wav", tone(800, 0.5, RATE), RATE)
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url))
        await client.credential_login(replace(ALICE, ringback_tone=tmp_path / "ringback.wav", ring_sink=speaker))
        call = await client.new_invite("noanswer")
        assert dominant_frequency(await speaker.hear(0.3), RATE) == pytest.approx(800, abs=10)
        await call.end()


async def test_speaker_that_fails_is_logged_and_harms_nobody(
    client: TelnyxClient, speaker: Speaker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: bytes) -> None:
        speaker.arrived.set()
        raise RuntimeError("unplugged")

    monkeypatch.setattr(speaker, "write", fail)
    call = await client.new_invite("noanswer")
    await asyncio.wait_for(speaker.arrived.wait(), LIMIT)
    await call.end()
    assert "the ring sink failed" in caplog.text
