"""A stand-in for the Telnyx API: its telephony credentials, and a transfer that comes to nothing."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.tokens import token_for

API_KEY = "KEY-s3cret-0123"


class CredentialApi(ThreadingHTTPServer):
    """Keeps credentials for who has the key.

    Attributes:
        credentials: The credentials by id.
        transfers: What transfers said.
        call_events: What is listed as having happened.
        failure: The status that every request gets instead of an answer, if there is one.
        delay: Held up requests, until it is set.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.credentials: dict[str, dict[str, Any]] = {}
        self.failure: int | None = None
        self.transfers: list[dict[str, Any]] = []
        self.call_events: list[dict[str, Any]] = []
        self.go = threading.Event()
        self.go.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v2"


class _Handler(BaseHTTPRequestHandler):
    server: CredentialApi

    def do_GET(self) -> None:
        if not self._admitted():
            return
        if urlsplit(self.path).path == "/v2/call_events":
            self._answer(200, {"data": self.server.call_events})
        else:
            wanted = parse_qs(urlsplit(self.path).query).get("filter[name]", [""])[0]
            found = [credential for credential in self.server.credentials.values() if credential["name"] == wanted]
            self._answer(200, {"data": found, "meta": {"page_number": 1, "total_pages": 1}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._admitted():
            return
        if self.path.endswith("/actions/transfer"):
            self._transfer(json.loads(body))
            return
        parts = urlsplit(self.path).path.split("/")[3:]
        if not parts:
            self._create(json.loads(body))
        elif parts[0] in self.server.credentials:
            self._send(201, token_for(86_400).encode(), "text/plain")
        else:
            self._answer(404, {"errors": [{"title": "Not found", "detail": "there is no such credential"}]})

    def do_DELETE(self) -> None:
        if self._admitted():
            gone = self.server.credentials.pop(urlsplit(self.path).path.split("/")[-1], None)
            self._answer(200 if gone else 404, {"data": gone or {}})

    def _transfer(self, wanted: dict[str, Any]) -> None:
        """Take the command; whom the call goes to is busy."""
        self.server.transfers.append(wanted)
        hangup = {"client_state": wanted["target_leg_client_state"], "hangup_cause": "user_busy"}
        event = {"record_type": "call_event", "type": "webhook", "name": "call.hangup", "metadata": {"payload": hangup}}
        ids = {"call_leg_id": "L9", "call_session_id": "S9", "event_timestamp": "2026-11-30T20:57:24Z"}
        self.server.call_events.append(event | ids)
        self._answer(200, {"data": {"result": "ok"}})

    def _create(self, wanted: dict[str, Any]) -> None:
        if wanted["connection_id"] == "none":
            detail = "the connection does not exist"
            return self._answer(422, {"errors": [{"title": "Invalid", "detail": detail}]})
        number = len(self.server.credentials) + 1
        credential = {
            "id": f"credential-{number}",
            "name": wanted["name"],
            "expired": False,
            "expires_at": wanted.get("expires_at"),
            "resource_id": f"connection:{wanted['connection_id']}",
            "sip_username": f"gencred{number}",
            "sip_password": "s1p-s3cret",
        }
        self.server.credentials[credential["id"]] = credential
        return self._answer(201, {"data": credential})

    def _admitted(self) -> bool:
        self.server.go.wait(5)
        if self.server.failure:
            self._answer(self.server.failure, {"errors": [{"title": "Failure"}]})
        elif self.headers["Authorization"] != f"Bearer {API_KEY}":
            self._answer(401, {"errors": [{"title": "Authentication failed"}]})
        else:
            return True
        return False

    def _answer(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@asynccontextmanager
async def credential_api() -> AsyncIterator[CredentialApi]:
    server = CredentialApi()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.go.set()
        await asyncio.to_thread(server.shutdown)
        thread.join()
        server.server_close()
