"""An application's side of the Voice API: takes webhooks, and verifies each as Telnyx's own package does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from telnyx import AsyncTelnyx
from telnyx.lib.webhook_verification import verify_webhook_signature

from support.limit import LIMIT

API_KEY = "KEY-s3cret-4711"


class WebhookReceiver:
    """Takes webhooks on a free port.

    Attributes:
        public_key: What they are verified with; set it to that of the gateway.
        url: Where they go.
        failover_url: Where they go when that fails.
        received: All bodies that came, refused ones too, in their order.
        failures: How many of the next at `url` are refused.
        redirect: Whether those at `url` are told to go to `failover_url`.
        frozen: Cleared, webhooks get no answer.
    """

    def __init__(self) -> None:
        self.public_key = ""
        self.url = ""
        self.failover_url = ""
        self.received: list[dict[str, Any]] = []
        self.failures = 0
        self.redirect = False
        self.frozen = asyncio.Event()
        self.frozen.set()
        self._arrived = asyncio.Event()
        self._taken: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.text()
        verify_webhook_signature(body, request.headers, self.public_key)  # raises, which is status 500
        self.received.append(webhook := await request.json())
        self._arrived.set()
        await self.frozen.wait()
        if request.path == "/first":
            if self.redirect:
                raise web.HTTPTemporaryRedirect(self.failover_url)
            if self.failures:
                self.failures -= 1
                raise web.HTTPServiceUnavailable
        self._taken.put_nowait(webhook["data"])
        return web.Response()

    async def next(self, kind: str) -> dict[str, Any]:
        """Return the payload of the next event, which must be of this kind."""
        event = await asyncio.wait_for(self._taken.get(), LIMIT)
        assert event["event_type"] == kind, event
        return event["payload"]

    async def find(self, kind: str, **details: Any) -> dict[str, Any]:
        """Return the payload of the next event of this kind with these details; those before it are forgotten."""
        async with asyncio.timeout(LIMIT):
            while True:
                event = await self._taken.get()
                if event["event_type"] == kind and details.items() <= event["payload"].items():
                    return event["payload"]

    async def wait_received(self, count: int) -> None:
        """Return when so many have come, whether they were taken or not."""
        async with asyncio.timeout(LIMIT):
            while len(self.received) < count:
                self._arrived.clear()
                await self._arrived.wait()

    @property
    def kinds(self) -> list[str]:
        """The kinds of all events that came, in their order."""
        return [webhook["data"]["event_type"] for webhook in self.received]


@asynccontextmanager
async def webhook_receiver() -> AsyncIterator[WebhookReceiver]:
    receiver = WebhookReceiver()
    site = web.Application()
    site.router.add_post("/first", receiver.take)
    site.router.add_post("/second", receiver.take)
    runner = web.AppRunner(site, shutdown_timeout=1.0)
    await runner.setup()
    tcp = web.TCPSite(runner, "127.0.0.1", 0)
    await tcp.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    receiver.url, receiver.failover_url = f"{address}/first", f"{address}/second"
    try:
        yield receiver
    finally:
        receiver.frozen.set()
        await runner.cleanup()


def api_client(base_url: str, key: str = API_KEY) -> AsyncTelnyx:
    """Telnyx's own client, which tries nothing twice."""
    return AsyncTelnyx(api_key=key, base_url=base_url, max_retries=0, timeout=LIMIT)
