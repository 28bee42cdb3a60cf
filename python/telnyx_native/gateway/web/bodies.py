"""The bodies of requests: JSON objects."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from telnyx_native.untrusted_text import one_line

__all__ = ["read_object", "text_of"]


async def read_object(request: web.Request) -> dict[str, Any]:
    """Return the body of a request; what is no object is answered with status 400."""
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return body


def text_of(wanted: dict[str, Any], key: str) -> str:
    """Return a text of a body, empty if there is none; what is no text is answered with status 400."""
    value = wanted.get(key) or ""
    if not isinstance(value, str):
        raise web.HTTPBadRequest(text=f"{key} must be a string")
    return one_line(value)
