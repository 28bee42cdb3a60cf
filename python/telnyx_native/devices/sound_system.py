"""The sound system, PortAudio by the package sounddevice: its devices, and whether a microphone hears anything."""

from __future__ import annotations

import contextlib
import gc
import threading
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ConfigurationError, DeviceError, ErrorCode
from telnyx_native.event_loop import run_blocking
from telnyx_native.states import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "BLOCK_SECONDS",
    "START_SECONDS",
    "MicrophoneReport",
    "SoundDevice",
    "find_microphone",
    "find_speaker",
    "run_microphone_check",
    "sound_devices",
    "sound_system",
]


BLOCK_SECONDS = 0.01
"""How much a device asks for, or brings, at once: what the media clock does."""

START_SECONDS = 5.0
"""How long a device may take until it moves audio."""


class SoundSystem:
    """PortAudio, which is one for the process.

    It knows the devices that were there when it was started; to see others it is started again, which is possible
    only while no stream is open, neither here nor in the application. The methods block.
    """

    def __init__(self) -> None:
        try:
            import sounddevice
        except ModuleNotFoundError:
            raise ConfigurationError('sound devices need the extra: pip install "telnyx-native[devices]"') from None
        except OSError:
            raise ConfigurationError("sound devices need PortAudio: install libportaudio2 with apt") from None
        self._library = sounddevice
        self._lock = threading.Lock()
        # Kept until they are closed: the library calls into a stream that is open, even if nobody refers to it.
        self._open_streams: set[Any] = set()

    def devices(self) -> list[dict[str, Any]]:
        """Return what PortAudio says of each device, those that have come meanwhile included, if that can be known."""
        with self._lock:
            self._look_again()
            return [dict(device) for device in self._library.query_devices()]

    def default_devices(self) -> tuple[int, int]:
        """Return the numbers of the default microphone and loudspeaker; -1 for none."""
        with self._lock:
            microphone, speaker = self._library.default.device
            host = self._library.query_hostapis(0) if self._library.query_hostapis() else {}
        return (
            microphone if microphone >= 0 else host.get("default_input_device", -1),
            speaker if speaker >= 0 else host.get("default_output_device", -1),
        )

    def open_microphone(self, device: int | None, rate: int, callback: Callable[..., None]) -> Any:
        """Open a stream that brings mono 16-bit samples; not started yet.

        Raises:
            DeviceError: The device is not there, or does not do it.
        """
        return self._open(self._library.RawInputStream, device, rate, callback)

    def open_speaker(self, device: int | None, rate: int, callback: Callable[..., None]) -> Any:
        """Open a stream that takes mono 16-bit samples; not started yet.

        Raises:
            DeviceError: The device is not there, or does not do it.
        """
        return self._open(self._library.RawOutputStream, device, rate, callback)

    def start(self, stream: Any) -> None:
        """Begin to move audio.

        Raises:
            DeviceError: The device does not do it.
        """
        try:
            stream.start()
        except self._library.PortAudioError as error:
            raise DeviceError(
                f"a sound device does not start: {error}", kind=ErrorCode.MEDIA_GET_USER_MEDIA_FAILED
            ) from error

    def close(self, stream: Any) -> None:
        """Close a stream, also one whose device is gone."""
        with self._lock:
            self._open_streams.discard(stream)
            with contextlib.suppress(self._library.PortAudioError):  # what is gone is closed
                stream.close(ignore_errors=True)

    def _open(self, kind: Any, device: int | None, rate: int, callback: Callable[..., None]) -> Any:
        with self._lock:
            self._look_again()
            try:
                stream = kind(
                    samplerate=rate,
                    blocksize=round(rate * BLOCK_SECONDS),
                    device=device,
                    channels=1,
                    dtype="int16",
                    latency="low",
                    callback=callback,
                )
            except (self._library.PortAudioError, ValueError) as error:
                raise DeviceError(
                    f"a sound device cannot be opened: {error}", kind=ErrorCode.MEDIA_GET_USER_MEDIA_FAILED
                ) from error
            self._open_streams.add(stream)
            return stream

    def _look_again(self) -> None:
        if not self._open_streams and not self._application_has_streams():
            # The package has no public way to do it.
            self._library._terminate()  # noqa: SLF001
            self._library._initialize()  # noqa: SLF001

    def _application_has_streams(self) -> bool:
        """Whether the application has streams of its own, which would end; the package does not know them."""
        kinds = self._library.RawInputStream, self._library.RawOutputStream
        # By type: `isinstance` would also ask proxies, which may stand for nothing any more.
        return any(issubclass(type(thing), kinds) and not thing.closed for thing in gc.get_objects())


_systems: list[SoundSystem] = []
_systems_lock = threading.Lock()


def sound_system() -> SoundSystem:
    """Return the sound system, started when it is first wanted.

    Raises:
        ConfigurationError: A package or library is missing.
    """
    with _systems_lock:
        if not _systems:
            _systems.append(SoundSystem())
        return _systems[0]


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


CHECK_RATE = 16_000

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
        samples = await run_blocking(_listen, microphone, duration)
    except DeviceError as error:
        return MicrophoneReport(Verdict.BLOCKED, {"microphone_unavailable": str(error)})
    if not samples:
        return MicrophoneReport(
            Verdict.BLOCKED, {"microphone_dead": "it brings no sound: is it taken by somebody else?"}
        )
    import numpy as np

    levels = np.abs(np.array(samples, np.float64)) / 32_768
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
        if len(heard) >= duration * CHECK_RATE:
            enough.set()

    stream = system.open_microphone(find_microphone(microphone), CHECK_RATE, hear)
    try:
        system.start(stream)
        enough.wait(START_SECONDS + duration)
    finally:
        system.close(stream)
    return heard
