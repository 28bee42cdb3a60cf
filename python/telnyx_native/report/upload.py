"""Reports on their way out: by HTTP to Telnyx, and into files."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["post", "write"]

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before the second, third and fourth attempt (Telnyx JS SDK)."""

LONGEST_ANSWER = 65_536
"""Bytes of an answer that are read; nothing in it is of interest."""

PATIENCE = 5.0
"""Seconds that one attempt may take."""


async def post(url: str, headers: Mapping[str, str], report: Mapping[str, Any], *, proxy: bool) -> None:
    """Post a report; up to four attempts, of which only those are repeated that may succeed another time.

    Args:
        url: Where to.
        headers: What goes with it.
        report: The report.
        proxy: Whether to go through the proxy that the environment names, if it names one.

    Raises:
        ReportError: It was refused, or did not get there.
    """
    body = json.dumps(report, allow_nan=False).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers}, method="POST")  # noqa: S310 - the scheme is the connection's
    for pause in (*PAUSES, None):
        try:
            await asyncio.to_thread(_send, request, proxy)
        except urllib.error.HTTPError as error:
            if pause is None or error.code < 500:
                raise ReportError(f"the server refused the report: {error.code} {error.reason}") from None
        except OSError as error:
            if pause is None:
                raise ReportError(f"the report did not get to {url}: {error}") from None
        else:
            return
        await asyncio.sleep(pause)


async def write(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report to a file, which is there as a whole or not at all.

    Raises:
        ReportError: It cannot be written.
    """
    try:
        await asyncio.to_thread(_replace, path, json.dumps(report, indent=1))
    except OSError as error:
        raise ReportError(f"the report cannot be written to {path}: {error.strerror or error}") from None


def _send(request: urllib.request.Request, proxy: bool) -> None:
    proxies = urllib.request.ProxyHandler(None if proxy else {})
    with urllib.request.build_opener(proxies).open(request, timeout=PATIENCE) as answer:
        answer.read(LONGEST_ANSWER)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(text)
    os.replace(draft, path)  # noqa: PTH105 - pathlib's is the same, but hides that it is atomic
