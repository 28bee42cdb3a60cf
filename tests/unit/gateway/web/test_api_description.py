"""The HTTP API is what its description says, and the description can be read where it is served."""

from __future__ import annotations

import json
from http import HTTPStatus

import aiohttp
import pytest
from openapi_spec_validator import validate

from support.api_description import DESCRIPTION, check, described
from telnyx_native.errors import MediaError
from telnyx_native.gateway.web.api import make_api

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
        for route in make_api(gateway._api()).router.routes()
        if route.method != "HEAD"
    }
    assert served == set(described())


async def test_every_described_response_is_given(ask, alice, gateway, monkeypatch, fake_peer):
    for path in ("status", "users", "calls", "scenarios", "events"):
        await ask("GET", path, f"/{path}")
    for user in ("bob", "nobody"):
        await ask("POST", f"users/{user}/token", "/users/{name}/token")
    for user, fault in (("alice", "delay:0"), ("bob", "drop"), ("nobody", "drop"), ("alice", ["drop"])):
        await ask("POST", f"users/{user}/faults", "/users/{name}/faults", fault=fault)
    for name in ("flaky-wifi", "sunshine"):
        for method in ("PUT", "DELETE"):
            await ask(method, f"scenarios/{name}", "/scenarios/{name}")

    call = await ask("POST", "calls", "/calls", **PLACE)
    await ask("POST", "calls", "/calls", user="alice")
    await ask("POST", "calls", "/calls", **PLACE | {"user": "nobody"})
    await ask("POST", "calls", "/calls", **PLACE | {"user": "bob"})
    faults = f"calls/{call['id']}/faults", "/calls/{id}/faults"
    await ask("POST", *faults, fault="move-media")  # it only rings
    await ask("POST", *faults, fault=5)
    await ask("POST", "calls/x/faults", "/calls/{id}/faults", fault="clear")
    call_id = (await alice.expect("telnyx_rtc.invite"))["params"]["callID"]
    await alice.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": call_id})
    await ask("POST", *faults, fault="clear")

    async def fail(_peer, **options):
        raise MediaError("no audio here")

    monkeypatch.setattr(fake_peer, "create_offer", fail)
    await ask("POST", *faults, fault="move-media")
    await ask("POST", "calls", "/calls", **PLACE)
    for _ in range(2):
        await ask("DELETE", f"calls/{call['id']}", "/calls/{id}")
    for method, known in described():
        await ask(method, known.lstrip("/").format(name="alice", id="x"), known, token="wrong")
    for fault in (5, "sunshine", "restart"):
        await ask("POST", "faults", "/faults", fault=fault)
    assert ask.seen == described()


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
