"""`telnyx-native doctor` before everything that it must know the cause of, each staged."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.network_namespace import may_have_a_firewall, may_have_a_network, run_in_a_network
from support.scripts import outcome, program
from support.sound_server import needs_sound_server, sound_server
from telnyx_native import CredentialConfig, TxServerConfiguration, Verdict
from telnyx_native.doctor import Cause, Diagnosis, Finding, Status, examine
from telnyx_native.doctor.machine import DEVICE_FILES, check_sound
from telnyx_native.gateway import Certificate, Gateway, RegistrationFault, User, certificate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def failure(diagnosis: Diagnosis) -> Finding:
    """The one thing that is wrong."""
    (failed,) = (finding for finding in diagnosis.findings if finding.status is Status.FAILED)
    assert diagnosis.verdict is Verdict.BLOCKED
    assert failed.advice
    return failed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A server that gives one answer to everything."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_all_is_well(gateway: Gateway) -> None:
    seen: list[Finding] = []
    server = TxServerConfiguration.parse(gateway.url)
    diagnosis = await examine(server, CredentialConfig("alice", "s3cret"), destination="echo", on_finding=seen.append)
    assert diagnosis.verdict is Verdict.READY
    assert tuple(seen) == diagnosis.findings
    checked = {finding.check: finding for finding in seen}
    assert "libwebrtc" in checked["versions"].detail
    assert "opus" in checked["media engine"].detail
    assert "logged in as alice" in checked["login"].detail
    assert "MOS 4" in checked["call"].detail
    assert checked["clock"].status is Status.OK


async def test_native_part_that_does_not_load() -> None:
    script = """
import asyncio, json, sys
sys.modules["telnyx_native._webrtc"] = sys.modules["telnyx_native._audio"] = None
from telnyx_native import TxServerConfiguration
from telnyx_native.doctor import examine
print(json.dumps(asyncio.run(examine(TxServerConfiguration())).as_dict()))
"""
    async with program("-c", script) as process:
        code, output, errors = await outcome(process)
    assert (code, errors) == (0, "")
    diagnosis = json.loads(output)
    assert [finding["cause"] for finding in diagnosis["findings"]] == ["broken_installation"]
    assert diagnosis["verdict"] == "blocked"


async def test_wrong_password(gateway: Gateway) -> None:
    diagnosis = await examine(TxServerConfiguration.parse(gateway.url), CredentialConfig("alice", "opensesame"))
    assert failure(diagnosis).cause is Cause.WRONG_PASSWORD
    assert "opensesame" not in json.dumps(diagnosis.as_dict())
    symptoms = {symptom.name: symptom for symptom in diagnosis.symptoms}
    assert symptoms["Login fails"].status is Status.FAILED
    assert "password" in symptoms["Login fails"].next_step
    assert symptoms["Call drops"].status is Status.OK
    assert set(symptoms) == {
        "No audio",
        "Push not received",
        "Login fails",
        "Call drops",
        "sender_id_mismatch (push)",
    }


async def test_registration_that_does_not_come_up(gateway: Gateway) -> None:
    gateway.faults.fail_registration("alice", RegistrationFault.FAIL_WAIT)
    diagnosis = await examine(TxServerConfiguration.parse(gateway.url), CredentialConfig("alice", "s3cret"))
    assert failure(diagnosis).cause is Cause.NOT_REGISTERED


async def test_call_that_fails(gateway: Gateway) -> None:
    server = TxServerConfiguration.parse(gateway.url)
    diagnosis = await examine(server, CredentialConfig("alice", "s3cret"), destination="busy")
    assert failure(diagnosis).cause is Cause.CALL_FAILED


async def test_closed_port() -> None:
    diagnosis = await examine(TxServerConfiguration("127.0.0.1", free_port(), secure=False))
    assert failure(diagnosis).cause is Cause.PORT_CLOSED


async def test_name_that_does_not_resolve() -> None:
    diagnosis = await examine(TxServerConfiguration("nobody.invalid"))  # RFC 6761: there is no such name
    assert failure(diagnosis).cause is Cause.NAME_NOT_RESOLVED


@pytest.mark.skipif(not may_have_a_network(), reason="needs iproute2 and network namespaces without root")
def test_network_that_leads_nowhere() -> None:
    done = run_in_a_network("support.doctor_without_a_network")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cause"] == "no_route"


async def test_certificate_that_nobody_vouches_for() -> None:
    async with Gateway([User("alice", "s3cret")], certificate=Certificate.self_signed()) as gateway:
        diagnosis = await examine(TxServerConfiguration.parse(gateway.url))
    assert failure(diagnosis).cause is Cause.TLS_NOT_TRUSTED
    assert "--ca-file" in failure(diagnosis).advice


async def test_certificate_for_another_name() -> None:
    made = Certificate.self_signed()
    async with Gateway([User("alice", "s3cret")], host="127.0.0.2", certificate=made) as gateway:
        diagnosis = await examine(TxServerConfiguration.parse(gateway.url, ssl_context=made.client_context()))
    assert failure(diagnosis).cause is Cause.TLS_WRONG_NAME


async def test_certificate_that_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "LIFETIME", timedelta(minutes=-1))
    made = Certificate.self_signed()
    async with Gateway([User("alice", "s3cret")], certificate=made) as gateway:
        diagnosis = await examine(TxServerConfiguration.parse(gateway.url, ssl_context=made.client_context()))
    assert failure(diagnosis).cause is Cause.TLS_NOT_VALID_NOW
    assert "clock" in failure(diagnosis).advice


async def test_server_without_encryption(gateway: Gateway) -> None:
    diagnosis = await examine(TxServerConfiguration.parse(gateway.url.replace("ws:", "wss:")))
    assert failure(diagnosis).cause is Cause.TLS_NOT_SPOKEN
    assert gateway.url in failure(diagnosis).advice


async def test_server_that_wants_encryption() -> None:
    made = Certificate.self_signed()
    async with Gateway([User("alice", "s3cret")], certificate=made) as gateway:
        diagnosis = await examine(TxServerConfiguration.parse(gateway.url.replace("wss:", "ws:")))
        assert failure(diagnosis).cause is Cause.TLS_WANTED
        assert gateway.url in failure(diagnosis).advice
        trusting = TxServerConfiguration.parse(gateway.url, ssl_context=made.client_context())
        assert (await examine(trusting, CredentialConfig("alice", "s3cret"))).verdict is Verdict.READY


async def test_server_that_is_something_else() -> None:
    async with answering(b"220 mail.example.com ESMTP\r\n\r\n") as address:
        diagnosis = await examine(TxServerConfiguration.parse(f"ws://{address}"))
        assert failure(diagnosis).cause is Cause.NO_TELNYX_SERVER
    async with answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") as address:
        diagnosis = await examine(TxServerConfiguration.parse(f"ws://{address}"))
        assert failure(diagnosis).cause is Cause.NO_TELNYX_SERVER


@pytest.mark.parametrize(("minutes", "status"), [(2, Status.WARNING), (-90, Status.FAILED)])
async def test_clock_that_is_wrong(minutes: int, status: Status) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    async with answering(f"HTTP/1.1 404 Not Found\r\nDate: {date}\r\n\r\n".encode()) as address:
        diagnosis = await examine(TxServerConfiguration.parse(f"ws://{address}"))
    (clock,) = (finding for finding in diagnosis.findings if finding.check == "clock")
    assert (clock.status, clock.cause) == (status, Cause.CLOCK_WRONG)
    assert ("behind" if minutes > 0 else "ahead of") in clock.detail


@pytest.mark.skipif(
    not (may_have_a_network("turnserver") and may_have_a_firewall()),
    reason="needs network namespaces without root, nftables and coturn: make test-tools",
)
def test_udp_that_is_blocked() -> None:
    done = run_in_a_network("support.udp_block")
    assert done.returncode == 0, done.stderr
    well, blocked, cut_off = map(json.loads, done.stdout.splitlines())
    assert (well["status"], well["verdict"]) == ("ok", "ready")
    assert (blocked["cause"], blocked["verdict"]) == ("udp_blocked", "degraded")
    assert "only a relay over TCP works" in blocked["detail"]
    assert (cut_off["cause"], cut_off["verdict"]) == ("no_audio_path", "blocked")


@pytest.mark.skipif(any(DEVICE_FILES.glob("pcm*")), reason="this machine has sound devices")
async def test_device_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    (finding,) = await check_sound(needed=True)
    assert (finding.status, finding.cause) == (Status.FAILED, Cause.NO_DEVICE)
    (finding,) = await check_sound(needed=False)
    assert (finding.status, finding.cause) == (Status.SKIPPED, Cause.NO_DEVICE)


CHECK_SOUND = """
import asyncio, json, sys
from dataclasses import asdict
from pathlib import Path
from telnyx_native.doctor.machine import check_sound
print(json.dumps([asdict(f) for f in asyncio.run(check_sound(needed=True, device_files=Path(sys.argv[1])))]))
"""


@pytest.mark.skipif(any(DEVICE_FILES.glob("pcm*")), reason="this machine has sound devices")
@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("unshare") is None, reason="root may do everything")
async def test_permission_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    (tmp_path / "pcmC0D0c").touch(mode=0)
    powerless = ["unshare", "--user"] if os.geteuid() == 0 else []
    process = await asyncio.create_subprocess_exec(
        *powerless, sys.executable, "-c", CHECK_SOUND, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    (finding,) = json.loads(output)
    assert (finding["status"], finding["cause"]) == ("failed", "no_permission")
    assert "usermod -aG" in finding["advice"]


@needs_sound_server
async def test_devices_that_are_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with sound_server(tmp_path) as server:
        monkeypatch.setenv("PULSE_SERVER", server.address)
        server.add_room("room")
        devices, microphone = await check_sound(needed=True)
    assert devices.status is Status.OK
    assert microphone.cause is Cause.MICROPHONE_SILENT


async def test_the_command(gateway: Gateway) -> None:
    arguments = ("-m", "telnyx_native", "doctor", "--server", gateway.url, "--user", "alice", "--password")
    async with program(*arguments, "s3cret", "--call", "echo") as process:
        code, output, errors = await outcome(process)
    assert (code, errors) == (0, "")
    assert "Verdict: ready" in output
    assert "sender_id_mismatch" in output
    async with program(*arguments, "wr0ng", "--json") as process:
        code, output, errors = await outcome(process)
    assert (code, errors) == (1, "")
    diagnosis = json.loads(output)
    assert diagnosis["verdict"] == "blocked"
    assert [finding["cause"] for finding in diagnosis["findings"] if finding["status"] == "failed"] == [
        "wrong_password"
    ]
    async with program(*arguments[:-1], "--json") as process:
        assert (await outcome(process))[0] == 2
