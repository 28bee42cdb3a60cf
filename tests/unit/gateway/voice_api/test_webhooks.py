"""Webhooks: retries, failover, order, bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from support.limit import LIMIT
from support.webhook_receiver import WebhookReceiver, webhook_receiver
from telnyx_native.gateway import Counters
from telnyx_native.gateway.voice_api import webhooks as module
from telnyx_native.gateway.voice_api.events import event
from telnyx_native.gateway.voice_api.signing import WebhookKey
from telnyx_native.gateway.voice_api.webhooks import Webhook, Webhooks

NOWHERE = "http://127.0.0.1:1/"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_DELAYS", (0.05, 0.05))


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
async def webhooks(receiver: WebhookReceiver, counters: Counters) -> AsyncIterator[Webhooks]:
    key = WebhookKey.generate()
    receiver.public_key = key.public_key
    sender = Webhooks(key, counters)
    yield sender
    await sender.close(LIMIT)


def webhook(kind: str, urls: Sequence[str], timeout: float = LIMIT) -> Webhook:
    return Webhook(event(kind, {}), urls, timeout)


def attempts(receiver: WebhookReceiver) -> list[tuple[int, str]]:
    return [(body["meta"]["attempt"], body["meta"]["delivered_to"]) for body in receiver.received]


async def test_one_that_fails_is_tried_elsewhere_and_again(
    webhooks: Webhooks, receiver: WebhookReceiver, counters: Counters
) -> None:
    receiver.failures = 1
    webhooks.send("s", webhook("a", [receiver.url, receiver.failover_url]))
    await receiver.next("a")
    assert attempts(receiver) == [(1, receiver.url), (2, receiver.failover_url)]
    receiver.received.clear()
    receiver.failures = 2
    webhooks.send("s", webhook("b", [receiver.url]))
    await receiver.next("b")
    assert attempts(receiver) == [(n, receiver.url) for n in (1, 2, 3)]
    assert len({body["data"]["id"] for body in receiver.received}) == 1, "it is the same event"
    receiver.failures = 3
    webhooks.send("s", webhook("c", [receiver.url]))
    webhooks.send("s", webhook("d", [NOWHERE, receiver.url]))
    await receiver.next("d")
    await webhooks.close(LIMIT)
    assert (counters.webhooks, counters.failed_webhooks, counters.dropped_webhooks) == (3, 1, 0)


async def test_redirects_are_not_followed(webhooks: Webhooks, receiver: WebhookReceiver, counters: Counters) -> None:
    receiver.redirect = True
    webhooks.send("s", webhook("a", [receiver.url]))
    await webhooks.close(LIMIT)
    assert {url for _, url in attempts(receiver)} == {receiver.url}
    assert counters.failed_webhooks == 1


async def test_one_that_gets_no_answer_is_given_up(webhooks: Webhooks, receiver: WebhookReceiver) -> None:
    receiver.frozen.clear()
    webhooks.send("s", webhook("a", [receiver.url], timeout=0.2))
    await receiver.wait_received(2)
    receiver.frozen.set()
    await receiver.next("a")


async def test_order_of_a_call_is_kept_and_calls_do_not_wait_for_each_other(
    webhooks: Webhooks, receiver: WebhookReceiver
) -> None:
    receiver.frozen.clear()
    kinds = [f"event-{n}" for n in range(20)]
    for kind in kinds:
        webhooks.send("one", webhook(kind, [receiver.url]))
    webhooks.send("two", webhook("other", [receiver.url]))
    await receiver.wait_received(2)
    assert set(receiver.kinds) == {"event-0", "other"}
    receiver.frozen.set()
    await webhooks.close(LIMIT)
    assert [kind for kind in receiver.kinds if kind != "other"] == kinds


async def test_too_many_are_dropped_and_counted(
    webhooks: Webhooks, receiver: WebhookReceiver, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    monkeypatch.setattr(module, "MOST_CALLS", 2)
    receiver.frozen.clear()
    for session in ("one", "two", "three"):
        for kind in ("a", "b", "c", "d"):
            webhooks.send(session, webhook(kind, [receiver.url]))
    assert counters.dropped_webhooks == 2 + 4
    receiver.frozen.set()
    await webhooks.close(LIMIT)
    assert counters.webhooks == 6


async def test_closing_waits_for_an_answer_but_not_for_ever(
    webhooks: Webhooks, receiver: WebhookReceiver, counters: Counters
) -> None:
    receiver.frozen.clear()
    webhooks.send("s", webhook("a", [receiver.url]))
    webhooks.send("s", webhook("b", [receiver.url]))
    async with asyncio.timeout(LIMIT):
        await webhooks.close(0.1)
    assert counters.dropped_webhooks == 2
    webhooks.send("s", webhook("c", [receiver.url]))
    assert counters.dropped_webhooks == 3
