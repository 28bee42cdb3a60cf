"""Reports on their way out: by HTTP to Telnyx, and into files."""

from __future__ import annotations

import asyncio
import json
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from telnyx_native.background import in_background
from telnyx_native.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from ssl import SSLContext

__all__ = ["post", "write"]

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before the second, third and fourth attempt (Telnyx JS SDK)."""

PATIENCE = 5.0
"""Seconds that one attempt may take."""


async def post(
    url: str,
    headers: Mapping[str, str],
    report: Mapping[str, Any],
    *,
    proxy: bool,
    ssl_context: SSLContext | None = None,
) -> None:
    """Post a report; up to four attempts, of which only those are repeated that may succeed another time.

    Args:
        url: Where to.
        headers: What goes with it.
        report: The report.
        proxy: Whether to go through the proxy that the environment names, if it names one.
        ssl_context: Which certificates to trust; by default those that the system trusts.

    Raises:
        ReportError: It was refused, or did not get there.
    """
    aiohttp = await in_background(import_module, "aiohttp")  # which takes a while, the first time
    body = await in_background(_encoded, report)
    headers = {"Content-Type": "application/json", **headers}
    async with aiohttp.ClientSession(trust_env=proxy, timeout=aiohttp.ClientTimeout(PATIENCE)) as client:
        for pause in (*PAUSES, None):
            try:
                async with client.post(
                    url, data=body, headers=headers, ssl=ssl_context or True, allow_redirects=False
                ) as answer:
                    status, reason = answer.status, answer.reason
            except (OSError, aiohttp.ClientError) as error:
                if pause is None:
                    raise ReportError(f"the report did not get to {url}: {error or type(error).__name__}") from None
            else:
                if status < 300:
                    return
                if pause is None or status < 500:
                    raise ReportError(f"the server refused the report: {status} {reason}")
            await asyncio.sleep(pause)


async def write(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report to a file, which is there as a whole or not at all.

    Raises:
        ReportError: It cannot be written.
    """
    try:
        await in_background(_replace, path, json.dumps(report, indent=1))
    except OSError as error:
        raise ReportError(f"the report cannot be written to {path}: {error.strerror or error}") from None


def _encoded(report: Mapping[str, Any]) -> bytes:
    return json.dumps(report, allow_nan=False).encode()


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(text)
    os.replace(draft, path)  # noqa: PTH105 - pathlib's is the same, but hides that it is atomic
