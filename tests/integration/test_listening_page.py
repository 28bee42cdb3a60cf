"""The program in docs/listening.md, run as it stands there, against a gateway."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import soundfile

from support.limit import LIMIT
from support.pages import program_under
from support.scripts import outcome, program, someone_logged_in
from support.signals import dominant_frequency, silence
from telnyx_native.gateway import Gateway, User
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.files import read_audio

RATE = 16_000


async def test_the_bot(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with (
        Gateway([User("alice", "demo")]) as gateway,
        program("-c", program_under("A bot that uses them", "listening.md", gateway.url)) as process,
    ):
        await someone_logged_in(gateway)
        caller = await gateway.place_call("alice", from_="+15550199")
        await caller.wait_answered(LIMIT)
        await caller.media.wait_connected()
        await caller.audio.read(2 * RATE)
        await caller.audio.write(np.concatenate([read_audio(PROMPT, RATE), silence(1.0, RATE)]))
        await caller.audio.drain()
        await caller.peer.insert_dtmf("5")
        code, output, errors = await outcome(process)
    assert code == 0, errors
    assert re.match(r"interrupted after \d\.\d s\n(interrupted .*\n)*key 5\n", output)
    samples, rate = soundfile.read(tmp_path / f"{caller.call_id}.flac")
    assert dominant_frequency(samples[rate : 2 * rate, 1], rate) == 440
