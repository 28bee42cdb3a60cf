"""Random and mutated frames: each is answered or ignored, and the gateway serves on."""

from __future__ import annotations

import json
import os
import random

import pytest

from telnyx_native.gateway import Gateway, GatewayLimits

FRAMES = int(os.environ.get("FUZZ_FRAMES", "40"))
"""Frames of each kind: a taste here, 10,000 in `make fuzz-gateway`."""

SEED = os.environ.get("FUZZ_SEED", "0")

BATCH = 20
"""Frames sent before the answers are read."""

METHODS = sorted(Gateway().handlers)

ODD_VALUES = [
    None,
    True,
    -1,
    0,
    2**70,
    1.5,
    "",
    "x",
    "\x00",
    "é" * 300,
    "\ud83d\x1b[31m",
    [],
    [[]],
    {},
    {"a": {}},
    ["callID"],
]


@pytest.fixture
def limits():
    # What slows senders down is tried elsewhere.
    at_will = {"failed_logins": 10**9, "guess_delay": 0.0, "messages_per_second": 1e6, "setups_per_second": 1e6}
    return GatewayLimits(ring_time=0.05, close_time=2.0, **at_will)


def mutated(chance: random.Random, params: dict) -> dict:
    """Return `params` with some of it replaced, removed or added."""
    params = json.loads(json.dumps(params))
    for container in (params, params.get("dialogParams")):
        if isinstance(container, dict):
            for key in list(container):
                fate = chance.random()
                if fate < 0.2:
                    container[key] = chance.choice(ODD_VALUES)
                elif fate < 0.3:
                    del container[key]
            container[chance.choice(["callID", "callId", "sdp", "extra"])] = chance.choice(ODD_VALUES)
    return params


PARAMS = {
    "sdp": "v=0",
    "action": "hold",
    "candidate": "candidate:1",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "dtmf": "1",
    "msg": {"body": "hi"},
    "cause": "USER_BUSY",
    "login": "alice",
    "passwd": "secret",
    "loginParams": {"attach_call": "true"},
    "userVariables": {"push_device_token": "token", "push_notification_provider": "ios"},
    "User-Agent": "iOS-mpn-1",
    "eventChannel": ["a"],
    "type": "conversation.item.create",
    "item": {"type": "message", "content": [{"type": "input_text", "text": "hi"}]},
    "dialogParams": {"callID": "Call-1", "destination_number": "noanswer", "custom_headers": []},
}


@pytest.mark.timeout(150 + FRAMES / 50)
@pytest.mark.parametrize("method", METHODS)
async def test_mutated_requests(alice, gateway, method):
    chance = random.Random(f"{SEED}{method}")
    await alice.invite("noanswer")
    for _ in range(0, FRAMES, BATCH):
        asked = [await alice.request(method, **mutated(chance, PARAMS)) for _ in range(BATCH)]
        for message_id in asked:
            answer = await alice.frame(lambda frame, wanted=message_id: is_answer(frame, wanted))
            assert isinstance(answer.get("result", answer.get("error")), dict)
        alice.forget()
    assert gateway.counters.handler_failures == 0
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


@pytest.mark.timeout(150 + FRAMES / 50)
@pytest.mark.parametrize("method", METHODS)
async def test_mutated_text(alice, gateway, method):
    """Requests in which characters are changed, lost or repeated, so that most are no JSON any more."""
    chance = random.Random(f"{SEED}{method}")
    frame = json.dumps({"jsonrpc": "2.0", "id": "x", "method": method, "params": PARAMS})
    for _ in range(0, FRAMES, BATCH):
        for _ in range(BATCH):
            await alice.send(garbled(chance, frame))
        await alice.ask("telnyx_rtc.ping")
        alice.forget()
    assert gateway.counters.handler_failures == 0
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


def is_answer(frame, message_id):
    return frame.get("id") == message_id and "method" not in frame


def garbled(chance: random.Random, text: str) -> str | bytes:
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(text))
        odd = chance.choice(
            ("", chr(chance.randrange(32, 0xD000)), text[at : at + 30], "9" * 400, "[" * 400, "\\u0000")
        )
        text = text[:at] + odd + text[at + chance.randrange(3) :]
    return text if chance.random() < 0.95 else text.encode()
