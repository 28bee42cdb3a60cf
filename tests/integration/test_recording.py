"""Recordings of calls over a gateway: packets as they came, what ends a recording by itself, and who is told."""

from __future__ import annotations

import asyncio
import ctypes.util
import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.cable import Cable
from support.limit import LIMIT
from support.ogg import opus_packets
from support.signals import dominant_frequency
from telnyx_native import (
    AudioCodec,
    Call,
    CallError,
    CredentialConfig,
    EncodedPacket,
    LogContextFilter,
    MediaError,
    PacketCodec,
    RecordedPart,
    RecordingConfig,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.gateway import Gateway

pytestmark = pytest.mark.sound

RATE = 16_000


async def calling_a_tone(client: TelnyxClient, **options: object) -> Call:
    call = await client.new_invite("tone:440", **options)  # type: ignore[arg-type]
    await call.wait_active(LIMIT)
    return call


async def seconds_of_packets(call: Call, seconds: float) -> None:
    """Let so many seconds of the remote arrive, whatever they take."""
    with call.audio.tap_packets() as packets:
        async with asyncio.timeout(LIMIT):
            for _ in range(round(seconds * 50)):
                assert await packets.read() is not None


async def test_the_packets_of_a_call_are_a_file_that_plays(alice: TelnyxClient, tmp_path: Path) -> None:
    call = await calling_a_tone(alice)
    recording = await call.record_packets(tmp_path / "received.opus")
    await seconds_of_packets(call, 2)
    await call.end()
    samples, rate = soundfile.read(tmp_path / "received.opus")
    assert len(samples) / rate == pytest.approx(recording.duration, abs=0.01)
    assert len(samples) / rate >= 2
    assert dominant_frequency(samples[rate : 2 * rate], rate) == pytest.approx(440, abs=3)
    assert not recording.failed


async def test_the_packets_go_on_over_a_new_path(alice: TelnyxClient, tmp_path: Path) -> None:
    call = await calling_a_tone(alice)
    async with await call.record_packets(tmp_path / "received.opus"):
        await seconds_of_packets(call, 1)
        await call.restart_ice()
        await seconds_of_packets(call, 1)
    samples, rate = soundfile.read(tmp_path / "received.opus")
    for part in (samples[:rate], samples[-rate:]):
        assert dominant_frequency(part, rate) == pytest.approx(440, abs=5)


async def test_packets_of_another_codec_go_into_no_file(alice: TelnyxClient, tmp_path: Path) -> None:
    call = await calling_a_tone(alice, preferred_codecs=[AudioCodec.PCMU])
    with pytest.raises(CallError, match=r"PCMU.*record"):
        await call.record_packets(tmp_path / "received.opus")
    assert not (tmp_path / "received.opus").exists()
    with call.audio.tap_packets() as packets:  # but who wants them has them
        packet = await asyncio.wait_for(packets.read(), LIMIT)
    assert packet is not None
    assert (packet.codec, packet.clock_rate, len(packet.payload)) == (PacketCodec.PCMU, 8_000, 160)


@pytest.mark.skipif(ctypes.util.find_library("opus") is None, reason="libopus0 is not installed")
async def test_opuslib_makes_samples_of_packets(alice: TelnyxClient) -> None:
    opuslib = pytest.importorskip("opuslib")
    call = await calling_a_tone(alice)
    decoder = opuslib.Decoder(RATE, 1)
    heard = bytearray()
    with call.audio.tap_packets() as packets:
        async with asyncio.timeout(LIMIT):
            async for packet in packets:
                heard += decoder.decode(packet.payload, RATE * 120 // 1000)
                if len(heard) >= 2 * RATE:
                    break
    await call.end()
    assert dominant_frequency(np.frombuffer(heard, np.int16)[RATE // 4 :], RATE) == pytest.approx(440, abs=3)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("packets", [False, True])
async def test_a_full_disk_is_said_once_with_the_id_of_the_call_which_goes_on(
    alice: TelnyxClient, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, packets: bool
) -> None:
    caplog.handler.addFilter(LogContextFilter())
    path = tmp_path / "call.opus"
    call = await calling_a_tone(alice)
    path.symlink_to("/dev/full")
    if packets:
        with pytest.raises(Exception, match="No space"):
            await call.record_packets(path)
        path.unlink()
        recording = await call.record_packets(path, RecordingConfig(part_seconds=1))
        (tmp_path / "call-002.opus").symlink_to("/dev/full")
    else:
        recording = await call.record(path)
    await seconds_of_packets(call, 2.5)
    async with asyncio.timeout(LIMIT):
        while not recording.failed:
            await seconds_of_packets(call, 0.1)
    await seconds_of_packets(call, 0.5)
    with pytest.raises(MediaError, match=r"No space|error"):
        await recording.stop()
    await call.end()
    (told,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "ends here" in told.message
    assert call.call_id in str(vars(told)) or call.call_id in told.getMessage()


async def test_who_stops_waits_for_the_upload_and_the_end_of_the_call_does_not(
    alice: TelnyxClient, tmp_path: Path
) -> None:
    let_go, uploaded = asyncio.Event(), []

    async def upload(part: RecordedPart) -> None:
        await let_go.wait()
        uploaded.append(part)

    call = await calling_a_tone(alice)
    recording = await call.record(tmp_path / "call.wav", RecordingConfig(on_complete=upload))
    await call.audio.read(RATE // 2)
    await asyncio.wait_for(call.end(), LIMIT)
    assert uploaded == []
    let_go.set()
    await asyncio.wait_for(recording.stop(), LIMIT)
    (part,) = uploaded
    assert part.path == tmp_path / "call.wav"
    assert soundfile.info(part.path).duration == pytest.approx(part.duration)


async def test_the_packets_go_on_when_the_call_is_brought_back(gateway: Gateway, tmp_path: Path) -> None:
    """The connection to the server is lost, and the call goes on with another peer: the file has both."""
    arrived: list[EncodedPacket] = []
    async with Cable(int(gateway.url.rpartition(":")[2])) as cable, TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(cable.url), CredentialConfig("alice", "s3cret"))
        call = await calling_a_tone(client)
        with call.audio.tap_packets() as packets:
            async with await call.record_packets(tmp_path / "received.opus"), asyncio.timeout(LIMIT):
                async for packet in packets:
                    arrived.append(packet)
                    if len(arrived) == 50:
                        cable.reset()
                    if len([other for other in arrived if other.ssrc != arrived[0].ssrc]) == 50:
                        break
    stored = iter(opus_packets(tmp_path / "received.opus"))
    assert all(packet.payload in stored for packet in arrived)  # all of them, in order
    assert soundfile.info(tmp_path / "received.opus").duration > 1.9
