"""The shapes in which secrets travel."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.redaction import Secret, mask, redact, same_secret

SECRET = "hunter2-ABC.def"


@dataclass(frozen=True)
class Holder:
    password: Secret


SHOWN = [
    repr,
    str,
    "{}".format,
    "{!r}".format,
    "{:>40}".format,
    lambda secret: f"{secret} {secret!s} {secret!r}",
    lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - as loggers do it
    lambda secret: repr([secret, {"a": secret}]),
    lambda secret: repr(Holder(secret)),
    lambda secret: repr(asdict(Holder(secret))),
    lambda secret: repr(copy.deepcopy(Holder(secret))),
    lambda secret: repr(pickle.loads(pickle.dumps(secret))),
    lambda secret: repr(ValueError(secret)),
]


@pytest.mark.parametrize("show", SHOWN)
def test_a_secret_shows_itself_to_nobody(show: object) -> None:
    assert SECRET not in show(Secret(SECRET))  # type: ignore[operator]


def test_a_secret_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("x").warning("%s %r", Secret(SECRET), Secret(SECRET))
    assert SECRET not in caplog.text


def test_a_secret_is_used_as_what_it_is() -> None:
    secret = Secret(SECRET)
    assert (secret, hash(secret), len(secret)) == (SECRET, hash(SECRET), len(SECRET))
    assert json.dumps({"passwd": secret}) == json.dumps({"passwd": SECRET})
    assert urlencode({"token": secret.reveal()}) == f"token={SECRET}"
    assert secret.encode() == SECRET.encode()
    assert Secret(secret) == SECRET
    assert type(secret.reveal()) is str
    assert secret.reveal() == SECRET


NAMES = [
    "passwd",
    "password",
    "sip_password",
    "sipPassword",
    "login_token",
    "access_token",
    "api_key",
    "api-key",
    "apiKey",
    "client_secret",
    "Authorization",
    "credential",
    "push_device_token",
    "dtmf",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shape",
    [
        lambda name: json.dumps({"params": {name: SECRET, "b": 1}}),
        lambda name: json.dumps({"a": [json.dumps({"deep": json.dumps({name: SECRET})})]}),
        lambda name: json.dumps({name: [SECRET]}),
        lambda name: json.dumps({name: SECRET})[:-4],
        lambda name: json.dumps({"a": json.dumps({name: f'x"{SECRET}'})})[:-2],
        lambda name: f"log: {json.dumps({name: SECRET})} and more",
        lambda name: f"log: {json.dumps(json.dumps({name: SECRET}))} and more",
        lambda name: repr({name: SECRET, "b": 1}),
        lambda name: repr({"a": {name: "it's " + SECRET}}),
        lambda name: f"Config({name.replace('-', '_')}='{SECRET}', b=1)",
        lambda name: f"https://host/path?a=1&{name}={SECRET}&b=2",
        lambda name: f"?{name}={SECRET}",
        lambda name: f"{name}={SECRET}; b=1",
    ],
)
def test_what_is_named_like_a_secret_is_masked(name: str, shape: object) -> None:
    text = shape(name)  # type: ignore[operator]
    assert SECRET not in redact(text)
    assert SECRET not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        f"cannot connect to http://user:{SECRET}@proxy:3128/: refused",
        f"'wss://{SECRET}@host' is no address",
        f"authorization: Bearer {SECRET}",
        f"headers were Basic {SECRET}==",
        f"v=0\r\na=ice-pwd:{SECRET}\r\n",
        json.dumps({"sdp": f"v=0\r\na=ice-pwd:{SECRET}\r\n"}),
    ],
)
def test_other_shapes(text: str) -> None:
    assert SECRET not in redact(text)
    assert SECRET not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "call C1 ended: NORMAL_CLEARING 16",
        "wss://rtc.telnyx.com did not answer within 10 s",
        "the login token expired at 2026-01-01T00:00:00Z; create a new one",
        "check user and password",
        '{"method":"telnyx_rtc.ping","params":{"serno":12}}',
    ],
)
def test_the_rest_stays_readable(text: str) -> None:
    assert redact(text) == text
    assert mask(text) == text


def test_a_frame_has_no_control_characters() -> None:
    assert redact("junk \x1b[2J\x9b \ud800") == "junk \ufffd[2J\ufffd \ufffd"


@given(st.text(alphabet="a.-:/@=?&'\"\\{}[] \n", max_size=400))
def test_masking_any_text_ends(text: str) -> None:
    mask(text)
    mask(200 * text)


@pytest.mark.timed
@pytest.mark.parametrize(
    "text",
    [
        "pass" + "\\" * 100_000,
        "'password':'" + "\\" * 100_000,
        '\\"password\\":\\"' * 10_000,
        "password=" * 10_000,
        '"password"' + " " * 100_000,
        "a://" * 25_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Whoever sends it: what is searched for secrets comes off the wire, and Python's `re` lets nothing else run."""
    begun = time.monotonic()
    mask(text)
    assert time.monotonic() - begun < 2, "a run of backslashes took time that grew with its square"


@pytest.mark.parametrize(
    ("given", "known", "same"),
    [("a", "a", True), ("a", "b", False), ("a", "aa", False), ("", "", True), ("é\ud800", "é\ud800", True)],
)
def test_secrets_are_compared(given: str, known: str, same: bool) -> None:
    assert same_secret(given, known) is same
