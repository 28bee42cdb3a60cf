"""Which pages may use the gateway: a page anywhere in the world can make its visitor's browser connect to it."""

from __future__ import annotations

from http import HTTPStatus

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import Gateway, User
from telnyx_native.gateway.web.port import Origins

OWN = "127.0.0.1:8899"

OF_THIS_MACHINE = [
    "http://localhost:5173",
    "https://localhost",
    "http://LOCALHOST:1",
    "http://app.localhost:3000",
    "http://127.0.0.1:8000",
    "http://127.8.9.1:8000",
    "http://[::1]:8000",
    "http://[::ffff:127.0.0.1]:8000",
]

FOREIGN = [
    "null",
    "",
    "https://evil.example",
    "https://localhost.evil.example",
    "http://127.0.0.1.evil.example:8899",
    "http://evil.example:8899",
    "http://192.0.2.7:8899",
    "http://127.0.0.1@evil.example",
    "http://evil.example#http://localhost",
    "http://localhost:5173, http://evil.example",
    "file://",
    "javascript://localhost",
    "chrome-extension://abcdef",
    "http://localhost:5173/path",
    "http://[::1",
    "http://\x00localhost",
]


@pytest.mark.parametrize("origin", OF_THIS_MACHINE)
def test_pages_of_this_machine_come_in(origin):
    assert Origins().refusal([OWN], [origin]) is None


@pytest.mark.parametrize("origin", FOREIGN)
def test_pages_of_elsewhere_do_not(origin):
    assert "origin" in Origins().refusal([OWN], [origin])


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("192.0.2.7:8899", "http://192.0.2.7:8899"),
        ("192.0.2.7", "http://192.0.2.7:80"),
        ("gw.example:443", "https://GW.example"),
        ("[2001:db8::7]:8899", "http://[2001:db8::7]:8899"),
        ("10.0.2.2:8899", "ws://10.0.2.2:8899"),
    ],
)
def test_its_own_pages_come_in(host, origin):
    """React Native makes an origin of the address that it connects to."""
    assert Origins(names=["gw.example"]).refusal([host], [origin]) is None


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8899", "localhost", "LocalHost:1", "localhost.:8899", "[::1]:8899", "192.0.2.7", "[fe80::1%eth0]:8899"],
)
def test_names_of_the_gateway(host):
    assert Origins().refusal([host], []) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example:8899", "localhost.evil.example", "127.0.0.1.evil.example", "a@127.0.0.1", "127.0.0.1/x", "[", "x"],
)
def test_names_that_somebody_else_lets_point_here(host):
    assert "name" in Origins().refusal([host], [])
    assert Origins().refusal([host], [f"http://{host}"]) is not None


def test_what_is_let_in_by_option():
    origins = Origins(("https://App.example.com", "null"), ("GW.example.com",))
    for origin in ("https://app.example.com", "null"):
        assert origins.refusal(["gw.example.com:8899"], [origin]) is None
    assert origins.refusal([OWN], ["https://app.example.com.evil.example"]) is not None
    assert origins.refusal([OWN], ["https://app.example.com:444"]) is not None


def test_who_is_no_browser_says_neither():
    assert Origins().refusal([], []) is None
    assert Origins().refusal([OWN, "evil.example"], []) is not None
    assert Origins().refusal([OWN], ["http://localhost", "http://evil.example"]) is not None


@pytest.mark.parametrize("wrong", [{"allowed": ["app.example.com"]}, {"allowed": ["*"]}, {"names": ["http://x"]}])
def test_options_that_make_no_sense(wrong):
    with pytest.raises(ConfigurationError, match="write one like"):
        Origins(**wrong)


async def refused(gateway, **headers):
    try:
        async with connect(gateway.url, additional_headers=headers):
            return False
    except InvalidStatus as refusal:
        return refusal.response.status_code == HTTPStatus.FORBIDDEN


async def test_sockets_of_foreign_pages_are_not_opened(gateway):
    assert await refused(gateway, Origin="https://evil.example")
    assert not await refused(gateway, Origin="http://localhost:5173")
    assert gateway.counters.refused_origins == 1
    assert gateway.counters.connections == 1, "a foreign page has no session, not for a moment"


async def test_programs_may_know_the_gateway_under_any_name(gateway):
    """A container's, say; a page that lets its own name point here has an origin."""
    assert not await refused(gateway, Host="gateway:8899")
    assert await refused(gateway, Host="evil.example:8899", Origin="http://evil.example:8899")


async def test_requests_of_foreign_pages_are_not_answered(gateway):
    url = gateway.url.replace("ws:", "http:")
    token = {"Authorization": f"Bearer {gateway.control_token}"}
    async with aiohttp.ClientSession(headers=token) as http:
        for path in ("/", "/api/status", "/call_report", "/console/main.js", "/nothing"):
            for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
                async with http.get(url + path, headers=headers) as response:
                    assert response.status == HTTPStatus.FORBIDDEN
                    assert "Access-Control-Allow-Origin" not in response.headers
        async with http.get(url + "/api/status", headers={"Origin": "http://127.0.0.1:5173"}) as response:
            assert response.status == HTTPStatus.OK
    assert gateway.counters.refused_origins == 10


async def test_the_options_of_a_gateway(peers):
    users = [User("alice", "secret")]
    async with Gateway(users, origins=["https://app.example.com"], names=["gw.example.com"]) as gateway:
        assert not await refused(gateway, Origin="https://app.example.com")
        url = gateway.url.replace("ws:", "http:")
        async with aiohttp.ClientSession() as http, http.get(url, headers={"Host": "gw.example.com"}) as response:
            assert response.status == HTTPStatus.OK
    with pytest.raises(ConfigurationError):
        Gateway(users, origins=["everybody"])
