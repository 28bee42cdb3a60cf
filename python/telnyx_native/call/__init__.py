"""Calls: what can be done with one, and how it is carried on."""

from telnyx_native.call.call import Call

__all__ = ["Call"]
