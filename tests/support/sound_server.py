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
        self._rooms: dict[str, tuple[str, subprocess.Popen[bytes]]] = {}

    def add_room(self, name: str) -> None:
        module = self.control("load-module", "module-null-sink", f"sink_name={name}", "rate=48000")
        # A null sink moves sound each 2 s, until somebody wants it sooner; who opens the microphone then waits as long.
        hum = [
            "pacat",
            "--server",
            self.address,
            "--device",
            name,
            "--raw",
            "--rate=48000",
            "--latency-msec=20",
            "/dev/zero",
        ]
        self._rooms[name] = module, subprocess.Popen(hum, stderr=subprocess.DEVNULL)

    def remove_room(self, name: str) -> None:
        module, hum = self._rooms.pop(name)
        hum.terminate()
        hum.wait()
        self.control("unload-module", module)

    def close(self) -> None:
        for name in [*self._rooms]:
            self.remove_room(name)

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
        server.close()
        process.terminate()
        await process.wait()


needs_sound_server = pytest.mark.skipif(PULSEAUDIO is None, reason="no pulseaudio: apt install pulseaudio")
