"""An HTTP server that takes reports, or refuses them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ReportServer(ThreadingHTTPServer):
    """Keeps what is posted.

    Attributes:
        answers: The status of each answer, in order; when there are no more, all is well.
        posts: Path, headers and body of what was posted.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.posts: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/call_report"


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posts.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@asynccontextmanager
async def report_server() -> AsyncIterator[ReportServer]:
    server = ReportServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        await asyncio.to_thread(server.shutdown)
        thread.join()
        server.server_close()
