"""The key that webhooks are signed with, as Telnyx signs them: Ed25519 over `timestamp|body`."""

from __future__ import annotations

import binascii
import time
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Self

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["SIGNATURE_HEADER", "TIMESTAMP_HEADER", "WebhookKey"]

SIGNATURE_HEADER = "telnyx-signature-ed25519"
TIMESTAMP_HEADER = "telnyx-timestamp"

KEY_SIZE = 32
"""Bytes of a private key (RFC 8032, section 5.1.5)."""


class WebhookKey:
    """A key pair: the private half signs, the public half is shown to whoever verifies.

    Attributes:
        public_key: The public half in base64, as Telnyx's portal shows it.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_key = b64encode(private.public_key().public_bytes_raw()).decode()

    def __repr__(self) -> str:
        return f"<WebhookKey {self.public_key}>"

    @classmethod
    def generate(cls) -> Self:
        """Make a key pair.

        Raises:
            ConfigurationError: The package `cryptography` is not installed.
        """
        return cls(_ed25519().generate())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take a private key: its 32 bytes in base64.

        Raises:
            ConfigurationError: It is none, or the package `cryptography` is not installed.
        """
        try:
            key = b64decode(str.__str__(text), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_SIZE:
            raise ConfigurationError(
                f"webhook_key: write the {KEY_SIZE} bytes of an Ed25519 private key in base64, as "
                f"`openssl rand -base64 {KEY_SIZE}` makes one"
            )
        return cls(_ed25519().from_private_bytes(key))

    def headers(self, body: bytes) -> dict[str, str]:
        """Return the headers that prove a body, from now on and for as long as its receiver takes old ones."""
        timestamp = str(int(time.time()))
        signature = self._private.sign(timestamp.encode() + b"|" + body)
        return {SIGNATURE_HEADER: b64encode(signature).decode(), TIMESTAMP_HEADER: timestamp}


def _ed25519() -> type[Ed25519PrivateKey]:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as error:
        raise ConfigurationError(
            "signing webhooks needs the package cryptography: pip install 'telnyx-native[tls]'"
        ) from error
    return Ed25519PrivateKey
