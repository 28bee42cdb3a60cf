"""Webhooks are signed so that Telnyx's own package verifies them."""

from __future__ import annotations

import builtins
from base64 import b64encode

import pytest
from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.voice_api.signing import TIMESTAMP_HEADER, WebhookKey

BODY = '{"data":{"é":1}}'


def test_signature_is_verified_by_telnyx_own_package() -> None:
    key = WebhookKey.generate()
    verify_webhook_signature(BODY, key.headers(BODY.encode()), key.public_key)


def test_what_was_changed_is_not() -> None:
    key, other = WebhookKey.generate(), WebhookKey.generate()
    headers = key.headers(BODY.encode())
    later = headers | {TIMESTAMP_HEADER: str(int(headers[TIMESTAMP_HEADER]) + 1)}
    for body, given, public in (
        (BODY + " ", headers, key.public_key),
        (BODY, later, key.public_key),
        (BODY, headers, other.public_key),
    ):
        with pytest.raises(WebhookVerificationError):
            verify_webhook_signature(body, given, public)


def test_key_of_ones_own_is_the_same_each_time() -> None:
    text = b64encode(bytes(range(32))).decode()
    assert WebhookKey.parse(text).public_key == WebhookKey.parse(text).public_key
    # RFC 8032, section 7.1, test 1
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert WebhookKey.parse(b64encode(secret).decode()).public_key == b64encode(public).decode()


@pytest.mark.parametrize("text", ["", "short", "é" * 44, b64encode(bytes(31)).decode(), b64encode(bytes(64)).decode()])
def test_key_that_is_none_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigurationError, match="webhook_key: write the 32 bytes") as caught:
        WebhookKey.parse(text)
    assert not text or text not in str(caught.value)


def test_without_cryptography_the_error_is_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return original(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigurationError, match=r"pip install 'telnyx-native\[tls\]'"):
        WebhookKey.generate()
