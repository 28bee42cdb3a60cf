"""A Telnyx server that plays a script over a real WebSocket."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from support.limit import LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class RefusalError(Exception):
    """Raised by a part of the script to answer with an error."""

    def __init__(self, code: int | None = None, message: str | None = None) -> None:
        super().__init__(message)
        self.error = {key: said for key, said in {"code": code, "message": message}.items() if said is not None}


class ScriptedServer:
    """Answers each method as `parts` says; `None` for an answer leaves the request unanswered."""

    def __init__(self) -> None:
        self.parts: dict[str, Callable[[dict[str, Any]], Any]] = {
            "login": self.log_in,
            "anonymous_login": self.welcome,
            "telnyx_rtc.gatewayState": lambda _: {"params": {"state": "REGED"}, "sessid": "S1"},
            "telnyx_rtc.ping": lambda _: {"message": "PONG"},
            "telnyx_rtc.invite": lambda p: {
                "message": "CALL CREATED",
                "callID": p["dialogParams"]["callID"],
                "sessid": "S1",
            },
            "telnyx_rtc.answer": lambda _: {},
            "telnyx_rtc.bye": lambda _: {"message": "CALL ENDED"},
            "telnyx_rtc.attachCalls": lambda _: {},
            "telnyx_rtc.disable_push_notification": lambda _: {"message": "disable push notification success"},
            "ai_conversation": lambda _: {},
            "telnyx_rtc.modify": self.modify,
            "telnyx_rtc.info": lambda _: {"sessid": "S1"},
            "telnyx_rtc.candidate": lambda _: {},
            "debug_report_start": lambda _: {},
            "debug_report_data": lambda _: {},
            "debug_report_stop": lambda _: {},
            "telnyx_rtc.endOfCandidates": lambda _: {},
        }
        self.tokens: set[str] = set()
        self.paths: list[str] = []
        self.frames: list[dict[str, Any]] = []
        self.connections: set[ServerConnection] = set()
        self.voice_sdk_id: str | None = None
        self.held: set[str] = set()
        self._arrived = asyncio.Condition()
        self._ids = count(1001)
        self.address = ""

    def log_in(self, params: dict[str, Any]) -> dict[str, Any]:
        if params.get("passwd") != "s3cret" and params.get("login_token") not in self.tokens:
            raise RefusalError(-32001, "Login Incorrect")
        return self.welcome(params)

    def welcome(self, _: dict[str, Any]) -> dict[str, Any]:
        asyncio.get_running_loop().call_soon(self.push, "telnyx_rtc.clientReady")
        return {"message": "logged in", "sessid": "S1"}

    def ask_for_reports(self) -> None:
        """Let clients post reports of their calls."""
        params = {"state": "REGED", "call_report_id": "R1", "dc": "dc1", "region": "eu"}
        self.parts["telnyx_rtc.gatewayState"] = lambda _: {"params": params, "sessid": "S1"}
        self.voice_sdk_id = "VSDK1"

    def modify(self, params: dict[str, Any]) -> dict[str, Any]:
        call_id, action = params["dialogParams"]["callID"], params["action"]
        if action == "updateMedia":
            return {"action": action, "callID": call_id, "sdp": "v=0 renewed", "sessid": "S1"}
        if action == "hold" or (action == "toggleHold" and call_id not in self.held):
            self.held.add(call_id)
        else:
            self.held.discard(call_id)
        state = "held" if call_id in self.held else "active"
        return {"action": action, "callID": call_id, "holdState": state, "sessid": "S1"}

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.paths.append(connection.request.path)
        self.connections.add(connection)
        try:
            async for text in connection:
                frame = json.loads(text)
                await self.answer(connection, frame)
                async with self._arrived:
                    self.frames.append(frame)
                    self._arrived.notify_all()
        except ConnectionClosed:
            pass
        finally:
            self.connections.discard(connection)

    async def answer(self, connection: ServerConnection, frame: dict[str, Any]) -> None:
        method = frame.get("method") or frame.get("type")
        if method is None or "id" not in frame:
            return
        reply = {"jsonrpc": "2.0", "id": frame["id"]}
        try:
            result = self.parts[method](frame.get("params", frame))
        except RefusalError as refusal:
            reply["error"] = refusal.error
        else:
            if result is None:
                return
            reply["result"] = result
        await connection.send(json.dumps(reply | self._sticky()))

    def push(self, method: str, **params: Any) -> int:
        """Send a request of the server; return its id."""
        request_id = next(self._ids)
        frame = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params} | self._sticky()
        self.push_raw(json.dumps(frame))
        return request_id

    def push_raw(self, frame: str | bytes) -> None:
        """Send a frame as it is, at once: it is under way when this returns."""
        for connection in self.connections:
            protocol = connection.protocol
            if isinstance(frame, str):
                protocol.send_text(frame.encode())
            else:
                protocol.send_binary(frame)
            connection.transport.write(b"".join(protocol.data_to_send()))

    async def received(self, matches: str | Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a frame by its method or by a predicate; frames that arrived already count."""

        def is_wanted(frame: dict[str, Any]) -> bool:
            return frame.get("method") == matches if isinstance(matches, str) else matches(frame)

        async with asyncio.timeout(LIMIT), self._arrived:
            await self._arrived.wait_for(lambda: any(map(is_wanted, self.frames)))
        return next(frame for frame in self.frames if is_wanted(frame))

    def sent(self, method: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame.get("method") == method]

    def acks(self) -> list[str]:
        return [frame["result"]["method"] for frame in self.frames if "result" in frame]

    def cut(self) -> None:
        """Reset all connections."""
        for connection in self.connections:
            connection.transport.abort()

    def _sticky(self) -> dict[str, str]:
        return {"voice_sdk_id": self.voice_sdk_id} if self.voice_sdk_id else {}


@asynccontextmanager
async def listening(handler: Callable[[ServerConnection], Any]) -> AsyncIterator[str]:
    # This side would log whole frames at DEBUG, secrets included; what is tested is the other side.
    silent = logging.Logger("scripted server", logging.CRITICAL)
    async with serve(handler, "127.0.0.1", 0, close_timeout=1, max_size=None, logger=silent) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"
