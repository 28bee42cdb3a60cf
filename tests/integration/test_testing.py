"""`telnyx_native.testing` as its users have it: pytest in a process of its own, with the plugin enabled."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest
import soundfile

from support.pages import blocks
from support.signals import dominant_frequency
from telnyx_native.gateway.destinations.sounds import PROMPT

pytestmark = pytest.mark.sound

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "bot_with_tests"
LIMIT = 150.0


async def run_pytest(folder: Path, *options: str) -> tuple[int, str]:
    """Run the tests of a folder, with its settings; return exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), LIMIT)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.fixture
def tests(tmp_path: Path):
    """Runs the text of a test module, with the plugin enabled; returns exit code and output."""

    async def run(text: str, *options: str) -> tuple[int, str]:
        folder = tmp_path / "tests"
        folder.mkdir()
        (folder / "conftest.py").write_text('pytest_plugins = ["telnyx_native.testing"]\n')
        (folder / "test_it.py").write_text(text)
        (folder / "pytest.ini").write_text((EXAMPLE / "pytest.ini").read_text())
        return await run_pytest(folder, f"--basetemp={tmp_path / 'base'}", *options)

    return run


@pytest.mark.timeout(170)
async def test_the_example() -> None:
    code, output = await run_pytest(EXAMPLE)
    assert code == 0, output
    assert re.search(r"\b7 passed", output)


@pytest.mark.timeout(170)
async def test_the_page(tests) -> None:
    """The test modules of docs/testing.md, as they stand there."""
    modules = [block.text for block in blocks() if block.page == "testing.md" and "def test_" in block.text]
    assert len(modules) >= 2
    code, output = await tests("\n\n".join(modules))
    assert code == 0, output


@pytest.mark.timeout(170)
async def test_what_a_phone_does_not_hear(tests, tmp_path: Path) -> None:
    code, output = await tests(
        f"""
        import pytest

        async def test_sound(caller):
            await caller.call("tone:700")
            await caller.hears({str(PROMPT)!r}, within=1)

        async def test_tone(caller):
            await caller.call("tone:700")
            await caller.hears_tone(900, within=1)

        async def test_silence(caller):
            await caller.call("tone:700")
            await caller.hears_silence(within=1)

        async def test_speech(caller):
            await caller.call("echo")
            await caller.hears_speech(within=1)

        async def test_keys(caller):
            await caller.call("dtmf")
            await caller.press("12#")
            await caller.hears_keys("13", within=5)

        async def test_hung_up(caller):
            await caller.call("echo")
            await caller.wait_hung_up(within=0.5)

        async def test_rings(callee):
            await callee.answer(within=0.5)

        async def test_reads(caller):
            await caller.call("assistant")
            await caller.reads("Good night", within=4)

        async def test_refused(caller):
            await caller.call("busy")

        async def test_no_call(caller):
            await caller.hears_silence()

        async def test_background(background):
            async def bot():
                raise ValueError("the bot is broken")
            background(bot())
        """.replace("\n        ", "\n"),
        "-rfE",
    )
    assert code == 1
    for complaint in (
        r"caller has waited 5\.9 s for \S+prompt\.flac; the most similar sound was similar by 0\.\d\d, less than 0\.85",
        r"caller has waited 1 s for a tone of 900 Hz\. In \d\.\d s of audio, \d\.\d s were not silent; listen to it: /",
        r"caller has waited 1 s for 1 s of silence",
        r"caller has waited 1 s for somebody to speak",
        r"for the keys 13; the keys were 12",
        r"caller has waited 0\.5 s for the call to end",
        r"nobody has called callee within 0\.5 s",
        r"'Good night' was not said within 4 s, but this:\n.*assistant: Hello",
        r"CallError: the call ended before it was active: USER_BUSY",
        r"caller has no call in which it could hear something",
        r"ValueError: the bot is broken",
    ):
        assert re.search(complaint, output), complaint
    recording = re.search(r"a tone of 900 Hz.*listen to it: (\S+\.wav)", output)
    assert recording is not None
    samples, rate = soundfile.read(recording[1])
    assert dominant_frequency(samples[rate // 2 :], rate) == pytest.approx(700, abs=5)
    assert re.search(r"10 failed, 1 passed, 1 error", output), output[-500:]
