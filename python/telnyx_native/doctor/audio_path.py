"""Whether audio finds its way out: STUN and TURN servers, UDP and TCP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from telnyx_native.config import PRODUCTION_ICE_SERVERS, AudioConfig, IceServer, PeerConfig
from telnyx_native.doctor.finding import Cause, Finding, Status
from telnyx_native.doctor.stun import mapped_address
from telnyx_native.errors import MediaError

if TYPE_CHECKING:
    from telnyx_native.config import TxServerConfiguration
    from telnyx_native.media.engine import MediaEngine
    from telnyx_native.media.peer import Peer

__all__ = ["check_audio_path"]

RELAY_LIMIT = 5.0
"""Seconds until a TURN server must have given an address."""

STUN_PORT = 3478


async def check_audio_path(server: TxServerConfiguration) -> list[Finding]:
    """Ask every STUN and TURN server that a call would use, and judge what is left to audio."""
    from telnyx_native.media.engine import MediaEngine

    if not server.ice_servers or (server.is_local and server.ice_servers is PRODUCTION_ICE_SERVERS):
        return [Finding("audio path", Status.SKIPPED, "the server is on this machine: no STUN, no TURN")]
    engine = MediaEngine.acquire()
    try:
        attempts = [
            _ask_stun(url) if url.startswith("stun") else _ask_turn(engine, url, ice, loopback=server.is_local)
            for ice in server.ice_servers
            for url in ice.urls
        ]
        ways = await asyncio.gather(*attempts)
    finally:
        await engine.release()
    return [*(way.finding for way in ways), _judge(ways)]


@dataclass(frozen=True)
class _Way:
    """One way out, and whether it is open."""

    finding: Finding
    relayed: bool
    over_udp: bool

    @property
    def is_open(self) -> bool:
        return self.finding.status is Status.OK


async def _ask_stun(url: str) -> _Way:
    host, port = _host_and_port(url)
    try:
        address = await mapped_address(host, port)
    except OSError as error:
        finding = Finding(f"stun {host}", Status.WARNING, f"no answer over UDP: {error.strerror or error}")
    else:
        status = Status.OK if address else Status.WARNING
        seen = f"this machine is {address} to others" if address else "no answer over UDP"
        finding = Finding(f"stun {host}", status, seen)
    return _Way(finding, relayed=False, over_udp=True)


async def _ask_turn(engine: MediaEngine, url: str, server: IceServer, *, loopback: bool) -> _Way:
    """Have the media engine look for a relayed address, as a call does."""
    host, port = _host_and_port(url)
    transport = parse_qs(url.partition("?")[2]).get("transport", ["tcp" if url.startswith("turns") else "udp"])[0]
    label = f"turn {host}:{port}/{'tls' if url.startswith('turns') else transport}"
    config = PeerConfig((IceServer((url,), server.username, server.password),), relay_only=True, loopback=loopback)
    peer = engine.create_peer(config, AudioConfig())
    try:
        is_open = await asyncio.wait_for(_is_relayed(peer), RELAY_LIMIT)
    except (TimeoutError, MediaError):
        is_open = False
    finally:
        await peer.close()
    finding = Finding(label, Status.OK, "relays") if is_open else Finding(label, Status.WARNING, "gives no address")
    return _Way(finding, relayed=True, over_udp=transport == "udp" and not url.startswith("turns"))


async def _is_relayed(peer: Peer) -> bool:
    await peer.create_offer()
    async for found in peer.candidates:
        if " typ relay" in found.candidate:
            return True
    return False


def _judge(ways: list[_Way]) -> Finding:
    open_ways = [way for way in ways if way.is_open]
    by_udp = any(way.over_udp for way in open_ways)
    by_relay = any(way.relayed for way in open_ways)
    if not open_ways:
        advice = "let UDP to ports 3478 and 16384-32768 through, or at least TCP to a TURN server (ports 3478 and 443)"
        return Finding("audio path", Status.FAILED, "nothing gets out", Cause.NO_AUDIO_PATH, advice)
    if not by_udp:
        advice = "let UDP through (ports 3478 and 16384-32768): over TCP every lost packet delays those behind it"
        detail = "UDP is blocked: only a relay over TCP works"
        return Finding("audio path", Status.WARNING, detail, Cause.UDP_BLOCKED, advice)
    if not by_relay and any(way.relayed for way in ways):
        advice = "check name, user and password of the TURN server; calls from behind strict firewalls need it"
        return Finding("audio path", Status.WARNING, "UDP works, but no relay", Cause.NO_RELAY, advice)
    return Finding("audio path", Status.OK, "UDP gets out" + (", and a relay is there if need be" if by_relay else ""))


def _host_and_port(url: str) -> tuple[str, int]:
    """Read `stun:host:port` and its like (RFC 7064, RFC 7065)."""
    scheme, _, rest = url.partition(":")
    authority = rest.partition("?")[0]
    default = 5349 if scheme.endswith("s") else STUN_PORT
    host, colon, port = authority.rpartition(":")
    if not colon or host.endswith(":") or not port.isdigit() or (":" in host and not host.endswith("]")):
        return authority.strip("[]"), default
    return host.strip("[]"), int(port)
