"""Whether audio gets out: STUN and TURN servers, UDP and TCP."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from telnyx_native.config import PRODUCTION_ICE_SERVERS, AudioConfig, IceServer, PeerConfig
from telnyx_native.doctor.diagnosis import Cause, Finding, Status
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
        routes = await asyncio.gather(*attempts)
    finally:
        await engine.release()
    return [*(route.finding for route in routes), _judge(routes)]


@dataclass(frozen=True)
class _Route:
    """One route out, and whether it is open."""

    finding: Finding
    relayed: bool
    over_udp: bool

    @property
    def is_open(self) -> bool:
        return self.finding.status is Status.OK


async def _ask_stun(url: str) -> _Route:
    host, port = _host_and_port(url)
    try:
        address = await mapped_address(host, port)
    except OSError as error:
        finding = Finding(f"stun {host}", Status.WARNING, f"no answer over UDP: {error.strerror or error}")
    else:
        status = Status.OK if address else Status.WARNING
        seen = f"this machine is {address} to others" if address else "no answer over UDP"
        finding = Finding(f"stun {host}", status, seen)
    return _Route(finding, relayed=False, over_udp=True)


async def _ask_turn(engine: MediaEngine, url: str, server: IceServer, *, loopback: bool) -> _Route:
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
    return _Route(finding, relayed=True, over_udp=transport == "udp" and not url.startswith("turns"))


async def _is_relayed(peer: Peer) -> bool:
    await peer.create_offer()
    async for found in peer.candidates:
        if " typ relay" in found.candidate:
            return True
    return False


def _judge(routes: list[_Route]) -> Finding:
    open_routes = [route for route in routes if route.is_open]
    by_udp = any(route.over_udp for route in open_routes)
    by_relay = any(route.relayed for route in open_routes)
    if not open_routes:
        advice = "let UDP to ports 3478 and 16384-32768 through, or at least TCP to a TURN server (ports 3478 and 443)"
        return Finding("audio path", Status.FAILED, "nothing gets out", Cause.NO_AUDIO_PATH, advice)
    if not by_udp:
        advice = "let UDP through (ports 3478 and 16384-32768): over TCP every lost packet delays those behind it"
        detail = "UDP is blocked: only a relay over TCP works"
        return Finding("audio path", Status.WARNING, detail, Cause.UDP_BLOCKED, advice)
    if not by_relay and any(route.relayed for route in routes):
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


BINDING_REQUEST, BINDING_RESPONSE = 0x0001, 0x0101
MAGIC_COOKIE = 0x2112A442
XOR_MAPPED_ADDRESS = 0x0020

PAUSES = (0.5, 1.0, 2.0)
"""Seconds to wait for an answer before the request is repeated, or given up (RFC 8489, 6.2.1: doubled each time)."""


async def mapped_address(host: str, port: int) -> str | None:
    """Return the address and port that a STUN server sees behind a UDP socket of this machine; `None` for no answer.

    Raises:
        OSError: The name does not resolve, or nothing can be sent there.
    """
    transaction = secrets.token_bytes(12)
    loop = asyncio.get_running_loop()
    transport, answer = await loop.create_datagram_endpoint(lambda: _Answer(transaction), remote_addr=(host, port))
    try:
        for pause in PAUSES:
            transport.sendto(struct.pack("!HHI", BINDING_REQUEST, 0, MAGIC_COOKIE) + transaction)
            done, _ = await asyncio.wait({answer.address}, timeout=pause)
            if done:
                return answer.address.result()
        return None
    finally:
        transport.close()


class _Answer(asyncio.DatagramProtocol):
    """Waits for the answer to a request."""

    def __init__(self, transaction: bytes) -> None:
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._transaction = transaction

    def datagram_received(self, data: bytes, _sender: Any) -> None:
        address = parse_response(data, self._transaction)
        if address is not None and not self.address.done():
            self.address.set_result(address)

    def error_received(self, error: Exception) -> None:
        if not self.address.done():
            self.address.set_exception(error)


def parse_response(data: bytes, transaction: bytes) -> str | None:
    """Read the address in an answer; `None` if it is not the answer to `transaction`."""
    if len(data) < 20 or data[8:20] != transaction:
        return None
    kind, _, cookie = struct.unpack_from("!HHI", data)
    if (kind, cookie) != (BINDING_RESPONSE, MAGIC_COOKIE):
        return None
    position = 20
    while position + 4 <= len(data):
        attribute, length = struct.unpack_from("!HH", data, position)
        value = data[position + 4 : position + 4 + length]
        if attribute == XOR_MAPPED_ADDRESS and len(value) == length:
            return _unmask(value, transaction)
        position += 4 + length + -length % 4
    return None


def _unmask(value: bytes, transaction: bytes) -> str | None:
    """Undo the masking of an address (RFC 8489, 14.2)."""
    size = {1: 4, 2: 16}.get(value[1]) if len(value) >= 4 else None
    if size is None or len(value) != 4 + size:
        return None
    mask = struct.pack("!I", MAGIC_COOKIE) + transaction
    port = struct.unpack_from("!H", value, 2)[0] ^ MAGIC_COOKIE >> 16
    address = ip_address(bytes(a ^ b for a, b in zip(value[4:], mask, strict=False)))
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    return f"[{address}]:{port}" if family is socket.AF_INET6 else f"{address}:{port}"
