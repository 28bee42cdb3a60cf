"""Pages in headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from support.limit import LIMIT

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
"""The browser, if this machine has one; that without windows takes a third of the time of the others."""

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: make test-tools")


class RefusedError(Exception):
    """The browser did not take a command."""


class Page:
    """A page.

    Attributes:
        complaints: What it has thrown, or written to the console as an error.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.complaints: list[str] = []
        self._socket = socket
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def read(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                self._waiting.pop(message["id"]).set_result(message)
            elif message["method"] == "Runtime.exceptionThrown":
                details = message["params"]["exceptionDetails"]
                self.complaints.append(details.get("exception", {}).get("description") or details["text"])
            elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.complaints.append(message["params"]["entry"]["text"])

    async def do(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol; return its result."""
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        message = await asyncio.wait_for(answer, LIMIT)
        if "error" in message:
            raise RefusedError(message["error"]["message"])
        return message["result"]

    async def evaluate(self, expression: str) -> Any:
        """Return the value of JavaScript; promises are awaited. It counts as a gesture of the user."""
        result = await self.do(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Wait until JavaScript is true; return its value."""
        try:
            async with asyncio.timeout(LIMIT):
                while not (value := await self._evaluate_if_there(expression)):  # noqa: ASYNC110 - no event to wait for
                    await asyncio.sleep(0.05)
                return value
        except TimeoutError:
            shown = await self.evaluate("document.body.innerText")
            raise AssertionError(f"waited {LIMIT} s for {expression}; {self.complaints}; the page: {shown}") from None

    async def _evaluate_if_there(self, expression: str) -> Any:
        """Return the value of JavaScript, or `None` while the page gives way to the next one."""
        try:
            return await self.evaluate(expression)
        except RefusedError as refusal:
            # "Inspected target navigated or closed", "Cannot find default execution context", ...
            if not any(word in str(refusal) for word in ("navigated", "context")):
                raise
            return None

    async def reload(self) -> None:
        """Load the page again, as somebody who presses F5; return when the old one is gone."""
        await self.evaluate("window.old = true")
        await self.do("Page.reload")
        await self.until("!window.old")

    async def click(self, selector: str) -> None:
        """Click the first element that is there, shown and enabled."""
        found = f"document.querySelector({json.dumps(selector)})"
        await self.until(f"{found} && !{found}.disabled && {found}.offsetParent !== null")
        await self.evaluate(f"{found}.click()")

    async def type(self, selector: str, text: str) -> None:
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")

    async def press(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        text = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            await self.do("Input.dispatchKeyEvent", type=kind, key=key, **(text if kind == "keyDown" else {}))


class Chromium:
    """A browser whose microphone plays a WAV file over and over. It takes seconds to start: tests share it.

    Attributes:
        microphone: The content of the file.
    """

    def __init__(self, microphone: bytes) -> None:
        assert CHROMIUM is not None
        self.microphone = microphone
        self._profile = Path(tempfile.mkdtemp(prefix="chromium-"))
        file = self._profile / "microphone.wav"
        file.write_bytes(microphone)
        command = [
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",  # containers have none to give
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--remote-debugging-port=0",
            f"--user-data-dir={self._profile}",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={file}",
            "--allow-loopback-in-peer-connection",
            "--autoplay-policy=no-user-gesture-required",
            "about:blank",
        ]
        # What is started may be a script that starts the browser: they end together, as a group.
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    async def addresses(self) -> tuple[str, str]:
        """Where its DevTools are, as soon as they listen, and the path of those for all of it."""
        file = self._profile / "DevToolsActivePort"
        async with asyncio.timeout(LIMIT):
            while not (file.exists() and len(file.read_text().splitlines()) == 2):  # noqa: ASYNC110 - nor here
                await asyncio.sleep(0.05)
        port, path = file.read_text().splitlines()
        return f"ws://127.0.0.1:{port}", path

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # it has nothing to save
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)


_shared: list[Chromium] = []


def close_browser() -> None:
    """End the browser that tests have shared, if there is one."""
    while _shared:
        _shared.pop().close()


def _browser(file: Path) -> Chromium:
    microphone = file.read_bytes()
    if not (_shared and _shared[0].is_running and _shared[0].microphone == microphone):
        close_browser()
        _shared.append(Chromium(microphone))
    return _shared[0]


@asynccontextmanager
async def open_page(url: str, *, microphone: Path) -> AsyncIterator[Page]:
    """Open a page that shares nothing with others, in a browser whose microphone plays a WAV file over and over."""
    address, path = await _browser(microphone).addresses()
    async with _devtools(address + path) as browser:
        context = (await browser.do("Target.createBrowserContext"))["browserContextId"]
        try:
            target = await browser.do("Target.createTarget", url="about:blank", browserContextId=context)
            async with _devtools(f"{address}/devtools/page/{target['targetId']}") as page:
                for domain in ("Runtime", "Log", "Page"):
                    await page.do(f"{domain}.enable")
                await page.do("Page.navigate", url=url)
                yield page
        finally:
            await browser.do("Target.disposeBrowserContext", browserContextId=context)


@asynccontextmanager
async def _devtools(address: str) -> AsyncIterator[Page]:
    async with connect(address, max_size=None, open_timeout=LIMIT) as socket:
        page = Page(socket)
        reading = asyncio.create_task(page.read())
        try:
            yield page
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
