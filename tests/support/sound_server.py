"""A sound server of its own with virtual devices, as PulseAudio makes them."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.limit import LIMIT

PULSEAUDIO = shutil.which("pulseaudio")
"""The sound server, if this machine has one."""


class SoundServer:
    """A sound server. A room of it is a loudspeaker together with a microphone that hears it."""

    def __init__(self, directory: Path) -> None:
        self.address = f"unix:{directory / 'native'}"
        self._modules: dict[str, str] = {}

    def add_room(self, name: str) -> None:
        self._modules[name] = self.control("load-module", "module-null-sink", f"sink_name={name}", "rate=48000")

    def remove_room(self, name: str) -> None:
        self.control("unload-module", self._modules.pop(name))

    def control(self, *command: str) -> str:
        done = subprocess.run(
            ["pactl", "--server", self.address, *command], capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@asynccontextmanager
async def sound_server(directory: Path) -> AsyncIterator[SoundServer]:
    """Run a sound server without any devices."""
    assert PULSEAUDIO is not None
    server = SoundServer(directory)
    process = await asyncio.create_subprocess_exec(
        PULSEAUDIO,
        "-n",
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--disable-shm=yes",
        f"--load=module-native-protocol-unix auth-anonymous=1 socket={directory / 'native'}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={"HOME": str(directory), "PULSE_RUNTIME_PATH": str(directory)},
    )
    try:
        async with asyncio.timeout(LIMIT):
            while not (directory / "native").exists():
                assert process.returncode is None, "pulseaudio has ended"
                await asyncio.sleep(0.02)
        yield server
    finally:
        process.terminate()
        await process.wait()


needs_sound_server = pytest.mark.skipif(PULSEAUDIO is None, reason="no pulseaudio: apt install pulseaudio")
