"""Which ports, interfaces and addresses of this machine the audio of calls may use."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from support.hearing import hear_tone
from support.limit import LIMIT
from telnyx_native import (
    CallState,
    ConfigurationError,
    CredentialConfig,
    MediaError,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.gateway import Gateway, User

USERS = [User("alice", "s3cret")]


def free_range(size: int) -> tuple[int, int]:
    """A range of UDP ports of which none is taken at the moment."""
    for first in range(21_000, 31_000, size):
        with ExitStack() as held:
            try:
                for port in range(first, first + size):
                    taken = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    taken.bind(("", port))
            except OSError:
                continue
            return first, first + size - 1
    raise AssertionError("no free range")


async def log_in(client: TelnyxClient, gateway: Gateway, **options) -> None:
    server = replace(TxServerConfiguration.parse(gateway.url), **options)
    await client.connect(server, CredentialConfig("alice", "s3cret"))


async def used(call) -> list[tuple[str, int]]:
    """Addresses and ports of this machine that a call's candidates have."""
    stats = await call._session.path.peer.stats()
    return [(entry["address"], entry["port"]) for entry in stats.values() if entry["type"] == "local-candidate"]


async def test_calls_stay_inside_the_range_of_ports() -> None:
    first, last = free_range(40)
    async with Gateway(USERS) as gateway, TelnyxClient() as client:
        await log_in(client, gateway, udp_ports=(first, last))
        for _ in range(3):
            call = await client.new_invite("tone:440")
            await call.wait_active(LIMIT)
            await hear_tone(call.audio, 440)
            candidates = await used(call)
            assert candidates
            assert all(first <= port <= last for _, port in candidates)
            await call.end()


async def test_a_range_that_is_exhausted_is_told_at_once() -> None:
    first, last = free_range(4)
    with ExitStack() as held:
        for port in range(first, last + 1):
            for family, address in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
                taken = held.enter_context(socket.socket(family, socket.SOCK_DGRAM))
                if family == socket.AF_INET6:
                    taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                taken.bind((address, port))
        async with Gateway(USERS) as gateway, TelnyxClient() as client:
            await log_in(client, gateway, udp_ports=(first, last))
            began = time.monotonic()
            with pytest.raises(MediaError, match=r"no UDP socket.*All ports of udp_ports are taken"):
                await client.new_invite("echo")
            assert time.monotonic() - began < 3
            held.close()
            call = await client.new_invite("echo")
            await call.wait_active(LIMIT)


def highest_descriptor() -> int:
    return max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("trickle", [False, True])
async def test_a_call_without_descriptors_for_its_sockets_fails_at_once(trickle: bool) -> None:
    async with Gateway(USERS) as gateway, TelnyxClient() as client:
        await log_in(client, gateway)
        standing = await client.new_invite("tone:440")
        await standing.wait_active(LIMIT)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = highest_descriptor()
        opened: list[int] = []
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 30, hard))
            with suppress(OSError):
                while True:
                    opened.append(os.open("/", os.O_RDONLY))
            began = time.monotonic()
            if trickle:
                call = await client.new_invite("echo", use_trickle_ice=True)
                reason = await asyncio.wait_for(call.wait_done(), LIMIT)
                assert "no UDP socket" in str(reason)
                assert "RLIMIT_NOFILE" in str(reason)
            else:
                with pytest.raises(MediaError, match=r"no UDP socket: Too many open files.*RLIMIT_NOFILE"):
                    await client.new_invite("echo")
            assert time.monotonic() - began < 3
        finally:
            for descriptor in opened:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert standing.call_state_flow.value == CallState.ACTIVE
        await hear_tone(standing.audio, 440)
        call = await client.new_invite("tone:440")
        await call.wait_active(LIMIT)


async def test_only_the_named_interface_is_used() -> None:
    async with Gateway(USERS) as gateway, TelnyxClient() as client:
        await log_in(client, gateway, interfaces=("lo",))
        call = await client.new_invite("tone:440")
        await call.wait_active(LIMIT)
        assert {address for address, _ in await used(call)} <= {"127.0.0.1", "::1"}


async def test_an_interface_that_there_is_not_is_an_error() -> None:
    async with Gateway(USERS) as gateway, TelnyxClient() as client:
        await log_in(client, gateway, interfaces=("nowhere7",))
        with pytest.raises(MediaError, match="no network interface nowhere7"):
            await client.new_invite("echo")


@pytest.mark.parametrize("ipv6", [True, False])
async def test_addresses_of_ipv6_are_used_or_not(ipv6: bool) -> None:
    async with Gateway(USERS) as gateway, TelnyxClient() as client:
        await log_in(client, gateway, ipv6=ipv6)
        call = await client.new_invite("tone:440")
        await call.wait_active(LIMIT)
        of_ipv6 = [address for address, _ in await used(call) if ":" in address]
        assert bool(of_ipv6) == (ipv6 and has_ipv6())


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.bind(("::1", 0))
        return True
    return False


@pytest.mark.parametrize("ports", [(0, 10), (10, 9), (1, 70_000), (1,), "1-2", (1.0, 2.0)])
def test_what_is_no_range_of_ports_is_refused(ports: object) -> None:
    with pytest.raises(ConfigurationError, match="udp_ports are the first and the last UDP port"):
        TxServerConfiguration(udp_ports=ports)  # type: ignore[arg-type]


@pytest.mark.parametrize("interfaces", ["eth0", ("",), (1,)])
def test_what_are_no_names_of_interfaces_is_refused(interfaces: object) -> None:
    with pytest.raises(ConfigurationError, match="interfaces are a sequence of names"):
        TxServerConfiguration(interfaces=interfaces)  # type: ignore[arg-type]
