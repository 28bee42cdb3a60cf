"""The version of this package."""

__version__ = "0.1.0"

USER_AGENT = f"Python-{__version__}"
"""How the client introduces itself, after the pattern of Telnyx's SDKs (`Web-2.27.10`, `Android-3.7.0`)."""
