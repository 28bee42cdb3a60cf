"""The version of this package, and of what is linked into it."""

from __future__ import annotations

__all__ = ["USER_AGENT", "__version__", "versions"]

__version__ = "0.1.0"

USER_AGENT = f"Python-{__version__}"
"""How the client introduces itself, after the pattern of Telnyx's SDKs (`Web-2.27.10`, `Android-3.7.0`)."""


def versions() -> dict[str, str]:
    """The versions of this package and of the libraries inside its extension modules.

    A security notice about one of them concerns a program that uses this package, whatever the system has installed.

    Returns:
        ``telnyx-native``, ``openssl``, ``opus`` and ``libsrtp`` with their version numbers, and ``libwebrtc``, which
        has none, with the date of its source (``2022-10-09``).
    """
    from telnyx_native import _webrtc  # loads libwebrtc: not before it is needed

    return {"telnyx-native": __version__, **_webrtc.versions()}
