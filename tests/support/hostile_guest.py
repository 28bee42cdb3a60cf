"""Somebody without an account who does to a gateway all that hurts, for as long as it is told to.

    python -m support.hostile_guest ws://127.0.0.1:8899 30

Each way goes on until the time is over; what the gateway refuses is tried again. At the end it prints how often each
way was gone, as JSON.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

MIB = 1 << 20

OFFER = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
""".replace("\n", "\r\n").format(fingerprint=":".join(["AB"] * 32))

done: Counter[str] = Counter()
"""How often each way was gone."""


class Guest:
    """A socket that speaks frames."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, method: str, **params: Any) -> str:
        message_id = str(uuid4())
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": message_id, "method": method, "params": params}))
        return message_id

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        message_id = await self.send(method, **params)
        return await self.frame(lambda frame: frame.get("id") == message_id and "method" not in frame)

    async def frame(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                frame = json.loads(await self.socket.recv())
                if wanted(frame):
                    return dict(frame)

    async def log_in(self, **params: Any) -> bool:
        return "result" in await self.ask("anonymous_login", target_id="assistant", **params)

    async def place(self, sdp: str = OFFER, **dialog: Any) -> str:
        call_id = str(uuid4())
        await self.ask(
            "telnyx_rtc.invite", sdp=sdp, dialogParams={"callID": call_id, "destination_number": ""} | dialog
        )
        return call_id


@asynccontextmanager
async def guest(url: str, **params: Any) -> AsyncIterator[Guest]:
    async with connect(url, max_size=None, open_timeout=5, close_timeout=1) as socket:
        one = Guest(socket)
        if not await one.log_in(**params):
            await asyncio.sleep(0.2)
            raise ConnectionError("not let in")
        yield one


# The ways


async def candidates(url: str) -> None:
    """A call of real audio, with thousands of addresses: one after the other, and in the description."""
    import aiortc

    configuration = aiortc.RTCConfiguration(iceServers=[])
    peer = aiortc.RTCPeerConnection(configuration)
    peer.addTransceiver("audio")
    try:
        await peer.setLocalDescription(await peer.createOffer())
        async with guest(url) as one:
            lines = "".join(f"a={candidate(n)}\r\n" for n in range(450))
            call_id = await one.place(peer.localDescription.sdp + lines)
            answer = await one.frame(lambda frame: frame.get("method") == "telnyx_rtc.answer")
            await peer.setRemoteDescription(aiortc.RTCSessionDescription(answer["params"]["sdp"], "answer"))
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    while peer.connectionState != "connected":  # noqa: ASYNC110 - no event to wait for
                        await asyncio.sleep(0.05)
            for number in range(5000):
                await one.send("telnyx_rtc.candidate", candidate=candidate(number), dialogParams={"callID": call_id})
                done["candidates"] += 1
                if number % 50 == 0:
                    await strange_sources(peer)
    finally:
        await peer.close()


async def strange_sources(peer: Any) -> None:
    """Valid packets, each of a source of its own."""
    from aiortc.rtp import RtpPacket

    transport = peer.getTransceivers()[0].sender.transport
    for _ in range(50):
        packet = RtpPacket(payload_type=111, ssrc=random.getrandbits(32), sequence_number=1, timestamp=1)
        packet.payload = b"\xf8\xff\xfe"
        try:
            await transport._send_rtp(packet.serialize())
        except ConnectionError:
            return
        done["sources"] += 1


def candidate(number: int) -> str:
    return f"candidate:{number} 1 udp {2_000_000_000 - number} 127.0.0.{1 + number % 250} {10_000 + number} typ host"


async def headers(url: str) -> None:
    """Calls with as many headers as fit into a message, and descriptions that nobody reads."""
    async with guest(url) as one:
        many = [{"name": f"X-{n}", "value": ""} for n in range(5000)]
        await one.place(custom_headers=many)
        await one.place(custom_headers=[{"name": "X-A", "value": "v" * 60_000}], clientState="x" * 60_000)
        await one.place(OFFER + "a=" + "x" * 900_000)
        done["headers"] += 1


async def variables(url: str) -> None:
    done["variables"] += 1
    async with guest(url, userVariables={"a": [[]] * 5000}):
        pass


async def returning(url: str) -> None:
    """Calls that are answered, and whose socket is gone then, each under another session."""
    async with guest(url, sessid=str(uuid4())) as one:
        await one.place()
        await one.frame(lambda frame: frame.get("method") == "telnyx_rtc.answer")
        one.socket.transport.abort()
        done["returning"] += 1


async def calls(url: str) -> None:
    """Calls, begun and ended as fast as it goes; all else that a call takes in between."""
    async with guest(url) as one:
        while True:
            call = {"callID": await one.place()}
            for action in ("hold", "unhold", "updateMedia"):
                await one.ask("telnyx_rtc.modify", action=action, sdp=OFFER, dialogParams=call)
            await one.ask("telnyx_rtc.info", dtmf="123456789*0#w" * 1000, dialogParams=call)
            await one.ask("telnyx_rtc.info", msg={"body": "x" * 900_000}, dialogParams=call)
            await one.ask("telnyx_rtc.bye", dialogParams=call)
            done["calls"] += 1


async def words(url: str) -> None:
    """What an assistant has to read."""
    async with guest(url) as one:
        await one.place()
        await one.frame(lambda frame: frame.get("method") == "telnyx_rtc.answer")
        for text in ("a " * 450_000, "use " + " " * 900_000 + "!", "use x" + " " * 900_000 + "!"):
            item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
            await one.send("ai_conversation", type="conversation.item.create", item=item)
            done["words"] += 1
        await one.ask("telnyx_rtc.ping")


async def noise(url: str) -> None:
    """Frames of a megabyte, of tiny values, of none at all; as fast as they are read."""
    async with guest(url) as one:
        tiny = '{"jsonrpc":"2.0","id":1,"method":"telnyx_rtc.ping","params":{"a":[' + "{}," * 340_000 + "{}]}}"
        for frame in (tiny, "[" * MIB, "x" * MIB, '{"method":"' + "m" * 900_000 + '"}', *["{"] * 2000):
            await one.socket.send(frame)
            done["noise"] += 1


async def speed(url: str) -> None:
    async with guest(url) as one:
        for _ in range(20):
            await one.socket.send("#SPU 10000000")
            await one.socket.send("#SPE")
        done["speed"] += 1
        await asyncio.sleep(1)


async def pings(url: str) -> None:
    """Pings whose answers nobody takes."""
    async with guest(url) as one:
        one.socket.transport.pause_reading()
        for _ in range(20_000):
            await one.socket.send(json.dumps({"jsonrpc": "2.0", "id": "x" * 1000, "method": "telnyx_rtc.ping"}))
            done["pings"] += 1


async def reports(url: str) -> None:
    async with guest(url) as one:
        state = await one.ask("telnyx_rtc.gatewayState")
        names = {"x-call-report-id": state["result"]["params"]["call_report_id"], "x-call-id": "1"}
        body = b'{"stats":[' + b"{}," * 1_300_000 + b"{}]}"
        async with aiohttp.ClientSession() as http:
            for _ in range(3):
                async with http.post(f"http{url.removeprefix('ws')}/call_report", data=io.BytesIO(body), headers=names):
                    done["reports"] += 1


async def guesses(url: str) -> None:
    async with connect(url) as socket:
        one = Guest(socket)
        while True:
            await one.ask("login", login=f"user{random.randrange(20)}", passwd="wrong")
            done["guesses"] += 1


async def squatters(url: str) -> None:
    """Sockets that do not log in, with messages that do not end."""

    async def endless() -> AsyncIterator[str]:
        while True:
            yield "x" * 10_000
            await asyncio.sleep(0.01)

    async def squat() -> None:
        async with connect(url, open_timeout=5) as socket:
            done["squatters"] += 1
            await socket.send(endless())

    address = urlsplit(url)
    silent = [asyncio.create_task(asyncio.open_connection(address.hostname, address.port)) for _ in range(50)]
    try:
        await asyncio.gather(*(squat() for _ in range(100)), *silent, return_exceptions=True)
    finally:
        for opened in silent:
            with suppress(OSError, asyncio.CancelledError):
                (await opened)[1].close()


WAYS: Sequence[dict[Callable[[str], Awaitable[None]], int]] = (
    {candidates: 4, headers: 2},
    {words: 2, noise: 1, speed: 1, pings: 1, squatters: 4},
    {returning: 4, calls: 4, variables: 2, reports: 2},
    {guesses: 20, squatters: 1},
)
"""Which ways are gone at a time, and by how many; those of one row would be in the way of the others."""


async def main(url: str, seconds: float) -> None:
    for ways in WAYS:
        await go(url, seconds / len(WAYS), ways)
    print(json.dumps(done), flush=True)  # noqa: T201 - this is a program
    os._exit(0)  # it owes nobody a good-bye


async def go(url: str, seconds: float, ways: dict[Callable[[str], Awaitable[None]], int]) -> None:
    async def again(way: Callable[[str], Awaitable[None]]) -> None:
        while True:
            with suppress(OSError, WebSocketException, TimeoutError, aiohttp.ClientError, KeyError):
                await way(url)
            await asyncio.sleep(0.02)

    going = [asyncio.create_task(again(way)) for way, number in ways.items() for _ in range(number)]
    await asyncio.wait(going, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    failed = [task.exception() for task in going if task.done()]
    for task in going:
        task.cancel()
    await asyncio.wait(going, timeout=1)
    if failed:
        raise RuntimeError("a way has come to an end") from failed[0]


if __name__ == "__main__":
    os.nice(19)  # what is tried is the gateway, not the machine
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
