"""What a new user gets: `telnyx-native gateway`, and a bot to talk to."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from support.browser import needs_browser, open_page
from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, rms, silence
from telnyx_native import Call, CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.cli.example_bot import GREETING
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.files import read_audio, write_wav
from telnyx_native.testing.recognition import SoundPattern

RATE = 16_000
SENTENCE = read_audio(PROMPT, RATE)[round(0.75 * RATE) : round(2.3 * RATE)]
"""A second and a half of speech without a pause."""


@pytest.fixture
async def console_url() -> AsyncIterator[str]:
    """The address that the command prints, while it runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "telnyx_native", "gateway", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        printed = ""
        async with asyncio.timeout(LIMIT):
            while "bot has logged in" not in printed:
                printed += (await process.stdout.readline()).decode()
        assert "press Call next to bot" in printed
        yield re.search(r"http://\S+", printed)[0]
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), LIMIT)
    assert process.returncode == 0


async def listen(call: Call, seconds: float) -> np.ndarray:
    return pcm(await call.audio.read(round(seconds * RATE)))


async def test_the_bot(console_url: str) -> None:
    server = re.match(r"http(://[^/]+)", console_url)[1]
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(f"ws{server}"), CredentialConfig("bob", "demo"))
        call = await client.new_invite("bot")
        await call.wait_active(LIMIT)
        greeting = read_audio(GREETING, RATE)
        assert SoundPattern(greeting[: 3 * RATE], RATE).find(await listen(call, 5.0)).similarity > 0.85
        # Interrupted, it is silent; and it says back what it heard.
        call.audio.write_nowait(SENTENCE.data)
        heard = await listen(call, 1.5)
        assert rms(heard[-RATE // 4 :]) < 100
        said_back = np.concatenate([heard, await listen(call, 4.0)])
        assert SoundPattern(SENTENCE, RATE).find(said_back).similarity > 0.85
        await call.audio.drain()
        call.audio.write_nowait(silence(1.0, RATE).data)
        await call.dtmf("5")
        async with asyncio.timeout(LIMIT):
            while dominant_frequency(await listen(call, 0.1), RATE) not in range(740, 800):
                pass
        await call.dtmf("#")
        assert (await asyncio.wait_for(call.wait_done(), LIMIT)).cause == "NORMAL_CLEARING"


@needs_browser
async def test_one_click_in_the_browser(console_url: str, tmp_path: Path) -> None:
    microphone = tmp_path / "microphone.wav"
    write_wav(microphone, np.concatenate([read_audio(PROMPT, 48_000), silence(3.0, 48_000)]), 48_000)
    async with open_page(console_url, microphone=microphone) as page:
        await page.click('#users button[aria-label="Call bot"]')
        await page.until("document.querySelector('#call-state')?.textContent === 'active'")
        await page.until("document.querySelector('#level-heard').ariaValueNow > 0.3")  # the greeting
        await page.click("#hang-up")
        await page.until("document.querySelector('#talk').hidden")
        assert page.complaints == []
