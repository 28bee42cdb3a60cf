"""Webhooks over a real port, with real signatures: verified, told apart, and counted."""

from __future__ import annotations

import base64
import json
import time
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet import webhooks as webhooks_module
from telnyx_native.fleet.webhooks import LARGEST, TOLERANCE, CallWebhook, Webhooks, _parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = Ed25519PrivateKey.generate()
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()


def event(number: int = 1, **details: Any) -> dict[str, Any]:
    payload = {
        "call_control_id": "v3:control",
        "call_session_id": "session",
        "direction": "incoming",
        "from": "+15550100",
    }
    return {"data": {"id": f"event-{number}", "event_type": "call.initiated", "payload": payload | details}}


def encoded(webhook: object) -> bytes:
    return json.dumps(webhook).encode()


class Sender:
    """Sends webhooks as Telnyx does, or nearly so."""

    def __init__(self, webhooks: Webhooks, taken: list[CallWebhook], session: aiohttp.ClientSession, url: str) -> None:
        self.webhooks = webhooks
        self.taken = taken
        self._session = session
        self._url = url

    async def send(
        self, body: bytes, *, age: float = 0.0, stamp: str | None = None, signer: Ed25519PrivateKey = KEY
    ) -> int:
        stamp = str(int(time.time() - age)) if stamp is None else stamp
        signature = base64.b64encode(signer.sign(f"{stamp}|".encode() + body)).decode()
        return await self.send_with(body, {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature})

    async def send_with(self, body: bytes, headers: dict[str, str]) -> int:
        async with self._session.post(self._url, data=body, headers=headers) as response:
            return response.status

    def counted(self, **counters: int) -> bool:
        return {name: value for name, value in asdict(self.webhooks.counters).items() if value} == counters


@asynccontextmanager
async def listening() -> AsyncIterator[Sender]:
    taken: list[CallWebhook] = []
    webhooks = Webhooks(PUBLIC, taken.append)
    app = web.Application(client_max_size=LARGEST)
    app.router.add_post("/webhooks", webhooks.handle)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks"
        async with aiohttp.ClientSession() as session:
            yield Sender(webhooks, taken, session, url)
    finally:
        await runner.cleanup()


async def test_webhook_is_taken() -> None:
    async with listening() as sender:
        assert await sender.send(encoded(event(more=[1]))) == 200
        (webhook,) = sender.taken
        assert (webhook.type, webhook.direction, webhook.caller) == ("call.initiated", "incoming", "+15550100")
        assert (webhook.control_id, webhook.session_id) == ("v3:control", "session")
        assert webhook.payload["more"] == [1]
        assert "+1555" not in repr(webhook)
        assert sender.counted(taken=1)


async def test_webhook_of_others_is_refused() -> None:
    async with listening() as sender:
        body = encoded(event())
        assert await sender.send(body, signer=Ed25519PrivateKey.generate()) == 401
        stamp = str(int(time.time()))
        for signature in ("", "no base64", "AAAA", base64.b64encode(KEY.sign(body)).decode(), "é" * 88):
            headers = {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature}
            assert await sender.send_with(body, headers) == 401
        assert await sender.send_with(body, {}) == 401
        signed = base64.b64encode(KEY.sign(f"{stamp}|".encode() + body)).decode()
        headers = {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signed}
        assert await sender.send_with(body.replace(b"0100", b"0199"), headers) == 401
        assert sender.taken == []
        assert sender.counted(bad_signature=8)


@pytest.mark.parametrize("age", [TOLERANCE + 5, -TOLERANCE - 5])
async def test_time_stamp_of_long_ago_or_of_the_future(age: float) -> None:
    async with listening() as sender:
        assert await sender.send(encoded(event()), age=age) == 401
        assert sender.taken == []
        assert sender.counted(too_old=1)


@pytest.mark.parametrize("age", [TOLERANCE - 30, -TOLERANCE + 30])
async def test_clocks_may_differ_a_little(age: float) -> None:
    async with listening() as sender:
        assert await sender.send(encoded(event()), age=age) == 200
        assert len(sender.taken) == 1


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1.5", "9" * 5000, "²"])
async def test_time_stamp_that_is_none(stamp: str) -> None:
    async with listening() as sender:
        assert await sender.send(encoded(event()), stamp=stamp) == 401
        assert sender.counted(too_old=1)


async def test_repeated_event_is_ignored() -> None:
    async with listening() as sender:
        assert [await sender.send(encoded(event(number))) for number in (1, 1, 2, 1)] == [200] * 4
        assert len(sender.taken) == 2
        assert sender.counted(taken=2, repeated=2)


async def test_memory_of_events_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks_module, "REMEMBERED", 3)
    async with listening() as sender:
        for number in (1, 2, 3, 4, 2, 1):
            await sender.send(encoded(event(number)))
        assert len(sender.webhooks._seen) == 3
        assert sender.counted(taken=5, repeated=1)  # the first was forgotten


async def test_webhook_that_is_too_large() -> None:
    async with listening() as sender:
        assert await sender.send(encoded(event(more="x" * LARGEST))) == 413
        assert await sender.send(encoded(event())) == 200
        assert sender.counted(taken=1, too_large=1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\xfd",
        b"[" * 100_000,
        b"1" * 5000,
        encoded([]),
        encoded({"data": None}),
        encoded({"data": {"id": "1", "event_type": "message.received", "payload": {}}}),
        encoded({"data": {"id": "1", "event_type": "call.initiated", "payload": "text"}}),
        encoded(event(call_control_id="")),
        encoded(event(call_session_id=None)),
        encoded(event(call_session_id="x" * 1000)),
        encoded(event(direction=["incoming"])),
        encoded(event(**{"from": {"number": 1}})),
        encoded(event(**{"from": "1" * 1001})),
    ],
)
async def test_body_that_is_no_call(body: bytes) -> None:
    async with listening() as sender:
        assert await sender.send(body) == 200  # so that it is not sent again
        assert sender.taken == []
        assert sender.counted(malformed=1)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
PAYLOADS = VALUES | st.fixed_dictionaries(
    {"call_control_id": VALUES, "call_session_id": VALUES}, optional={"direction": VALUES, "from": VALUES}
)
BODIES = st.binary(max_size=200) | st.fixed_dictionaries(
    {"data": VALUES | st.fixed_dictionaries({"id": VALUES, "event_type": VALUES, "payload": PAYLOADS})}
).map(encoded)


@given(BODIES)
def test_whatever_is_in_a_body(body: bytes) -> None:
    event_id, webhook = _parse(body)
    assert isinstance(event_id, str)
    if webhook is not None:
        texts = (webhook.type, webhook.control_id, webhook.session_id, webhook.direction, webhook.caller)
        assert all(isinstance(text, str) and len(text) <= 1000 for text in texts)
        assert all([event_id, webhook.type, webhook.control_id, webhook.session_id])


@pytest.mark.parametrize(
    "key",
    ["", "nonsense", "é", base64.b64encode(b"short").decode(), PUBLIC[:-4], PUBLIC + "AAAA"],
    ids=["empty", "text", "umlaut", "short", "cut", "long"],  # the key is another one in every process
)
def test_key_that_is_none(key: str) -> None:
    with pytest.raises(ConfigurationError, match="public_key is no Ed25519 key in base64"):
        Webhooks(key, lambda _: None)
