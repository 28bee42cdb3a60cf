"""The report of a real call, drawn by `telnyx-native report` and looked at in a browser."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from support.browser import needs_browser, open_page
from support.limit import LIMIT
from support.scripts import outcome, program
from support.signals import tone
from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.media.files import write_wav

if TYPE_CHECKING:
    from pathlib import Path

    from telnyx_native.gateway import Gateway

RATE = 16_000


@pytest.fixture
async def report(gateway: Gateway, tmp_path: Path) -> Path:
    """The report of a call that says a tone of a tenth of full scale to an echo for four seconds."""
    config = CredentialConfig("alice", "s3cret", call_report_directory=tmp_path)
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url), config)
        call = await client.new_invite("echo")
        await call.wait_active(LIMIT)
        await call.audio.write((tone(440, 4.0, RATE) // 10).data)
        await call.audio.drain()
        await call.end()
    return tmp_path / f"{call.call_id}.json"


def said_in(report: Path) -> list[dict[str, Any]]:
    return [turn for turn in json.loads(report.read_text())["turns"] if turn["speaker"] == "local"]


async def test_page_and_picture(report: Path, tmp_path: Path) -> None:
    for name in ("call.html", "call.png"):
        async with program("-m", "telnyx_native", "report", report, "-o", tmp_path / name) as process:
            assert (await outcome(process))[0] == 0
    picture = (tmp_path / "call.png").read_bytes()
    width, height = struct.unpack(">II", picture[16:24])
    assert (width, height > 2000) == (1520, True)
    drawn = (tmp_path / "call.html").read_text()
    assert "<h1>Call to echo</h1>" in drawn
    assert "ended by NORMAL_CLEARING 16" in drawn
    assert "4.41 excellent" in drawn
    (said, *_) = said_in(report)
    assert said["ended"] - said["began"] == pytest.approx(4.0, abs=0.3)
    assert f"<title>sent, {said['began']:.2f} to {said['ended']:.2f} s</title>" in drawn
    async with program("-m", "telnyx_native", "report", report, "-o", tmp_path / "call.pdf") as process:
        assert (await outcome(process))[0] == 2


@needs_browser
async def test_in_a_browser(report: Path, tmp_path: Path) -> None:
    async with program("-m", "telnyx_native", "report", report, "-o", tmp_path / "call.html") as process:
        assert (await outcome(process))[0] == 0
    write_wav(tmp_path / "silence.wav", bytes(RATE), RATE)
    url = (tmp_path / "call.html").as_uri()
    async with open_page(url, microphone=tmp_path / "silence.wav") as page:
        await page.until("document.querySelectorAll('svg[role=img][aria-label]').length === 9")
        assert await page.evaluate("document.querySelectorAll('polyline, circle').length >= 10")
        labels = await page.evaluate("[...document.querySelectorAll('svg')].map(svg => svg.ariaLabel).join('\\n')")
        assert "Level (dBFS). received:" in labels
        # Nothing is wider than the window, on a telephone either.
        await page.do("Emulation.setDeviceMetricsOverride", width=360, height=800, deviceScaleFactor=1, mobile=True)
        assert await page.evaluate("document.documentElement.scrollWidth <= 360")
        assert page.complaints == []
