"""Whether the package is whole here, and this machine has a microphone and a loudspeaker."""

from __future__ import annotations

import asyncio
import grp
import os
import platform
import sys
from pathlib import Path

from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.doctor.diagnosis import Cause, Finding, Status
from telnyx_native.errors import ConfigurationError, TelnyxError
from telnyx_native.event_loop import run_blocking
from telnyx_native.states import Verdict
from telnyx_native.version import versions

__all__ = ["check_installation", "check_sound"]


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


DEVICE_FILES = Path("/dev/snd")
"""Where Linux has its sound devices (ALSA)."""


async def check_sound(*, needed: bool, device_files: Path = DEVICE_FILES) -> list[Finding]:
    """Look for devices, and listen to the microphone if sound is needed.

    Args:
        needed: Whether this machine is to have a microphone and a loudspeaker; a bot needs none.
        device_files: Where the devices are.
    """
    from telnyx_native.devices.sound_system import sound_devices

    bad = Status.FAILED if needed else Status.SKIPPED
    try:
        found = await run_blocking(sound_devices)
    except ConfigurationError as error:
        return [Finding("sound", bad, str(error), Cause.SOUND_SYSTEM_MISSING)]
    microphones = [device.name for device in found if device.is_microphone]
    speakers = [device.name for device in found if device.is_speaker]
    if microphones and speakers:
        names = f"{len(microphones)} microphones, {len(speakers)} loudspeakers"
        return [Finding("sound", Status.OK, names), *([await _listen()] if needed else [])]
    locked = _locked(device_files)
    if locked is not None:
        user = os.environ.get("SUDO_USER") or os.environ.get("USER") or "USER"
        group = _group_of(locked)
        advice = f"add the user to the group: sudo usermod -aG {group} {user}, and log in again"
        detail = f"this user may not open {locked}"
        return [Finding("sound", bad, detail, Cause.NO_PERMISSION, advice)]
    missing = " and no ".join(
        name for name, some in (("microphone", microphones), ("loudspeaker", speakers)) if not some
    )
    advice = "plug one in, and look for it with `telnyx-native devices`; a program that makes its own audio needs none"
    return [Finding("sound", bad, f"there is no {missing}", Cause.NO_DEVICE, advice)]


def _locked(device_files: Path) -> Path | None:
    """The first device that this user may not open."""
    try:
        files = sorted(device_files.glob("pcm*"))
    except PermissionError:
        return device_files
    return next((file for file in files if not os.access(file, os.R_OK | os.W_OK)), None)


def _group_of(file: Path) -> str:
    try:
        return grp.getgrgid(file.stat().st_gid).gr_name
    except (KeyError, OSError):
        return "audio"


async def _listen() -> Finding:
    from telnyx_native.devices.sound_system import run_microphone_check

    report = await run_microphone_check()
    advice = "; ".join(report.reasons.values())
    match report.verdict:
        case Verdict.READY:
            return Finding("microphone", Status.OK, f"hears something, up to {report.peak:.0%}")
        case Verdict.DEGRADED:
            return Finding("microphone", Status.WARNING, "hears nothing", Cause.MICROPHONE_SILENT, advice)
        case _:
            return Finding("microphone", Status.FAILED, "does not work", Cause.NO_DEVICE, advice)
