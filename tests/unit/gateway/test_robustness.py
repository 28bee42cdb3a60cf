"""Random and mutated frames: each is answered or ignored, and the gateway serves on."""

from __future__ import annotations

import json
import random

import pytest

from telnyx_native.gateway import Limits
from telnyx_native.gateway.call_methods import HANDLERS as CALL_METHODS
from telnyx_native.gateway.session_methods import HANDLERS as SESSION_METHODS

ROUNDS = 40

ODD_VALUES = [None, True, -1, 0, 2**70, 1.5, "", "x", "\x00", "é" * 300, [], [[]], {}, {"a": {}}, ["callID"]]


@pytest.fixture
def limits():
    return Limits(failed_logins=10**9, ring_time=0.05, close_time=2.0)


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


@pytest.mark.parametrize("method", sorted(CALL_METHODS | SESSION_METHODS))
async def test_mutated_requests(alice, gateway, method):
    chance = random.Random(method)
    params = {
        "sdp": "v=0",
        "action": "hold",
        "candidate": "candidate:1",
        "sdpMid": "0",
        "sdpMLineIndex": 0,
        "dtmf": "1",
        "cause": "USER_BUSY",
        "login": "alice",
        "passwd": "secret",
        "eventChannel": ["a"],
        "dialogParams": {"callID": "Call-1", "destination_number": "noanswer", "custom_headers": []},
    }
    await alice.invite("noanswer")
    for _ in range(ROUNDS):
        answer = await alice.ask(method, **mutated(chance, params))
        assert isinstance(answer.get("result", answer.get("error")), dict)
    assert gateway.counters.handler_failures == 0
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


async def test_random_text(alice):
    chance = random.Random(1)
    frame = json.dumps({"jsonrpc": "2.0", "id": "x", "method": "telnyx_rtc.ping", "params": {}})
    for _ in range(300):
        cut = chance.randrange(len(frame))
        await alice.send(frame[:cut] + chr(chance.randrange(32, 0xD000)) + frame[cut + chance.randrange(3) :])
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"
