"""Whether a microphone hears anything, before the first call.

Duration, threshold and reasons are those of the Telnyx JS SDK (`runMicrophoneCheck`).
"""

from __future__ import annotations

import threading
from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from telnyx_native.background import in_background
from telnyx_native.devices.sound_system import START_SECONDS, find_microphone, sound_system
from telnyx_native.errors import ConfigurationError, DeviceError
from telnyx_native.verdict import Verdict

__all__ = ["MicrophoneReport", "run_microphone_check"]

RATE = 16_000
FULL_SCALE = 32_768

SILENCE = 0.01
"""The peak level below which nobody has spoken."""


@dataclass(frozen=True)
class MicrophoneReport:
    """What a microphone heard.

    Attributes:
        verdict: READY; DEGRADED for silence; BLOCKED without a microphone that works.
        reasons: Why it is not READY, such as `"microphone_silent"`; with what to do about it.
        level: The mean level, 0 to 1 (root mean square).
        peak: The highest level, 0 to 1.
    """

    verdict: Verdict
    reasons: dict[str, str] = field(default_factory=dict, hash=False)
    level: float = 0.0
    peak: float = 0.0


async def run_microphone_check(microphone: str | None = None, *, duration: float = 2.0) -> MicrophoneReport:
    """Listen to a microphone, and judge. Somebody should speak meanwhile.

    Args:
        microphone: A part of the device's name, see `sound_devices`; the default one without it.
        duration: Seconds to listen, 0.1 to 60.

    Raises:
        ConfigurationError: The duration is out of range; the package `sounddevice` or PortAudio is missing.
    """
    if not 0.1 <= duration <= 60:
        raise ConfigurationError("listen for 0.1 to 60 seconds")
    try:
        samples = await in_background(_listen, microphone, duration)
    except DeviceError as error:
        return MicrophoneReport(Verdict.BLOCKED, {"microphone_unavailable": str(error)})
    if not samples:
        return MicrophoneReport(
            Verdict.BLOCKED, {"microphone_dead": "it brings no sound: is it taken by somebody else?"}
        )
    levels = np.abs(np.array(samples, np.float64)) / FULL_SCALE
    level, peak = float(np.sqrt(np.mean(levels**2))), float(levels.max())
    if peak < SILENCE:
        advice = "nothing is heard: speak, look for its mute switch, or raise its level (alsamixer, pavucontrol)"
        return MicrophoneReport(Verdict.DEGRADED, {"microphone_silent": advice}, level, peak)
    return MicrophoneReport(Verdict.READY, {}, level, peak)


def _listen(microphone: str | None, duration: float) -> array[int]:
    """Return what is heard; on a thread of its own, which PortAudio blocks."""
    system = sound_system()
    heard: array[int] = array("h")

    enough = threading.Event()

    def hear(samples: Any, *_: Any) -> None:
        heard.frombytes(samples)
        if len(heard) >= duration * RATE:
            enough.set()

    stream = system.open_microphone(find_microphone(microphone), RATE, hear)
    try:
        system.start(stream)
        enough.wait(START_SECONDS + duration)
    finally:
        system.close(stream)
    return heard
