"""Microphones and loudspeakers of this machine (extra `[devices]`)."""

from telnyx_native.devices.handset import Handset, HandsetCounters, HandsetState, Loudspeaker
from telnyx_native.devices.sound_system import MicrophoneReport, SoundDevice, run_microphone_check, sound_devices

__all__ = [
    "Handset",
    "HandsetCounters",
    "HandsetState",
    "Loudspeaker",
    "MicrophoneReport",
    "SoundDevice",
    "run_microphone_check",
    "sound_devices",
]
