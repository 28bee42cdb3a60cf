"""The description of the gateway's HTTP API, to check responses against."""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator

from telnyx_native.gateway.web.site import CONSOLE

DESCRIPTION: dict[str, Any] = json.loads((CONSOLE / "openapi.json").read_text())

Operation = tuple[str, str]
"""Method and path, as in `("GET", "/users/{name}")`."""


def described() -> dict[Operation, set[int]]:
    """Every operation, with the statuses of its responses."""
    return {
        (method.upper(), path): {int(status) for status in operation["responses"]}
        for path, methods in DESCRIPTION["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }


def check(method: str, path: str, status: int, content_type: str, body: Any) -> None:
    """Fail unless a response is as it is described.

    Args:
        method: Of the request.
        path: What follows `/api/` in its address.
        status: Of the response.
        content_type: Its kind.
        body: Parsed JSON, or text.
    """
    verb, known = _operation_of(method, path)
    responses = DESCRIPTION["paths"][known][verb.lower()]["responses"]
    assert str(status) in responses, f"{verb} {known} has answered with {status}, which is not described"
    content = responses[str(status)]["content"]
    assert content_type in content, f"{verb} {known}: {content_type} is not described"
    # Schemas refer to each other by their place below `components`.
    schema = {**content[content_type]["schema"], "components": DESCRIPTION["components"]}
    Draft202012Validator(schema).validate(body)


def _operation_of(method: str, path: str) -> Operation:
    for verb, known in described():
        if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), f"/{path}"):
            return verb, known
    raise AssertionError(f"{method} /{path} is not described")
