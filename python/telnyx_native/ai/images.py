"""Images for an assistant: where they are, or what they are."""

from __future__ import annotations

from base64 import b64encode

from telnyx_native.errors import ConfigurationError

__all__ = ["image_url"]

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
)


def image_url(image: str | bytes) -> str:
    """Return how an image is named on the wire.

    Args:
        image: Its address (`https://…`), a data URL, or the bytes of a JPEG, PNG, GIF or WebP file.

    Raises:
        ConfigurationError: It is none of these.
    """
    if isinstance(image, bytes):
        return f"data:{_media_type(image)};base64,{b64encode(image).decode()}"
    if image.startswith(("https://", "http://", "data:image/")):
        return image
    raise ConfigurationError("an image is an address such as https://…, a data URL, or the bytes of an image file")


def _media_type(image: bytes) -> str:
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "image/webp"
    for signature, media_type in _SIGNATURES:
        if image.startswith(signature):
            return media_type
    raise ConfigurationError("the bytes of the image are no JPEG, PNG, GIF or WebP file")
