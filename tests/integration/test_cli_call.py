"""`telnyx-native gateway` and `telnyx-native call`, as a user runs them: two processes and a signal."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import sys
import termios
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest

from support import scripts
from support.limit import LIMIT
from support.scripts import program
from support.signals import chirp, likeness, silence
from telnyx_native.gateway import Gateway, User
from telnyx_native.gateway.configuration import EXAMPLE
from telnyx_native.media.files import read_audio, write_wav

RATE = 16_000


def command(*arguments):
    return program("-m", "telnyx_native", *arguments, COLUMNS="60")


async def outcome(process):
    """Wait for the end; return exit code, stdout and stderr. Nobody wants to see a traceback of a command."""
    code, output, errors = await scripts.outcome(process)
    assert "Traceback" not in errors, errors
    return code, output, errors


async def line_with(process, wanted):
    """Return the next line of output that matches."""
    async with asyncio.timeout(LIMIT):
        async for line in process.stdout:
            if match := re.search(wanted, line.decode()):
                return match
    raise AssertionError(f"the command ended without {wanted!r}")


@pytest.fixture
async def gateway():
    async with Gateway([User("alice", "secret")]) as gateway:
        yield gateway


@pytest.fixture
def login(gateway):
    return ("--server", gateway.url, "--user", "alice", "--password", "secret")


async def test_play_and_record(login, tmp_path):
    said = chirp(1.0, RATE)
    # Silence first: until a jitter buffer has found its depth it stretches time.
    write_wav(tmp_path / "said.wav", np.concatenate([silence(1.0, RATE), said]).data, RATE)
    files = ("--play", str(tmp_path / "said.wav"), "--record", str(tmp_path / "heard.wav"))
    async with command("call", "echo", *login, *files) as process:
        code, output, _ = await outcome(process)
    assert code == 0, output
    assert "Call ended: NORMAL_CLEARING" in output
    assert likeness(said, read_audio(tmp_path / "heard.wav", RATE)) > 0.7


async def test_duration(login):
    async with command("call", "tone", *login, "--duration", "0.5") as process:
        assert (await outcome(process))[0] == 0


@pytest.mark.parametrize(("destination", "reason"), [("busy", "USER_BUSY"), ("reject", "CALL_REJECTED")])
async def test_call_that_fails(login, destination, reason):
    async with command("call", destination, *login) as process:
        code, _, errors = await outcome(process)
    assert code == 1
    assert errors.startswith("Error: ")
    assert reason in errors


async def test_call_that_nobody_answers(login):
    async with command("call", "noanswer", *login, "--ring", "1") as process:
        code, _, errors = await outcome(process)
    assert code == 1
    assert "did not answer" in errors


async def test_wrong_password(gateway):
    login = ("--server", gateway.url, "--user", "alice", "--password", "wrong")
    async with command("call", "echo", *login) as process:
        code, _, errors = await outcome(process)
    assert code == 3
    assert errors.startswith("Error: ")
    assert "wrong" not in errors.replace("is wrong", "").replace("are wrong", "")


async def test_interrupt_hangs_up(login, gateway):
    async with command("call", "echo", *login) as process:
        await line_with(process, "ACTIVE")
        (leg,) = gateway.calls
        process.send_signal(signal.SIGINT)
        code, _, _ = await outcome(process)
    assert code == 130
    assert (await leg.wait_ended(LIMIT)).cause == "NORMAL_CLEARING"


async def test_gateway_prints_a_line_to_copy(tmp_path):
    async with command("gateway", "--port", "0") as server:
        line = (await line_with(server, r"telnyx_native (call .*)"))[1]
        async with command(*shlex.split(line), "--duration", "0.5") as process:
            assert (await outcome(process))[0] == 0
        await line_with(server, "ended: NORMAL_CLEARING")
        server.send_signal(signal.SIGINT)
        assert (await outcome(server))[0] == 0


async def test_gateway_keeps_given_passwords_to_itself():
    async with command("gateway", "--port", "0", "--user", "carol:opensesame:+15550123") as server:
        await line_with(server, "--user carol")
        server.send_signal(signal.SIGTERM)
        code, output, errors = await outcome(server)
    assert code == 0
    assert "opensesame" not in output + errors


async def test_gateway_misbehaves_when_told_to():
    async with command("gateway", "--port", "0", "--fault", "alice:registration:refused:1") as server:
        await line_with(server, r"http://127\.0\.0\.1:\d+/#token=\S+")
        line = shlex.split((await line_with(server, r"telnyx_native (call .*)"))[1])
        for code in (3, 0):
            async with command(*line, "--duration", "0.5") as process:
                assert (await outcome(process))[0] == code
    async with command("gateway", "--port", "0", "--fault", "alice:nonsense") as server:
        code, _, errors = await outcome(server)
        assert (code, "'nonsense' is no fault" in errors) == (2, True)


async def test_port_in_use(gateway):
    async with command("gateway", "--port", gateway.url.rpartition(":")[2]) as server:
        code, _, errors = await outcome(server)
    assert code == 3
    assert "cannot listen" in errors


async def test_a_call_over_tls(tmp_path):
    file = tmp_path / "gateway.pem"
    async with command("gateway", "--port", "0", "--tls", str(file)) as server:
        first_call = await line_with(server, r"telnyx_native (call .*wss://.*--ca-file.*)")
        arguments = shlex.split(first_call[1])
        async with command(*arguments, "--duration", "0.5") as caller:
            assert (await outcome(caller))[0] == 0


async def test_gateway_by_its_file(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(EXAMPLE.read_text())
    options = ("--config", str(file), "--port", "0", "--number", "+15550123=hangup-after:0.2", "--user", "carol:x")
    async with command("gateway", *options) as server:
        address = (await line_with(server, r"listening on (ws://\S+);"))[1]
        for number, user, password in (("+15550123", "alice", "demo"), ("+15550197", "carol", "x")):
            arguments = ("--server", address, "--user", user, "--password", password, "--duration", "0.5")
            async with command("call", number, *arguments) as caller:
                assert (await outcome(caller))[0] == 0
        await line_with(server, r"calls \+15550197")
        server.send_signal(signal.SIGINT)
        code, output, errors = await outcome(server)
    assert code == 0, errors
    assert "example bot" not in output


async def test_gateway_shows_what_verifies_webhooks(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(
        """
        [users.alice]
        password = "x"
        [voice_api]
        api_keys = "KEY-opensesame"
        webhook_key = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
        [applications.support]
        webhook_url = "http://127.0.0.1:1/"
        """
    )
    async with command("gateway", "--config", str(file), "--port", "0") as server:
        line = await line_with(server, r"The Voice API is at (http://\S+/v2), .* support; .* key (\S+)")
        assert line[2] == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8032, section 7.1, test 1
        server.send_signal(signal.SIGTERM)
        code, output, errors = await outcome(server)
    assert code == 0, errors
    assert "opensesame" not in output + errors


async def test_gateway_that_others_reach_says_so():
    async with command("gateway", "--host", "0.0.0.0", "--port", "0") as server:
        await line_with(server, "Warning: others on the network can reach this gateway")
        await line_with(server, "Everybody knows the password")
        server.send_signal(signal.SIGINT)
        assert (await outcome(server))[0] == 0
    async with command("gateway", "--port", "0") as server:
        printed = b""
        async with asyncio.timeout(LIMIT):
            while b"bot has logged in" not in printed:
                printed += await server.stdout.readline()
        assert b"Warning" not in printed


@asynccontextmanager
async def on_a_terminal(*arguments):
    """A command whose output goes to a terminal; what that shows is collected."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 110, 0, 0))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "telnyx_native",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "110"},
    )
    os.close(theirs)
    terminal = Terminal(ours)
    asyncio.get_running_loop().add_reader(ours, terminal.take)
    try:
        yield process, terminal
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(ours)


class Terminal:
    """What a terminal has shown so far."""

    def __init__(self, descriptor):
        self._shown = b""
        self._descriptor = descriptor

    @property
    def text(self):
        """All of it, without colours and movements of the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._shown.decode(errors="replace"))

    def take(self):
        with suppress(OSError):  # nobody writes any more
            self._shown += os.read(self._descriptor, 65536)

    async def until(self, pattern):
        async with asyncio.timeout(LIMIT):
            while not re.search(pattern, self.text):  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.02)


async def test_live_tables_of_both_ends(gateway):
    async with on_a_terminal("gateway", "--port", "0", "--live") as (server, table):
        await table.until(r"telnyx.native (call .*demo)")
        line = shlex.split(re.search(r"telnyx.native (call .*demo)", table.text)[1])
        async with on_a_terminal(*line, "--live", "--duration", "8") as (caller, row):
            await row.until(r"echo.* active .* 4\.\d\d .* ms .*[█░]{12}")
            await table.until(r"-> echo.* answered .* 4\.\d\d .* ms .*[█░]{12}")
            assert await asyncio.wait_for(caller.wait(), LIMIT) == 0
        await table.until("Calls: 0")
        server.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(server.wait(), LIMIT) == 0
