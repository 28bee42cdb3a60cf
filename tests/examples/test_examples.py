"""The examples, as a user runs them, against a gateway with the users that they expect."""

from __future__ import annotations

import asyncio
import base64
import csv
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from websockets.asyncio.server import serve

from support.limit import LIMIT
from support.scripts import outcome, program
from support.signals import dominant_frequency, likeness, rms, silence, tone
from support.sound_server import needs_sound_server, sound_server
from telnyx_native import CallError
from telnyx_native.gateway import GatewayConfig, GatewayLimits, User, scripted_brain
from telnyx_native.gateway.destinations.sounds import PROMPT, VOICEMAIL
from telnyx_native.media.files import read_audio
from telnyx_native.testing import Phone, open_phone

pytestmark = pytest.mark.sound  # they speak, and listen

EXAMPLES = Path(__file__).parents[2] / "examples"
SOUNDS = EXAMPLES / "sounds"
RATE = Phone.SAMPLE_RATE


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def gateway_config() -> GatewayConfig:
    return GatewayConfig(
        users=[User("alice", "demo", "+15550190")],
        limits=GatewayLimits(calls_per_connection=100),
        assistants={"assistant": scripted_brain},
    )


class Running:
    """An example that runs, and what it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def prints(self, pattern: str) -> re.Match[str]:
        """Wait for a line like that."""
        assert self._process.stdout is not None
        async with asyncio.timeout(LIMIT):
            async for line in self._process.stdout:
                if found := re.search(pattern, line.decode()):
                    return found
        _, errors = await self._process.communicate()
        raise AssertionError(f"it ended without printing {pattern!r}: {errors.decode()}")

    async def ends(self, with_signal: int | None = None) -> None:
        """Wait until it ends by itself, or end it; either way without an error."""
        if with_signal is not None:
            self._process.send_signal(with_signal)
        code, _, errors = await outcome(self._process)
        # What the sound library remarks on a busy machine is none of the example's.
        complaints = [line for line in errors.splitlines() if not line.startswith("ALSA lib ")]
        assert (code, complaints) == (0, [])


@asynccontextmanager
async def running(name: str, *arguments: str) -> AsyncIterator[Running]:
    async with program(EXAMPLES / name, *arguments) as process:
        yield Running(process)


@asynccontextmanager
async def answering(name: str, gateway, *arguments: str) -> AsyncIterator[Running]:
    """An example that waits for calls."""
    async with running(name, gateway.url, *arguments) as example:
        await gateway.wait_logged_in("alice", timeout=LIMIT)
        yield example
        await example.ends(signal.SIGINT)


async def test_first_call(gateway) -> None:
    async with running("01_first_call.py", gateway.url) as example:
        heard = await example.prints(r"heard it (\d+)% as loud")
        assert 50 < int(heard[1]) < 200  # the peak; where a late packet was concealed, it can be half as high again
        await example.prints("the call ended: NORMAL_CLEARING 16")
        await example.ends()


async def test_answer_and_echo(gateway, caller) -> None:
    async with answering("02_answer_and_echo.py", gateway) as example:
        for number in ("+15550198", "+15550199"):
            await caller.call("alice", from_=number)
            await caller.say(tone(440, 2.0, RATE))
            await caller.hears_tone(440)
            await caller.hang_up()
        await example.prints(r"\+15550199 is done")


async def test_play_and_record(gateway) -> None:
    async with running("03_play_and_record.py", gateway.url) as example:
        await example.prints(r"recorded \d\.\d s of both sides")
        await example.ends()
    samples, rate = soundfile.read("call.flac", dtype="int16")
    said = read_audio(SOUNDS / "goodbye.flac", rate)
    heard, sent = samples[:, 0], samples[:, 1]
    assert likeness(said, sent) > 0.95
    assert likeness(said, heard) > 0.5


async def test_voice_menu(gateway, caller) -> None:
    async with answering("04_voice_menu.py", gateway) as example:
        await caller.call("alice")
        await caller.hears(SOUNDS / "menu.flac")
        await caller.press("1")
        await caller.hears_tone(1047)
        await caller.hears_speech()  # the menu again
        await caller.say(PROMPT)  # which is interrupted
        await caller.hears_silence(1.0)
        await caller.press("2")
        await caller.hears_tone(1000)
        await caller.say(PROMPT)
        await caller.press("5")
        left = await example.prints(r"left a message of (\d+) s: (message-.*\.flac)")
        assert int(left[1]) >= 4
        await caller.press("#")
        await caller.hears(SOUNDS / "goodbye.flac")
        await caller.wait_hung_up()
    assert likeness(read_audio(PROMPT, RATE), read_audio(Path(left[2]), RATE)) > 0.3


async def test_bridge_two_parties(gateway, caller, callee) -> None:
    async with answering("05_bridge_two_parties.py", gateway, "callee") as example:
        await caller.call("alice")
        await caller.hears(SOUNDS / "please_hold.flac")
        await callee.answer()
        await example.prints("talks to callee")
        await caller.say(tone(500, 1.0, RATE))
        await callee.hears_tone(500)
        await callee.say(tone(700, 1.0, RATE))
        await caller.hears_tone(700)
        await callee.hang_up()
        await caller.wait_hung_up()


async def test_bridge_to_nobody(gateway, caller) -> None:
    async with answering("05_bridge_two_parties.py", gateway, "busy") as example:
        await caller.call("alice")
        await example.prints("busy was not reached: .*USER_BUSY")
        await caller.wait_hung_up()


async def test_warm_transfer(gateway, caller, callee) -> None:
    async with answering("14_warm_transfer.py", gateway, "callee") as example:
        await caller.call("alice")
        await caller.hears(SOUNDS / "please_hold.flac")
        await callee.answer()
        await callee.hears(SOUNDS / "briefing.flac")
        await example.prints("talks with callee")
        await caller.say(tone(500, 1.0, RATE))
        await callee.hears_tone(500)
        await callee.hang_up()
        await caller.wait_hung_up()


async def test_colleague_is_busy(gateway, caller) -> None:
    async with answering("14_warm_transfer.py", gateway, "busy") as example:
        await caller.call("alice")
        await example.prints("busy: busy")
        await caller.hears(SOUNDS / "goodbye.flac")
        await caller.wait_hung_up()


async def test_conference(gateway, tmp_path: Path, caller, callee) -> None:
    async with (
        answering("06_conference.py", gateway) as example,
        open_phone(gateway, "client", recordings=tmp_path) as third,
    ):
        phones = [caller, callee, third]
        for number, phone in enumerate(phones):
            await phone.call("alice")
            await example.prints(f"is in, {number + 1} now")
        await caller.say(tone(600, 1.0, RATE))
        await callee.hears_tone(600)
        await third.hears_tone(600)
        await third.hang_up()
        await example.prints("is out, 2 left")
        await callee.hears_tone(440)


async def test_call_centre(gateway) -> None:
    async with running("07_call_centre.py", gateway.url, "12") as example:
        await example.prints("ready for 12 calls")
        callers = [await gateway.place_call("alice", from_=f"+1555{number:04}") for number in range(12)]
        await asyncio.gather(*(caller.wait_answered(LIMIT) for caller in callers))
        refused = await gateway.place_call("alice", from_="+15559999")
        assert (await refused.wait_ended(LIMIT)).cause == "USER_BUSY"
        for caller in callers[2:]:
            await caller.hang_up()
        example._process.send_signal(signal.SIGTERM)
        await example.prints(r"no more calls; \d+ to go")
        late = await gateway.place_call("alice", from_="+15559998")
        assert (await late.wait_ended(LIMIT)).cause == "USER_BUSY"
        assert callers[0].reason is None
        for caller in callers[:2]:
            await caller.hang_up()
        await example.prints("done: 2 calls were refused, 0 cut off")
        await example.ends()


async def test_transcribe(gateway, caller) -> None:
    async with answering("08_transcribe.py", gateway) as example:
        await caller.call("alice")
        await caller.say(SOUNDS / "digits.flac")
        heard = await example.prints(r": ((four|two|nine|one) .*)")
        assert "nine" in heard[1]


async def test_ai_assistant(gateway) -> None:
    async with running("09_ai_assistant.py", gateway.url) as example:
        await example.prints("assistant: Hello")
        await example.prints("the assistant asks for order 42")
        await example.prints("assistant: .*on its way")
        await example.ends()


async def test_dialler(gateway, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("name,number\nAnn,echo\nBob,busy\nCyd,+15550000\nDan,noanswer\n")
    async with running("10_dialler.py", gateway.url, str(numbers)) as example:
        await example.prints("1 of 4 were reached")
        await example.ends()
    with (tmp_path / "results.csv").open(newline="") as file:
        results = {row["number"]: row for row in csv.DictReader(file)}
    assert {number: row["outcome"] for number, row in results.items()} == {
        "echo": "HEARD",
        "busy": "USER_BUSY",
        "+15550000": "UNALLOCATED_NUMBER",
        "noanswer": "NO_ANSWER",
    }
    assert [results[number]["attempts"] for number in ("echo", "busy", "+15550000", "noanswer")] == ["1", "3", "1", "3"]
    assert float(results["echo"]["seconds"]) > 0.5


async def test_dialler_without_a_free_channel(gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that the account has no channel for is placed again when another one has ended."""
    monkeypatch.chdir(tmp_path)
    gateway.faults.limit_channels("alice", 1)
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("number\necho\ntone:500\n")
    async with running("10_dialler.py", gateway.url, str(numbers)) as example:
        await example.prints("2 of 2 were reached")
        await example.ends()


@needs_sound_server
async def test_intercom(gateway, caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as stack:
        sounds = await stack.enter_async_context(sound_server(tmp_path))
        monkeypatch.setenv("PULSE_SERVER", sounds.address)
        sounds.add_room("gate")
        async with program(EXAMPLES / "11_intercom.py", gateway.url, "caller") as process:
            example = Running(process)
            await example.prints("ready")
            await caller.call("alice")
            await example.prints("talking to")
            await caller.press("9")
            await example.prints("the gate opens")
            await caller.hang_up()
            await example.prints("over: NORMAL_CLEARING")
            await example.ends(signal.SIGINT)


async def test_from_android(gateway) -> None:
    async with running("12_from_android.py", gateway.url) as example:
        for line in ("ACTIVE", "^muted", "HELD", "NORMAL_CLEARING"):
            await example.prints(line)
        await example.ends()


class SpeechApi:
    """A stand-in for a realtime speech API: it says a tone, and is interrupted when somebody speaks."""

    def __init__(self) -> None:
        self.heard = bytearray()

    async def converse(self, connection) -> None:
        tone_24k = tone(440, 5.0, 24_000).tobytes()
        event = {"type": "response.output_audio.delta", "delta": base64.b64encode(tone_24k).decode()}
        await connection.send(json.dumps(event))
        interrupted = False
        async for message in connection:
            assert json.loads(message)["type"] == "input_audio_buffer.append"
            self.heard += base64.b64decode(json.loads(message)["audio"])
            loud = np.abs(np.frombuffer(self.heard[-9600:], np.int16)).max(initial=0) > 3000
            if loud and not interrupted:
                interrupted = True
                await connection.send(json.dumps({"type": "input_audio_buffer.speech_started"}))


async def test_realtime_speech_api(gateway, caller) -> None:
    api = SpeechApi()
    async with serve(api.converse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with answering("13_realtime_speech_api.py", gateway, f"ws://127.0.0.1:{port}") as example:
            await caller.call("alice")
            await caller.hears_tone(440)
            await caller.say(tone(700, 1.0, RATE))
            interrupted = await example.prints(r"interrupted after (\d\.\d) s")
            assert float(interrupted[1]) < 4
            await caller.hears_silence(0.5)
            await caller.hang_up()
            await example.prints("is done")
    heard = np.frombuffer(bytes(api.heard), np.int16)
    assert dominant_frequency(heard[np.argmax(np.abs(heard) > 3000) :], 24_000) == pytest.approx(700, abs=5)


async def test_realtime_speech_api_that_is_not_there(gateway, caller) -> None:
    async with answering("13_realtime_speech_api.py", gateway, "ws://127.0.0.1:9") as example:
        with pytest.raises(CallError):
            await caller.call("alice")
        await example.prints("the service cannot be reached")


async def test_voicemail(gateway, callee) -> None:
    async with running("15_voicemail.py", gateway.url, "callee") as example:
        await callee.answer()
        await callee.say(read_audio(VOICEMAIL, RATE))
        await example.prints("^machine, after .* by (long-greeting|long-word|many-words)")
        await callee.say(np.concatenate([silence(0.3, RATE), tone(1000, 0.4, RATE)]))
        await example.prints("beep of (999|100[01]) Hz")
        await callee.hears(SOUNDS / "goodbye.flac")
        await callee.wait_hung_up()
        await example.prints("left a message")
        await example.ends()


async def test_voicemail_of_the_gateway(gateway) -> None:
    async with running("15_voicemail.py", gateway.url) as example:
        await example.prints("^machine")
        await example.prints("beep of (999|100[01]) Hz")
        await example.prints("left a message")
        await example.ends()


async def test_voicemail_answered_by_a_human(gateway, callee) -> None:
    async with running("15_voicemail.py", gateway.url, "callee") as example:
        await callee.answer()
        await callee.say(
            np.concatenate([silence(0.5, RATE), read_audio(VOICEMAIL, RATE)[: round(0.5 * RATE)]])
        )  # Hello.
        await example.prints("^human, after .* by short-greeting")
        await callee.hears(SOUNDS / "please_hold.flac")
        await example.prints("talked to a human")
        await example.ends()


async def test_noisy_line(gateway, caller) -> None:
    """What comes back has the speech, and much less of the noise."""
    rng = np.random.default_rng(1)
    speech = read_audio(PROMPT, RATE).astype(float)
    quiet = np.zeros(2 * RATE)
    said = np.concatenate([quiet, speech, quiet]) * 0.7
    noisy = (said + rng.normal(0, 300, len(said))).clip(-32768, 32767).astype(np.int16)
    async with answering("16_noisy_line.py", gateway) as example:
        await caller.call("alice")
        await caller.say(noisy)
        await caller.hears_speech(within=LIMIT)
        await caller.hears_silence(1.0, within=LIMIT)
        heard = np.asarray(caller.heard)
        await caller.hang_up()
        await example.prints("is done")
    tail = heard[np.flatnonzero(np.abs(heard) > 3000)[-1] + RATE // 4 :]
    assert len(tail) > RATE // 2
    assert rms(tail[: RATE // 2]) < 60  # of 300


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("[0-9]*.py")), ids=lambda path: path.name)
async def test_server_that_is_not_there(example: Path) -> None:
    async with program(example, "ws://127.0.0.1:9") as process:
        code, _, errors = await outcome(process)
    assert code == 1
    assert "cannot connect to ws://127.0.0.1:9" in errors
