"""The HTTP API is what its description says, and the description can be read where it is served."""

from __future__ import annotations

import json
from http import HTTPStatus

import aiohttp
import pytest
from openapi_spec_validator import validate

from support.api_description import DESCRIPTION, check, described
from telnyx_native.errors import MediaError
from telnyx_native.gateway.web.control import make_control

PLACE = {"user": "alice", "from": "+15550199"}


@pytest.fixture
async def ask(gateway):
    """Sends requests; keeps the statuses of the responses, each of which is checked against the description."""
    seen = {}
    async with aiohttp.ClientSession(gateway.url.replace("ws:", "http:") + "/api/") as http:

        async def ask_one(method, path, known, *, token=gateway.control_token, **body):
            headers = {"Authorization": f"Bearer {token}"}
            async with http.request(method, path, json=body or None, headers=headers) as response:
                json_expected = response.content_type == "application/json"
                answer = await response.json() if json_expected else (await response.content.readline()).decode()
                check(method, path, response.status, response.content_type, answer)
                seen.setdefault((method, known), set()).add(response.status)
                return answer

        ask_one.seen = seen
        yield ask_one


def test_the_description_is_one():
    validate(DESCRIPTION)


def test_every_operation_is_described(gateway):
    served = {
        (route.method, route.resource.canonical)
        for route in make_control(gateway).router.routes()
        if route.method != "HEAD"
    }
    assert served == set(described())


async def test_every_described_response_is_given(ask, alice, gateway, monkeypatch, fake_peer):
    call = await ask("POST", "calls", "/calls", **PLACE)
    for method, path in (("GET", "status"), ("GET", "users"), ("GET", "calls"), ("GET", "events")):
        await ask(method, path, f"/{path}")
    await ask("POST", "users/bob/token", "/users/{name}/token")
    await ask("POST", "users/nobody/token", "/users/{name}/token")
    await ask("DELETE", f"calls/{call['id']}", "/calls/{id}")
    await ask("DELETE", f"calls/{call['id']}", "/calls/{id}")
    await ask("POST", "calls", "/calls", user="alice")
    await ask("POST", "calls", "/calls", **PLACE | {"user": "nobody"})
    await ask("POST", "calls", "/calls", **PLACE | {"user": "bob"})
    for user, fault in (("alice", "delay:0"), ("bob", "drop"), ("nobody", "drop"), ("alice", ["drop"])):
        await ask("POST", f"users/{user}/faults", "/users/{name}/faults", fault=fault)

    async def fail(_peer, **options):
        raise MediaError("no audio here")

    monkeypatch.setattr(fake_peer, "create_offer", fail)
    await ask("POST", "calls", "/calls", **PLACE)
    for method, known in ask.seen.copy():
        await ask(method, known.lstrip("/").format(name="alice", id="x"), known, token="wrong")
    expected = described()
    assert ask.seen == {operation: expected[operation] for operation in ask.seen}
    assert len(ask.seen) >= 8


async def test_where_it_is_to_be_read(gateway):
    site = gateway.url.replace("ws:", "http:")
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{site}/openapi.json") as response:
            assert response.content_type == "application/json"
            assert await response.json() == DESCRIPTION
        async with http.get(f"{site}/docs") as response:
            assert response.status == HTTPStatus.OK
            assert response.url.path == "/console/api.html"
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert "http" not in json.dumps(DESCRIPTION).replace('"type": "http"', "")
