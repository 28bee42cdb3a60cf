"""Which microphones and loudspeakers there are."""

from __future__ import annotations

from dataclasses import dataclass

from telnyx_native.devices.portaudio import sound_system
from telnyx_native.errors import DeviceError

__all__ = ["SoundDevice", "sound_devices"]


@dataclass(frozen=True)
class SoundDevice:
    """A device as the sound system knows it.

    Attributes:
        name: Its name.
        index: Its number, until devices come or go.
        is_microphone: Whether sound comes from it.
        is_speaker: Whether sound goes to it.
        is_default: Whether it is the one that is taken if none is named.
    """

    name: str
    index: int
    is_microphone: bool
    is_speaker: bool
    is_default: bool


def sound_devices() -> list[SoundDevice]:
    """Return the devices of this machine; it blocks for some 10 ms.

    While a device is in use, here or by streams of the application's own, those that have come meanwhile are missing.

    Raises:
        ConfigurationError: The package `sounddevice` or the library PortAudio is missing.
    """
    system = sound_system()
    known = system.devices()
    defaults = system.default_devices()
    return [
        SoundDevice(
            device["name"],
            index,
            device["max_input_channels"] > 0,
            device["max_output_channels"] > 0,
            index in defaults,
        )
        for index, device in enumerate(known)
    ]


def find_microphone(name: str | None) -> int | None:
    """Return the number of the microphone whose name contains `name`; `None` stands for the default one.

    Raises:
        DeviceError: There is none.
    """
    return _find(name, [device for device in sound_devices() if device.is_microphone], "microphone")


def find_speaker(name: str | None) -> int | None:
    """Return the number of the loudspeaker whose name contains `name`; `None` stands for the default one.

    Raises:
        DeviceError: There is none.
    """
    return _find(name, [device for device in sound_devices() if device.is_speaker], "loudspeaker")


def _find(name: str | None, devices: list[SoundDevice], kind: str) -> int | None:
    if not devices:
        raise DeviceError(f"there is no {kind}: plug one in, and look for it with `telnyx-native devices`")
    if name is None:
        return None
    # The whole name wins over a part of another one.
    for found in [d for d in devices if d.name == name] + [d for d in devices if name.lower() in d.name.lower()]:
        return found.index
    names = ", ".join(repr(device.name) for device in devices)
    raise DeviceError(f"there is no {kind} {name!r}; there are {names}")
