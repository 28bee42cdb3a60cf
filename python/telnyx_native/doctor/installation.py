"""Whether the package is whole, and its native part works here."""

from __future__ import annotations

import asyncio
import platform
import sys

from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.doctor.finding import Cause, Finding, Status
from telnyx_native.errors import TelnyxError
from telnyx_native.version import versions

__all__ = ["check_installation"]

LIMIT = 5.0
"""Seconds that the media engine may take to describe a call."""


async def check_installation() -> list[Finding]:
    """Look at the versions, and let the media engine describe a call."""
    try:
        inside = ", ".join(f"{name} {version}" for name, version in versions().items())
    except ImportError as error:
        advice = "install it anew: pip install --force-reinstall telnyx-native; see docs/wheels.md for what it needs"
        return [Finding("versions", Status.FAILED, str(error), Cause.BROKEN_INSTALLATION, advice)]
    system = f"Python {platform.python_version()}, {sys.platform} {platform.machine()}, {' '.join(platform.libc_ver())}"
    return [Finding("versions", Status.OK, f"{inside}; {system}"), await _check_engine()]


async def _check_engine() -> Finding:
    from telnyx_native.media.engine import MediaEngine

    engine = MediaEngine.acquire()
    try:
        peer = engine.create_peer(PeerConfig(loopback=True), AudioConfig())
        async with asyncio.timeout(LIMIT):
            offer = await peer.create_offer()
            await peer.close()
    except (TelnyxError, TimeoutError) as error:
        detail = f"the media engine does not work: {error or f'no answer within {LIMIT:g} s'}"
        advice = "report this, with the output of `telnyx-native doctor --json`"
        return Finding("media engine", Status.FAILED, detail, Cause.BROKEN_INSTALLATION, advice)
    finally:
        await engine.release()
    codecs = [name for name in ("opus", "G722", "PCMU", "PCMA", "telephone-event") if f" {name}/" in offer]
    return Finding("media engine", Status.OK, f"works; {', '.join(codecs)}")
