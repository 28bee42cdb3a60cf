"""Users: how they are reached, and how their secrets are compared."""

from __future__ import annotations

import hmac

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import User
from telnyx_native.gateway.accounts.users import Directory, address_of, same_secret


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


@pytest.mark.parametrize(
    ("given", "known", "same"),
    [("a", "a", True), ("a", "b", False), ("a", "aa", False), ("", "", True), ("é\ud800", "é\ud800", True)],
)
def test_secrets_are_compared(given, known, same):
    assert same_secret(given, known) is same


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
