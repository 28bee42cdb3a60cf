"""The HTTP API of a gateway."""

from __future__ import annotations

import asyncio
import hmac
import json
from http import HTTPStatus

import aiohttp
import pytest
from openapi_spec_validator import validate
from yarl import URL

from support.api_description import DESCRIPTION, check, described
from support.limit import LIMIT
from telnyx_native.errors import MediaError
from telnyx_native.gateway import Gateway
from telnyx_native.gateway.web.api import make_api
from telnyx_native.gateway.web.site import CONSOLE


@pytest.fixture
async def api(gateway):
    headers = {"Authorization": f"Bearer {gateway.control_token}"}
    async with aiohttp.ClientSession(gateway.url.replace("ws:", "http:") + "/api/", headers=headers) as http:
        yield http


async def ask(api, method, path, status=HTTPStatus.OK, **body):
    async with api.request(method, path, json=body or None) as response:
        assert response.status == status, await response.text()
        return await response.json()


@pytest.mark.parametrize("path", ["status", "users", "calls", "events"])
@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer wrong", "Basic YTpi", "Bearer é"])
async def test_nobody_gets_in_without_the_token(gateway, path, authorization):
    headers = {"Authorization": authorization} if authorization else {}
    async with aiohttp.ClientSession() as http:
        url = gateway.url.replace("ws:", "http:") + f"/api/{path}"
        async with http.get(url, headers=headers) as response:
            assert response.status == HTTPStatus.UNAUTHORIZED
            assert "token" in (await response.json())["error"]


async def test_users_and_who_is_logged_in(api, alice):
    assert await ask(api, "GET", "users") == [
        {"name": "alice", "number": "+15550100", "connections": 1},
        {"name": "bob", "number": "+15550101", "connections": 0},
    ]


async def test_applications(gateway, api):
    url = "http://user:s3cret@127.0.0.1:1/?token=s3cret"
    shown = await ask(api, "PUT", "applications/support", webhook_url=url, numbers=["+15550200"])
    assert shown["public_key"] == gateway.public_key
    assert "s3cret" not in json.dumps(shown)
    (application,) = gateway.applications
    assert (application.name, application.webhook_url, application.numbers) == ("support", url, ["+15550200"])
    taken = await ask(api, "PUT", "applications/other", HTTPStatus.BAD_REQUEST, webhook_url=url, numbers=["+15550200"])
    assert "is a number of 'support'" in taken["error"]
    await ask(api, "PUT", "applications/support", HTTPStatus.BAD_REQUEST, webhook_url=url, numbers=["alice"])
    assert gateway.applications == (application,), "what fails changes nothing"
    await ask(api, "PUT", "applications/support", webhook_url="http://127.0.0.1:2/")
    assert [each.numbers for each in gateway.applications] == [[]]
    assert (await ask(api, "GET", "applications"))["applications"][0]["name"] == "support"
    assert (await ask(api, "DELETE", "applications/support"))["applications"] == []


async def test_without_the_voice_api_there_are_no_applications():
    async with Gateway() as gateway, aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {gateway.control_token}"}
        async with http.get(gateway.url.replace("ws:", "http:") + "/api/applications", headers=headers) as response:
            assert response.status == HTTPStatus.NOT_FOUND


async def test_status(api, alice):
    status = await ask(api, "GET", "status")
    assert status["counters"]["logins"] == 1
    assert {"echo", "tone", "assistant"} <= set(status["destinations"])


async def test_a_login_token_logs_in(api, client):
    token = (await ask(api, "POST", "users/bob/token", HTTPStatus.CREATED))["login_token"]
    assert "result" in await client.ask("login", login_token=token)
    await ask(api, "POST", "users/nobody/token", HTTPStatus.NOT_FOUND)


async def test_place_list_and_end_a_call(api, alice, gateway):
    placed = await ask(api, "POST", "calls", HTTPStatus.CREATED, user="alice", **{"from": "+15550199"}, name="Shop")
    invite = (await alice.expect("telnyx_rtc.invite"))["params"]
    assert (invite["caller_id_number"], invite["caller_id_name"]) == ("+15550199", "Shop")
    assert invite["telnyx_leg_id"] == placed["id"]
    (call,) = await ask(api, "GET", "calls")
    assert (call["state"], call["direction"], call["user"]) == ("ringing", "inbound", "alice")
    assert (await ask(api, "DELETE", f"calls/{call['id']}"))["reason"]["cause"] == "NORMAL_CLEARING"
    assert (await alice.expect("telnyx_rtc.bye"))["params"]["callID"] == invite["callID"]
    assert await ask(api, "GET", "calls") == []
    await ask(api, "DELETE", f"calls/{call['id']}", HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": "bob", "from": "+1"}, HTTPStatus.CONFLICT),
        ({"user": "nobody", "from": "+1"}, HTTPStatus.NOT_FOUND),
        ({"user": "bob"}, HTTPStatus.BAD_REQUEST),
        ({"user": ["bob"], "from": "+1"}, HTTPStatus.BAD_REQUEST),
    ],
)
async def test_calls_that_cannot_be_placed(api, body, status):
    assert (await ask(api, "POST", "calls", status, **body))["error"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 30_000, b"x" * 100_000])
async def test_a_body_that_makes_no_sense(api, body):
    async with api.post("calls", data=body) as response:
        assert HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR
        assert (await response.json())["error"]


async def records(response):
    """The events of a stream, as kind and data."""
    kind = None
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


async def find(stream, wanted_kind, **details):
    async with asyncio.timeout(LIMIT):
        async for kind, data in stream:
            if kind == wanted_kind and details.items() <= data.items():
                return data
    raise AssertionError(f"the stream ended without {wanted_kind} {details}")


async def test_events(api, gateway, client):
    async with api.get("events") as response:
        assert response.content_type == "text/event-stream"
        stream = records(response)
        snapshot = await find(stream, "snapshot")
        assert [user["name"] for user in snapshot["users"]] == ["alice", "bob"]
        await client.login()
        message = await find(stream, "message", sent=False)
        assert '"method":"login"' in message["text"]
        assert "secret" not in message["text"]
        await find(stream, "user", user="alice", present=True)
        await client.place("noanswer")
        begun = await find(stream, "call", user="alice", direction="outbound")
        await client.ask("telnyx_rtc.modify", action="hold", dialogParams={"callID": begun["call_id"]})
        assert (await find(stream, "call", id=begun["id"], held=True))["begun"] <= message["time"] + LIMIT
        await client.ask("telnyx_rtc.bye", dialogParams={"callID": begun["call_id"]})
        ended = await find(stream, "call", id=begun["id"], state="ended")
        assert ended["reason"]["cause"] == "ORIGINATOR_CANCEL"
        await client.socket.close()
        await find(stream, "user", user="alice", present=False)
        await gateway.close()
        async with asyncio.timeout(LIMIT):
            async for _ in stream:
                pass


@pytest.mark.parametrize("file", sorted(CONSOLE.iterdir()), ids=lambda file: file.name)
async def test_the_console_is_served(gateway, file):
    url = gateway.url.replace("ws:", "http:")
    async with aiohttp.ClientSession() as http, http.get(f"{url}/console/{file.name}") as response:
        assert response.status == HTTPStatus.OK
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        assert await response.read() == file.read_bytes()
    assert "http://" not in file.read_text().replace("http://www.w3.org/", "")


@pytest.mark.parametrize("path", ["/console/..%2f..%2fversion.py", "/console/../prompt.flac", "/console/"])
async def test_nothing_else_is_served(gateway, path):
    url = URL(gateway.url.replace("ws:", "http:") + path, encoded=True)
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


async def test_the_control_token_is_compared_in_the_same_way(gateway, monkeypatch):
    compared = []
    original = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda *both: compared.append(both) or original(*both))
    url = gateway.url.replace("ws:", "http:") + "/api/users"
    async with aiohttp.ClientSession() as http:
        for token in ("x", gateway.control_token[:-1], gateway.control_token):
            async with http.get(url, headers={"Authorization": f"Bearer {token}"}) as response:
                assert (response.status == HTTPStatus.OK) is (token == gateway.control_token)
    assert {len(each) for both in compared for each in both} == {64}


PLACE = {"user": "alice", "from": "+15550199"}


@pytest.fixture
async def ask_checked(gateway):
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


async def test_every_described_response_is_given(ask_checked, alice, gateway, monkeypatch, fake_peer):
    for path in ("status", "users", "applications", "calls", "scenarios", "events"):
        await ask_checked("GET", path, f"/{path}")
    for user in ("bob", "nobody"):
        await ask_checked("POST", f"users/{user}/token", "/users/{name}/token")
    for user, fault in (("alice", "delay:0"), ("bob", "drop"), ("nobody", "drop"), ("alice", ["drop"])):
        await ask_checked("POST", f"users/{user}/faults", "/users/{name}/faults", fault=fault)
    for name in ("flaky-wifi", "sunshine"):
        for method in ("PUT", "DELETE"):
            await ask_checked(method, f"scenarios/{name}", "/scenarios/{name}")

    application = "applications/support", "/applications/{name}"
    for body in ({"webhook_url": "x"}, {"webhook_url": 5}, {"numbers": "+1"}, {"webhook_url": "http://127.0.0.1:1/"}):
        await ask_checked("PUT", *application, **body)
    for _ in range(2):
        await ask_checked("DELETE", *application)

    call = await ask_checked("POST", "calls", "/calls", **PLACE)
    await ask_checked("POST", "calls", "/calls", user="alice")
    await ask_checked("POST", "calls", "/calls", **PLACE | {"user": "nobody"})
    await ask_checked("POST", "calls", "/calls", **PLACE | {"user": "bob"})
    faults = f"calls/{call['id']}/faults", "/calls/{id}/faults"
    await ask_checked("POST", *faults, fault="move-media")  # it only rings
    await ask_checked("POST", *faults, fault=5)
    await ask_checked("POST", "calls/x/faults", "/calls/{id}/faults", fault="clear")
    call_id = (await alice.expect("telnyx_rtc.invite"))["params"]["callID"]
    await alice.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": call_id})
    await ask_checked("POST", *faults, fault="clear")

    async def fail(_peer, **options):
        raise MediaError("no audio here")

    monkeypatch.setattr(fake_peer, "create_offer", fail)
    await ask_checked("POST", *faults, fault="move-media")
    await ask_checked("POST", "calls", "/calls", **PLACE)
    for _ in range(2):
        await ask_checked("DELETE", f"calls/{call['id']}", "/calls/{id}")
    for method, known in described():
        await ask_checked(method, known.lstrip("/").format(name="alice", id="x"), known, token="wrong")
    for fault in (5, "sunshine", "restart"):
        await ask_checked("POST", "faults", "/faults", fault=fault)
    assert ask_checked.seen == described()


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
