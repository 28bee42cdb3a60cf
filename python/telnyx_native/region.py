"""The regions in which Telnyx can be reached."""

from __future__ import annotations

from enum import Enum

__all__ = ["Region"]


class Region(Enum):
    """Where to connect; the value goes before the host's name, as in the Telnyx Android and JS SDKs.

    `EU_WEST`, which older documentation of Telnyx names, is the same as `EU`.
    """

    AUTO = ""
    EU = "eu"
    US_CENTRAL = "us-central"
    US_EAST = "us-east"
    US_WEST = "us-west"
    CA_CENTRAL = "ca-central"
    APAC = "apac"
    SOUTH_ASIA = "south-asia"

    EU_WEST = "eu"  # noqa: PIE796 - an alias, meant to be one
