"""Texts of remote parties at a gateway's terminal: log, table of calls, and what the other side of the call gets."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import pytest
from websockets.asyncio.client import connect

from support.gateway_process import gateway_process
from support.limit import LIMIT

NAME = "\ud83d [red]Mallory[/red] [/bold] \x1b[31m\x1b]0;owned\x07 \x00\r\n2026 WARNING forged"
OFFER = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


class Client:
    def __init__(self, socket):
        self.socket = socket
        self.ids = iter(range(1, 1000))

    async def ask(self, method, **params):
        wanted = next(self.ids)
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": wanted, "method": method, "params": params}))
        return await self.frame(lambda frame: frame.get("id") == wanted and "method" not in frame)

    async def frame(self, wanted):
        async with asyncio.timeout(LIMIT):
            while not wanted(frame := json.loads(await self.socket.recv())):
                pass
        return frame


@pytest.mark.parametrize("options", [["--live"], ["--verbose"], []])
async def test_the_terminal_and_the_other_side_get_clean_texts(tmp_path, options):
    async with gateway_process(2, tmp_path, *options) as gateway:
        async with connect(gateway.url) as one, connect(gateway.url) as other:
            caller, callee = Client(one), Client(other)
            for client, user in ((caller, "user0"), (callee, "user1")):
                answer = await client.ask("login", login=user, passwd=user, sessid=f"{user} {NAME}")
                assert "Mallory" not in answer["result"]["sessid"]
            await caller.ask(NAME)
            await one.send("\x1b[31m no JSON")
            await one.send(b"\xff\xfe\x1b[31m")
            for call_id in ("../../x", "/etc/passwd", "a\x00b", "a\r\nb", NAME, "x" * 129, ".hidden", ""):
                dialog = {"destination_number": "echo", "callID": call_id}
                answer = await caller.ask("telnyx_rtc.invite", sdp=OFFER, dialogParams=dialog)
                assert answer["error"]["message"] == "CallID missing"
            for destination in (NAME, f"sip:%1b%5b31m{NAME}@x", "file:../../etc/passwd\x00", "user1"):
                dialog = {"destination_number": destination, "caller_id_name": NAME, "caller_id_number": NAME}
                headers = [{"name": NAME, "value": NAME}]
                dialog |= {"callID": f"call-{next(caller.ids)}", "custom_headers": headers}
                assert "result" in await caller.ask("telnyx_rtc.invite", sdp=OFFER, dialogParams=dialog)
            invite = (await callee.frame(lambda frame: frame.get("method") == "telnyx_rtc.invite"))["params"]
            (header,) = invite["dialogParams"]["custom_headers"]
            for text in (invite["caller_id_name"], invite["caller_id_number"], *header.values()):
                assert "[red]Mallory[/red]" in text
                assert not set("\x00\x07\x1b\r\n\ud83d") & set(text)
            await callee.ask("telnyx_rtc.bye", cause=NAME, dialogParams={"callID": invite["callID"]})
        async with connect(gateway.url) as again:
            assert "result" in await Client(again).ask("login", login="user1", passwd="user1")
    shown = (tmp_path / "gateway.out").read_bytes().decode()
    assert not set("\x00\x07\x9b") & set(shown)
    assert shown.count("user1 has logged in") == 2, "the log goes on"
    assert "\x1b" not in shown
    assert not [line for line in shown.splitlines() if line.startswith("2026 WARNING")]
    assert (tmp_path / "gateway.log").read_bytes() == b"", "nothing went wrong"


async def test_a_gateway_that_was_told_such_texts_ends_well(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "telnyx_native", "gateway", "--port", "0", "--user", "[/red]:x", "--live"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(LIMIT):
        await process.stdout.readuntil(b"[/red]")
        await process.stdout.readuntil(b"first call")
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
