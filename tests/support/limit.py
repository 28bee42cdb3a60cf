"""How long a test waits for what must come."""

from __future__ import annotations

LIMIT = 30.0
"""Seconds. Only a test that fails waits that long, so a busy machine may take its time."""
