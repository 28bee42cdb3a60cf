# Feeds mutated offers and answers to peers, telling each on stdout first. Runs with SEED and ROUNDS defined.

import asyncio
import random
import re

from support.field_descriptions import SHAPES
from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.errors import MediaError
from telnyx_native.media.engine import MediaEngine

RANDOM = random.Random(SEED)

NUMBERS = ["0", "-1", "65536", "4294967296", "999999999999999999999", "1", "255", "127", "96", "8"]

STRANGE_LINES = (
    """
a=setup:actpass|a=setup:holdconn|a=sendonly|a=recvonly|a=inactive|a=group:BUNDLE 0 1 2|a=mid:|a=mid:1|a=rtcp-mux
a=ssrc:0 cname:x|a=ssrc-group:FID 1 2|a=ssrc-group:SIM 1 2 3|a=rid:x send|a=simulcast:send x|a=ice-lite|a=ptime:0
a=extmap:15 urn:x|a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level|a=rtpmap:111 PCMU/8000|a=ptime:-1|a=ptime:3
a=rtpmap:0 opus/48000/2|a=fmtp:111 maxptime=0;ptime=0;stereo=1;maxaveragebitrate=-5|a=maxptime:0|a=rtcp-rsize
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA|b=AS:-1|b=AS:0|a=msid:- -|a=fingerprint:sha-1 00|a=rtcp-fb:* nack
a=candidate:1 1 udp 1 0.0.0.0 0 typ host|a=rtpmap:63 red/48000/2|a=fmtp:63 63/63/63|a=rtpmap:127 telephone-event/48000
a=group:BUNDLE 1 0|a=bundle-only|a=mid:0|a=fingerprint:SHA-1 00|a=rtpmap: 0 OPUS / 48000|a=ICE-UFRAG:abcd
m=audio 9 UDP/TLS/RTP/SAVPF 0|m=audio 0 RTP/AVP 0 0 300|m=image 9 udptl t38
m=application 0 UDP/DTLS/SCTP webrtc-datachannel|m=video 0 UDP/TLS/RTP/SAVPF 96
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


def mutate(sdp: str) -> str:
    lines = sdp.split("\r\n")
    for _ in range(RANDOM.choice([1, 1, 2, 3, 6])):
        RANDOM.choice([drop, double, swap, blank, cut, change_case, change_character, change_number, insert])(lines)
    return "\r\n".join(lines)


def place(lines: list[str]) -> int:
    return RANDOM.randrange(len(lines))


def drop(lines: list[str]) -> None:
    if len(lines) > 1:
        del lines[place(lines)]


def double(lines: list[str]) -> None:
    lines.insert(place(lines), lines[place(lines)])


def swap(lines: list[str]) -> None:
    i, j = place(lines), place(lines)
    lines[i], lines[j] = lines[j], lines[i]


def blank(lines: list[str]) -> None:
    lines[place(lines)] = ""


def cut(lines: list[str]) -> None:
    i = place(lines)
    lines[i] = lines[i][: RANDOM.randrange(len(lines[i]) + 1)]


def change_case(lines: list[str]) -> None:
    i = place(lines)
    lines[i] = lines[i].swapcase()


def change_character(lines: list[str]) -> None:
    i = place(lines)
    if lines[i]:
        at = RANDOM.randrange(len(lines[i]))
        lines[i] = lines[i][:at] + chr(RANDOM.randrange(32, 127)) + lines[i][at + 1 :]


def change_number(lines: list[str]) -> None:
    i = place(lines)
    if numbers := list(re.finditer(r"\d+", lines[i])):
        found = RANDOM.choice(numbers)
        lines[i] = lines[i][: found.start()] + RANDOM.choice(NUMBERS) + lines[i][found.end() :]


def insert(lines: list[str]) -> None:
    lines.insert(place(lines), RANDOM.choice(STRANGE_LINES))


async def main() -> None:
    engine = MediaEngine.acquire()
    for _ in range(ROUNDS):
        caller, callee = (engine.create_peer(PeerConfig(loopback=True), AudioConfig()) for _ in range(2))
        try:
            await caller.create_offer()
            offer = await caller.gathered()
            if RANDOM.random() < 0.3:
                offer = RANDOM.choice([*SHAPES.values()])(offer)
            if RANDOM.random() < 0.5:
                offer = mutate(offer)
                print(offer, flush=True)
                await asyncio.wait_for(callee.create_answer(offer), 5)
            else:
                await callee.create_answer(offer)
                answer = mutate(await callee.gathered())
                print(answer, flush=True)
                await asyncio.wait_for(caller.set_answer(answer), 5)
            caller.audio.write_nowait(bytes(6400))
            callee.audio.write_nowait(bytes(6400))
            await asyncio.sleep(RANDOM.choice([0, 0, 0.05]))
            await callee.stats()
        except MediaError:
            pass
        await caller.close()
        await callee.close()
    await engine.release()


asyncio.run(main())
