"""Whether the server can be reached, lets one in, and a call goes through."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

from telnyx_native.client import TelnyxClient
from telnyx_native.client.precall import run_pre_call
from telnyx_native.config import CredentialConfig, Timeouts, TokenConfig
from telnyx_native.doctor.diagnosis import Cause, Finding, Status
from telnyx_native.errors import (
    AuthenticationError,
    GatewayRegistrationError,
    RequestTimeoutError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.states import Verdict

if TYPE_CHECKING:
    from telnyx_native.client.precall import PreCallReport
    from telnyx_native.config import TxServerConfiguration

__all__ = ["check_login", "check_server"]


LIMIT = 3.0
"""Seconds that each step may take."""

SKEW_NOTICED = 30.0
SKEW_HARMFUL = 300.0
"""Seconds that this machine's clock may differ: tokens and certificates are good from a moment to a moment."""

NOT_YET_VALID, EXPIRED = 9, 10
WRONG_NAMES = (62, 64)
"""Numbers of OpenSSL's `X509_V_ERR_…`."""

HEAD_LIMIT = 16_384
"""Bytes of an answer that are read."""


async def check_server(server: TxServerConfiguration) -> list[Finding]:
    """Walk the way to the server, up to the first step that fails."""
    if not server.is_local and (proxy := _proxy_for(server)):
        detail = f"goes through the proxy {proxy}; only the login shows whether that works"
        return [Finding("server", Status.SKIPPED, detail)]
    findings = [await _check_name(server)]
    for check in (_check_port, _check_tls, _check_clock):
        if any(finding.status is Status.FAILED for finding in findings):
            break
        findings += await check(server)
    return findings


def _proxy_for(server: TxServerConfiguration) -> str | None:
    """The proxy that the environment names, without its password."""
    proxies = getproxies()
    proxy = proxies.get("https" if server.secure else "http") or proxies.get("all")
    if not proxy or proxy_bypass(server.host):
        return None
    return proxy.rpartition("@")[2]


async def _check_name(server: TxServerConfiguration) -> Finding:
    with suppress(ValueError):
        return Finding("dns", Status.SKIPPED, f"{ip_address(server.host)} is an address")
    try:
        async with asyncio.timeout(LIMIT):
            found = await asyncio.get_running_loop().getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, TimeoutError) as error:
        is_unknown = isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME
        if is_unknown:
            advice = "check how the name is spelt; if it is right, ask the administrator of this network's DNS server"
        else:
            advice = "no DNS server answers: check that this machine is online, and /etc/resolv.conf"
        detail = f"the name {server.host} does not resolve: {getattr(error, 'strerror', None) or 'no answer in time'}"
        return Finding("dns", Status.FAILED, detail, Cause.NAME_NOT_RESOLVED, advice)
    addresses = sorted({str(address[0]) for *_, address in found})
    return Finding("dns", Status.OK, f"{server.host} is {', '.join(addresses)}")


async def _check_port(server: TxServerConfiguration) -> list[Finding]:
    where = f"port {server.port} of {server.host}"
    began = time.monotonic()
    try:
        async with asyncio.timeout(LIMIT):
            _, writer = await asyncio.open_connection(server.host, server.port)
    except ConnectionRefusedError:
        advice = "check the port; if the server is yours, start it (`telnyx-native gateway`)"
        return [Finding("tcp", Status.FAILED, f"{where} is closed", Cause.PORT_CLOSED, advice)]
    except TimeoutError:
        advice = "something drops what is sent there: let TCP to this port through the firewall"
        return [Finding("tcp", Status.FAILED, f"{where} does not answer", Cause.NO_ANSWER, advice)]
    except OSError as error:
        unreachable = error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM)
        cause = Cause.NO_ROUTE if unreachable else Cause.NO_ANSWER
        advice = "check the network of this machine (`ip route`), its VPN and its firewall"
        reason = os.strerror(error.errno) if error.errno else str(error)
        return [Finding("tcp", Status.FAILED, f"{where} cannot be reached: {reason}", cause, advice)]
    took = time.monotonic() - began
    writer.close()
    return [Finding("tcp", Status.OK, f"{where} is open, {1000 * took:.0f} ms away")]


async def _check_tls(server: TxServerConfiguration) -> list[Finding]:
    if not server.secure:
        return []
    context = server.ssl_context or ssl.create_default_context()
    try:
        async with asyncio.timeout(LIMIT):
            _, writer = await asyncio.open_connection(server.host, server.port, ssl=context)
    except ssl.SSLCertVerificationError as error:
        return [_certificate_finding(server, error)]
    except (ssl.SSLError, OSError, TimeoutError) as error:
        if await _speaks_http(replace(server, secure=False, ssl_context=None)):
            advice = f"write ws://{server.host}:{server.port} if it is a server without encryption, or correct the port"
            return [Finding("tls", Status.FAILED, "the server does not speak TLS", Cause.TLS_NOT_SPOKEN, advice)]
        advice = "look for what breaks TLS open in between (a proxy, a virus scanner), and ask for an exception"
        detail = f"the TLS handshake fails: {error or f'no answer within {LIMIT:g} s'}"
        return [Finding("tls", Status.FAILED, detail, Cause.TLS_FAILED, advice)]
    channel = writer.get_extra_info("ssl_object")
    writer.close()
    return [Finding("tls", Status.OK, f"{channel.version()}, {channel.cipher()[0]}")]


def _certificate_finding(server: TxServerConfiguration, error: ssl.SSLCertVerificationError) -> Finding:
    detail = f"the server's certificate is not accepted: {error.verify_message}"
    if error.verify_code in (NOT_YET_VALID, EXPIRED):
        advice = "check the clock of this machine (`date`); if it is right, the server needs a new certificate"
        return Finding("tls", Status.FAILED, detail, Cause.TLS_NOT_VALID_NOW, advice)
    if error.verify_code in WRONG_NAMES:
        advice = f"use the name that the certificate is for in place of {server.host}"
        return Finding("tls", Status.FAILED, detail, Cause.TLS_WRONG_NAME, advice)
    advice = (
        "for a server of your own name its certificate: --ca-file, or TxServerConfiguration(ssl_context=...); "
        "else install ca-certificates, or the certificate of the proxy in between"
    )
    return Finding("tls", Status.FAILED, detail, Cause.TLS_NOT_TRUSTED, advice)


async def _check_clock(server: TxServerConfiguration) -> list[Finding]:
    """Compare the clocks, by the `Date` that every HTTP server sends."""
    sent = time.time()
    head = await _head(server)
    if not head.startswith("HTTP/"):
        return [await _silence_finding(server)]
    there = next((line.partition(":")[2] for line in head.splitlines() if line.lower().startswith("date:")), None)
    if there is None:
        return [Finding("clock", Status.SKIPPED, "the server does not tell the time")]
    skew = (sent + time.time()) / 2 - parsedate_to_datetime(there.strip()).timestamp()
    return [_clock_finding(skew)]


def _clock_finding(skew: float) -> Finding:
    ahead = "ahead of" if skew > 0 else "behind"
    if abs(skew) <= SKEW_NOTICED:
        return Finding("clock", Status.OK, "agrees with the server's")
    status = Status.FAILED if abs(skew) > SKEW_HARMFUL else Status.WARNING
    advice = "set it by NTP (`timedatectl set-ntp true`): login tokens and certificates depend on it"
    detail = f"{abs(skew):.0f} s {ahead} the server's"
    return Finding("clock", status, detail, Cause.CLOCK_WRONG, advice)


async def _silence_finding(server: TxServerConfiguration) -> Finding:
    """Judge a server that does not answer an HTTP request; whether it is the right one, the login shows."""
    trustful = ssl.create_default_context()
    trustful.check_hostname = False
    trustful.verify_mode = ssl.CERT_NONE  # only to see whether it speaks TLS: nothing is sent
    if not server.secure and await _speaks_http(replace(server, secure=True, ssl_context=trustful)):
        advice = f"write wss://{server.host}:{server.port}"
        return Finding("tls", Status.FAILED, "the server wants TLS", Cause.TLS_WANTED, advice)
    return Finding("clock", Status.SKIPPED, "the server does not tell the time")


async def _speaks_http(server: TxServerConfiguration) -> bool:
    return (await _head(server)).startswith("HTTP/")


async def _head(server: TxServerConfiguration) -> str:
    """Return how the answer to an HTTP request begins; empty without one."""
    context = (server.ssl_context or ssl.create_default_context()) if server.secure else None
    host = f"[{server.host}]" if ":" in server.host else server.host
    try:
        async with asyncio.timeout(LIMIT):
            reader, writer = await asyncio.open_connection(server.host, server.port, ssl=context, limit=HEAD_LIMIT)
            try:
                writer.write(f"GET / HTTP/1.1\r\nHost: {host}:{server.port}\r\nConnection: close\r\n\r\n".encode())
                return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return ""


async def check_login(
    server: TxServerConfiguration, config: CredentialConfig | TokenConfig | None, destination: str | None
) -> list[Finding]:
    """Connect, log in if there is a login, and place a test call if there is somebody to call."""
    async with TelnyxClient(timeouts=Timeouts(gateway_poll=1.0)) as client:
        finding = await _log_in(client, server, config)
        if finding.status is not Status.OK or config is None or destination is None:
            return [finding]
        return [finding, await _call(client, destination)]


async def _log_in(
    client: TelnyxClient, server: TxServerConfiguration, config: CredentialConfig | TokenConfig | None
) -> Finding:
    login = {"token_config": config} if isinstance(config, TokenConfig) else {"credential_config": config}
    try:
        await client.connect(server, **login)
    except AuthenticationError as error:
        advice = "check user name and password of the SIP connection in the Telnyx portal; a token is good for a day"
        return Finding("login", Status.FAILED, str(error), Cause.WRONG_PASSWORD, advice)
    except GatewayRegistrationError as error:
        advice = "the login is right, but the SIP registration does not come up: see the SIP connection in the portal"
        return Finding("login", Status.FAILED, str(error), Cause.NOT_REGISTERED, advice)
    except (RequestTimeoutError, SocketConnectionError) as error:
        advice = "something on the way blocks WebSockets, or this is not a Telnyx server: check the address"
        return Finding("login", Status.FAILED, str(error), Cause.NO_TELNYX_SERVER, advice)
    except TelnyxError as error:
        return Finding("login", Status.FAILED, str(error), Cause.NO_TELNYX_SERVER, "check the address of the server")
    if config is None:
        return Finding("login", Status.SKIPPED, "the WebSocket works; give a user to see whether the login does")
    who = f" as {config.sip_user}" if isinstance(config, CredentialConfig) else ""
    took = client.login_timings.since_begun("registered")
    return Finding("login", Status.OK, f"logged in{who}" + (f" in {1000 * took:.0f} ms" if took else ""))


async def _call(client: TelnyxClient, destination: str) -> Finding:
    try:
        report = await run_pre_call(client, destination)
    except TelnyxError as error:
        advice = "see what the other findings say about the network, and try again"
        return Finding("call", Status.FAILED, str(error), Cause.CALL_FAILED, advice)
    measured = (
        f"MOS {report.mos.average:.1f}, {1000 * report.rtt.average:.0f} ms there and back, "
        f"jitter {1000 * report.jitter.average:.0f} ms, loss {report.loss:.1%}, path {report.path}"
    )
    advice = "; ".join(report.reasons.values())
    match report.verdict:
        case Verdict.READY:
            return Finding("call", Status.OK, measured)
        case Verdict.DEGRADED:
            return Finding("call", Status.WARNING, measured, Cause.POOR_NETWORK, advice)
        case Verdict.BLOCKED:
            cause = Cause.NO_AUDIO_PATH if _had_no_audio(report) else Cause.POOR_NETWORK
            detail = "no audio came through" if _had_no_audio(report) else measured
            return Finding("call", Status.FAILED, detail, cause, advice)
        case Verdict.INCONCLUSIVE:
            return Finding("call", Status.FAILED, f"{destination} did not take the call", Cause.CALL_FAILED, advice)


def _had_no_audio(report: PreCallReport) -> bool:
    return bool({"ice_failed", "network_no_audio"} & report.reasons.keys())
