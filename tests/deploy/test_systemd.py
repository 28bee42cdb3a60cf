"""The unit of systemd: systemd takes it, and what it starts serves calls and drains."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from support.deployed import DEPLOY, serves_and_drains
from telnyx_native.gateway import Gateway, User

UNIT = DEPLOY / "systemd/telnyx-worker@.service"
EXAMPLE = DEPLOY / "systemd/worker.env.example"


def settings() -> dict[str, list[str]]:
    """The settings of the unit, each with its values; a line that ends with a backslash goes on."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().replace("\\\n", " ").splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def example() -> dict[str, str]:
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "telnyx-worker@w1.service"
    unit.write_text(UNIT.read_text().replace("/opt/telnyx-bot/bin/telnyx-native", shutil.which("true") or "/bin/true"))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "telnyx-worker" not in told.stderr, told.stderr


def test_a_worker_may_end_its_calls_before_it_is_killed() -> None:
    unit = settings()
    drain = float(re.search(r"--drain (\d+)", unit["ExecStart"][0])[1])  # type: ignore[index]
    assert float(unit["TimeoutStopSec"][0]) > drain
    assert (unit["KillSignal"], unit["KillMode"]) == (["SIGTERM"], ["mixed"])


def test_a_worker_that_crashes_is_back_before_the_server_gives_its_calls_up() -> None:
    unit = settings()
    assert (unit["Restart"], unit["StartLimitIntervalSec"]) == (["always"], ["0"])
    assert float(unit["RestartSec"][0]) <= 5
    assert unit["StateDirectory"] == ["telnyx-worker/%i"]
    assert "--snapshot %S/telnyx-worker/%i/calls.json" in unit["ExecStart"][0]


def test_audio_gets_what_it_needs() -> None:
    """Real-time priority, UDP, and notice of changes of the network."""
    unit = settings()
    assert int(unit["LimitRTPRIO"][0]) >= 50
    assert "RestrictRealtime" not in unit
    families = set(unit["RestrictAddressFamilies"][0].split())
    assert {"AF_INET", "AF_INET6", "AF_NETLINK"} <= families


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_filter_of_system_calls_lets_threads_have_real_time_priority() -> None:
    allowed, wanted = set[str](), ["@system-service"]
    assert settings()["SystemCallFilter"] == wanted
    while wanted:
        listed = subprocess.run(
            ["systemd-analyze", "syscall-filter", wanted.pop()], capture_output=True, text=True, check=True
        ).stdout.split()
        wanted += [name for name in listed[1:] if name.startswith("@")]
        allowed.update(listed)
    assert {"sched_setscheduler", "clock_nanosleep", "eventfd2", "sendmsg"} <= allowed


async def test_what_the_unit_starts(tmp_path: Path, unused_tcp_port: int) -> None:
    variables = example() | {"HTTP_PORT": str(unused_tcp_port)}
    text = settings()["ExecStart"][0].replace("%S/telnyx-worker/%i", str(tmp_path))
    text = text.replace("/opt/telnyx-bot/bin/", "")
    command = shlex.split(re.sub(r"\$\{(\w+)\}", lambda name: variables[name[1]], text))
    assert not [word for word in command if "%" in word]
    user = variables["TELNYX_SIP_USER"]
    async with Gateway([User(user, variables["TELNYX_SIP_PASSWORD"])]) as gateway:
        await serves_and_drains(command, variables, unused_tcp_port, gateway, user)
    assert not (tmp_path / "calls.json").exists()  # nothing is left of a session that ended in order
