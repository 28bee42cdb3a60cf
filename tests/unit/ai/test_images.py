from __future__ import annotations

from base64 import b64decode

import pytest

from telnyx_native.ai.images import image_url
from telnyx_native.errors import ConfigurationError


@pytest.mark.parametrize("address", ["https://x/y.jpg", "http://x/y.jpg", "data:image/png;base64,AA=="])
def test_addresses_stay(address: str) -> None:
    assert image_url(address) == address


@pytest.mark.parametrize(
    ("image", "media_type"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
def test_bytes_become_data_urls(image: bytes, media_type: str) -> None:
    head, _, data = image_url(image).partition(",")
    assert head == f"data:{media_type};base64"
    assert b64decode(data) == image


@pytest.mark.parametrize("image", ["", "file:///etc/passwd", "iVBORw0KGgo=", b"", b"text", b"RIFF\x00\x00\x00\x00WAVE"])
def test_what_is_no_image(image: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match="image"):
        image_url(image)
