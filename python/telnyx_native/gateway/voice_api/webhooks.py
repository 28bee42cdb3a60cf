"""Delivers webhooks: in the order of each call, signed, with failover and retries, and never more than are bounded."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.event_loop import Tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import ClientSession

    from telnyx_native.gateway.limits import Counters
    from telnyx_native.gateway.voice_api.events import Event
    from telnyx_native.gateway.voice_api.signing import WebhookKey

__all__ = ["Webhook", "Webhooks"]

logger = logging.getLogger(__name__)

RETRY_DELAYS = (0.5, 1.0, 2.0)
"""Seconds between two rounds of attempts. Each round tries the address, and at once the one for when that fails."""

MOST_WAITING = 100
"""Webhooks of one call that may wait for the ones before them; one more is dropped."""

MOST_CALLS = 2000
"""Calls whose webhooks may wait; those of one more are dropped."""


@dataclass(frozen=True)
class Webhook:
    """An event, and where it goes.

    Attributes:
        event: What is told.
        urls: The address, and the one for when that fails, if there is one.
        timeout: Seconds that an attempt may take.
    """

    event: Event
    urls: Sequence[str]
    timeout: float


class Webhooks:
    """Posts events to applications; those of one session, a call and what it is bridged with, one after the other."""

    def __init__(self, key: WebhookKey, counters: Counters) -> None:
        self._key = key
        self._counters = counters
        self._waiting: dict[str, deque[Webhook]] = {}
        self._tasks = Tasks()
        self._closing = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._http: ClientSession | None = None
        self._closed = False

    def send(self, session_id: str, webhook: Webhook) -> None:
        """Post an event after all others of its session; drop it when too many wait, which is counted."""
        waiting = self._waiting.get(session_id)
        if self._closed:
            self._counters.dropped_webhooks += 1
        elif waiting is None and len(self._waiting) < MOST_CALLS:
            self._waiting[session_id] = deque([webhook])
            self._idle.clear()
            self._tasks.start(self._deliver_all(session_id))
        elif waiting is not None and len(waiting) < MOST_WAITING:
            waiting.append(webhook)
        else:
            self._counters.dropped_webhooks += 1
            logger.warning("%s is not posted: too many webhooks wait", webhook.event["event_type"])

    async def close(self, limit: float) -> None:
        """Post what waits, without a second try, for `limit` seconds at most; drop the rest."""
        self._closing.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._idle.wait()
        self._closed = True
        self._counters.dropped_webhooks += sum(map(len, self._waiting.values()))
        self._waiting.clear()
        await self._tasks.close()
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _deliver_all(self, session_id: str) -> None:
        waiting = self._waiting[session_id]
        while waiting:
            await self._deliver(waiting[0])
            waiting.popleft()
        self._waiting.pop(session_id, None)
        if not self._waiting:
            self._idle.set()

    async def _deliver(self, webhook: Webhook) -> None:
        attempt = 0
        for delay in (*RETRY_DELAYS, None):
            for url in webhook.urls:
                attempt += 1
                if await self._post(webhook, url, attempt):
                    self._counters.webhooks += 1
                    return
            if delay is None or self._closing.is_set():
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), delay)
        self._counters.failed_webhooks += 1
        logger.warning("%s was not taken, %d attempts were made", webhook.event["event_type"], attempt)

    async def _post(self, webhook: Webhook, url: str, attempt: int) -> bool:
        """Try once; return whether it was taken."""
        from aiohttp import ClientError, ClientTimeout

        meta = {"attempt": attempt, "delivered_to": url}
        body = json.dumps({"data": webhook.event, "meta": meta}, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", **self._key.headers(body)}
        timeout = ClientTimeout(total=webhook.timeout)
        try:
            # A redirect would lead where nobody has configured anything.
            async with self._session().post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                taken = 200 <= response.status < 300
                if not taken:
                    logger.info("%s got status %d", webhook.event["event_type"], response.status)
                return taken
        except (ClientError, TimeoutError, ValueError) as error:
            logger.info("%s was not posted: %s", webhook.event["event_type"], type(error).__name__)
            return False

    def _session(self) -> ClientSession:
        from aiohttp import ClientSession, DummyCookieJar, TCPConnector  # loads the HTTP client: not before it posts

        if self._http is None:
            # One application that is slow must not take the connections of another.
            connector = TCPConnector(limit=MOST_CALLS)
            self._http = ClientSession(connector=connector, cookie_jar=DummyCookieJar(), trust_env=False)
        return self._http
