"""Users: how they are reached, and how their secrets are compared."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.config import TokenConfig
from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import Gateway, User
from telnyx_native.gateway.accounts.users import Directory, TokenMint, address_of


@pytest.mark.parametrize(
    ("destination", "address"),
    [
        ("echo", "echo"),
        (" echo ", "echo"),
        ("sip:echo@example.com", "echo"),
        ("SIPS:+15550100@host;transport=tls", "+15550100"),
        ("sip:", ""),
        ("tone:440", "tone:440"),
        ("", ""),
        # RFC 3261, section 19.1.4, and RFC 3966, section 5.1.1
        ("sip:%2B15550100@sip.telnyx.com", "+15550100"),
        ("sip:+1-555-0100@host;user=phone", "+15550100"),
        ("sip:%61lice@host", "alice"),
        ("tel:+15550100", "+15550100"),
        ("TEL:+1-555-0100;ext=7", "+15550100"),
        ('"Alice" <sip:%2B15550100@host>;tag=1', "+15550100"),
        ("<tel:+15550100>", "+15550100"),
        # what people paste
        ("+1 (555) 0100", "+15550100"),
        ("+1.555.0100", "+15550100"),
        ("555/0100", "5550100"),
        ("\u202a+1\u00a0555\u20110100\u202c", "+15550100"),
        ("*21#", "*21#"),
        # what is no number stays
        ("sales-team (north)", "sales-team (north)"),
        ("file:music/a-b.wav", "file:music/a-b.wav"),
        ("1-2", "1-2"),
        ("+1 555 EXTRA", "+1 555 EXTRA"),
        ("sip:%1b[31m%00@host", "%1b[31m%00"),
    ],
)
def test_address_of_a_destination(destination, address):
    assert address_of(destination) == address


@pytest.mark.parametrize(
    "users",
    [
        [User("a", "x"), User("a", "y")],
        [User("a", "x", "+1"), User("b", "y", "+1")],
        [User("a", "x"), User("b", "y", "a")],
    ],
)
def test_users_must_be_told_apart(users):
    with pytest.raises(ConfigurationError):
        Directory(users)


@pytest.mark.parametrize(("name", "password"), [("", "x"), ("x", "")])
def test_user_needs_name_and_password(name, password):
    with pytest.raises(ConfigurationError):
        User(name, password)


@pytest.mark.parametrize("name", ["alice", "nobody", None, 7])
@pytest.mark.parametrize("password", ["secret!", "s", "", None, 7])
def test_every_login_is_compared_in_the_same_way(monkeypatch, name, password):
    """Whether there is such a user, and how alike the password is, does not show in the time it takes."""
    compared = []

    def compare(one, other):
        compared.append((len(one), len(other)))
        return original(one, other)

    original = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert Directory([User("alice", "secret")]).authenticate(name, password) is None
    assert compared == [(64, 64)]


def test_an_unknown_user_without_a_password_is_nobody():
    assert Directory([]).authenticate("", "") is None


def forge(token, *, part=1, **changes):
    """The token with other claims (or another header), and the old signature."""
    parts = token.split(".")
    old = json.loads(urlsafe_b64decode(parts[part] + "=="))
    parts[part] = urlsafe_b64encode(json.dumps(old | changes).encode()).rstrip(b"=").decode()
    return ".".join(parts)


def test_own_tokens_are_known():
    mint = TokenMint("key")
    token = mint.mint("alice", 60)
    assert mint.user_of(token) == "alice"
    assert TokenMint("key").user_of(token) == "alice"
    assert TokenMint("other").user_of(token) is None
    assert TokenMint().user_of(token) is None


def test_clients_can_read_the_expiry():
    token = TokenMint().mint("alice", 60)
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    assert TokenConfig(token).expires_at == datetime.fromtimestamp(claims["exp"], UTC)
    assert (claims["aud"], claims["typ"]) == ("telnyx_telephony", "access")


def test_expired():
    mint = TokenMint()
    assert mint.user_of(mint.mint("alice", -1)) is None


@pytest.mark.parametrize(
    "forged",
    [
        lambda token: forge(token, sub="bob"),
        lambda token: forge(token, exp=10**12),
        lambda token: forge(token, part=0, alg="none"),
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token[:-1],
        lambda token: token + "=",
        lambda token: f".{token}",
        lambda token: "x" * 10_000,
    ],
)
def test_forged(forged):
    mint = TokenMint()
    assert mint.user_of(forged(mint.mint("alice", 60))) is None


@given(st.text())
def test_no_text_is_too_odd(text):
    mint = TokenMint("key")
    assert mint.user_of(text) is None
    assert mint.user_of(f"{text}.{mint._sign(text)}" if text.isascii() else text) is None


def test_tokens_of_users():
    mint = TokenMint()
    directory = Directory([User("alice", "p", token="fixed"), User("bob", "p")], mint)
    assert directory.authenticate_token("fixed").name == "alice"
    assert directory.authenticate_token(mint.mint("bob", 60)).name == "bob"
    for token in ("", None, 7, "other", mint.mint("gone", 60), mint.mint("", 60)):
        assert directory.authenticate_token(token) is None
    assert "fixed" not in repr(list(directory))


def test_only_users_get_tokens():
    gateway = Gateway([User("alice", "p", "+1")])
    assert gateway.mint_token("alice")
    for nobody in ("bob", "+1", ""):
        with pytest.raises(ConfigurationError, match="no user"):
            gateway.mint_token(nobody)


async def test_login(client, gateway):
    answer = await client.ask("login", login_token=gateway.mint_token("bob", 60))
    assert answer["result"]["message"] == "logged in"
    assert (await client.expect("telnyx_rtc.clientReady"))["params"] == {"reattached_sessions": []}
    assert [connection.user_name for connection in gateway.connections] == ["bob"]


@pytest.mark.parametrize("token", ["nonsense", 7, ["x"], {"a": 1}])
async def test_refused_login(client, gateway, token):
    answer = await client.ask("login", login_token=token)
    assert answer["error"] == {"code": -32001, "message": "Login Incorrect"}
    assert gateway.counters.failed_logins == 1


async def test_expired_login(client, gateway):
    answer = await client.ask("login", login_token=gateway.mint_token("bob", -1))
    assert answer["error"]["code"] == -32001


def test_a_clock_that_is_set_ends_no_token(monkeypatch):
    mint = TokenMint()
    token = mint.mint("bob", 3600)
    mint.expire("alice")
    for jump in (10_000_000, -20_000_000):
        now = time.time()
        monkeypatch.setattr(time, "time", lambda later=now + jump: later)
        assert mint.user_of(token) == "bob"
        assert mint.user_of(mint.mint("alice", 3600)) == "alice", "made after the others were expired"


async def test_token_is_in_no_log(client, gateway, caplog):
    caplog.set_level("DEBUG", logger="telnyx_native")
    token = gateway.mint_token("alice")
    await client.ask("login", login_token=token)
    assert '"login_token":"***"' in caplog.text
    assert not [r for r in caplog.records if r.name.startswith("telnyx_native") and token in r.getMessage()]
