"""The client: one login, and the calls that go over it."""

from telnyx_native.client.client import TelnyxClient

__all__ = ["TelnyxClient"]
