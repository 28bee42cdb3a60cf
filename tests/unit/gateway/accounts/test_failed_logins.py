"""Guessing passwords takes time, and who knows the password gets in all the same."""

from __future__ import annotations

import asyncio
import time

import pytest
from websockets.exceptions import ConnectionClosed

from telnyx_native.gateway import GatewayLimits
from telnyx_native.gateway.accounts.failed_logins import MOST_KNOWN, MOST_WAITING, FailedLogins, TooManyLogins


class Clock:
    def __init__(self):
        self.time = 1000.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guesses(clock):
    return FailedLogins(GatewayLimits(guess_delay=4.0), clock)


async def to_the_end(client):
    while True:
        await client.socket.recv()


def fail(guesses, times, account="alice", address="192.0.2.7"):
    for _ in range(times):
        guesses.failed(account, address)


def test_the_delay_grows_to_its_limit(guesses):
    delays = []
    for _ in range(10):
        fail(guesses, 1)
        delays.append(guesses.delay(("account", "alice")))
    assert delays == [0, 0, 0.25, 0.5, 1, 2, 4, 4, 4, 4]
    assert guesses.delay(("address", "192.0.2.7")) == 4
    assert guesses.delay(("account", "bob")) == guesses.delay(("address", "192.0.2.8")) == 0


def test_failures_are_forgotten(guesses, clock):
    fail(guesses, 20)
    clock.time += 60 * 3
    assert guesses.delay(("account", "alice")) == 0
    clock.time -= 10_000  # a clock that goes back is none of time.monotonic, but breaks nothing
    assert guesses.delay(("account", "alice")) == 4


def test_an_address_does_not_clear_itself_with_an_account_of_its_own(guesses):
    fail(guesses, 10)
    guesses.succeeded("alice")
    assert guesses.delay(("account", "alice")) == 0
    assert guesses.delay(("address", "192.0.2.7")) == 4


def test_what_is_remembered_is_bounded(guesses):
    for number in range(2 * MOST_KNOWN):
        guesses.failed("x" * 100_000 + str(number), f"address {number}")
    assert len(guesses) == MOST_KNOWN


async def test_no_more_wait_than_may(guesses):
    fail(guesses, 10)
    waiting = [asyncio.create_task(guesses.wait("alice", f"192.0.2.{n}")) for n in range(MOST_WAITING["account"])]
    await asyncio.sleep(0)
    with pytest.raises(TooManyLogins):
        await guesses.wait("alice", "198.51.100.1")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    guesses.succeeded("alice")
    await guesses.wait("alice", "198.51.100.1")


class TestOverTheWire:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(close_time=1.0, failed_logins=10**9, guess_delay=0.3)

    @pytest.mark.timed
    async def test_who_guesses_waits_and_who_knows_gets_in(self, open_client, gateway):
        """From one address, at one account, on many sockets."""

        async def guess():
            async with open_client() as client:
                while True:
                    await client.ask("login", login="alice", passwd="wrong")

        guessing = [asyncio.create_task(guess()) for _ in range(8)]
        await asyncio.sleep(1.0)
        begun, failed = time.monotonic(), gateway.counters.failed_logins
        async with open_client() as alice, open_client() as bob:
            assert "result" in await alice.login()
            assert "result" in await bob.login("bob", "hidden")
            assert time.monotonic() - begun < 2, "it waits its turn, and no longer"
        await asyncio.sleep(1.0)
        seconds = time.monotonic() - begun
        guessed = gateway.counters.failed_logins - failed
        assert 0 < guessed <= 8 * (1 + seconds / 0.3) + 8 * 3, "each socket waits for each guess"
        for task in guessing:
            task.cancel()
        await asyncio.gather(*guessing, return_exceptions=True)

    async def test_a_crowd_is_told_to_come_again(self, open_client, gateway):
        """Not that the password is wrong: that would end a client's attempts for good."""
        for _ in range(9):
            gateway.failed_logins.failed("alice", "192.0.2.1")
        gateway.failed_logins._waiting["account", "alice"] = MOST_WAITING["account"]
        async with open_client() as client:
            answer = await client.ask("login", login="alice", passwd="secret")
            assert answer["error"]["code"] == -32603
        assert (gateway.counters.failed_logins, gateway.counters.refused_logins) == (0, 1)


class TestBeforeTheLogin:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(close_time=1.0, login_time=0.3, guess_delay=0.0, connections=2)

    async def test_one_wrong_password_does_not_keep_a_socket(self, client):
        await client.ask("login", login="alice", passwd="wrong")
        with pytest.raises(ConnectionClosed) as closed:
            await client.frame()
        assert closed.value.rcvd.code == 1008

    async def test_a_big_message_is_not_read(self, client):
        await client.send("x" * 65_537)
        with pytest.raises(ConnectionClosed) as closed:
            await client.frame()
        assert closed.value.rcvd.code == 1009

    async def test_nor_one_that_does_not_end(self, client):
        async def pieces():
            while True:
                yield "x" * 1000
                await asyncio.sleep(0)

        with pytest.raises(ConnectionClosed) as closed:
            await client.socket.send(pieces())
        assert closed.value.rcvd.code == 1009

    async def test_nor_one_of_pieces_without_end_that_hold_nothing(self, client):
        async def pieces():
            yield "x"
            while True:
                yield ""
                await asyncio.sleep(0)

        with pytest.raises(ConnectionClosed):
            await client.socket.send(pieces())

    @pytest.mark.parametrize("frame", [b"\x89\x80mask", b"\x8a\x80mask", b"\x81\x80mask", b"\x01\x80mask"])
    async def test_nor_frames_of_nothing_without_end(self, client, open_client, frame):
        """Pings, pongs, empty messages, and messages of empty pieces: as many as fit into the wire, each costs time."""
        client.socket.transport.write(frame * 300_000)
        begun = time.monotonic()
        with pytest.raises(ConnectionClosed):
            await to_the_end(client)
        async with open_client() as alice:
            assert "result" in await alice.login()
        assert time.monotonic() - begun < 5

    async def test_a_big_message_after_the_login(self, alice):
        text = "x" * 500_000
        answer = await alice.ask("telnyx_rtc.ping", filling=text)
        assert answer["result"]["message"] == "PONG"

    async def test_an_overdue_connection_makes_room(self, open_client, monkeypatch, gateway):
        monkeypatch.setattr("telnyx_native.gateway.connection.TIME_TO_LOG_IN", 0.05)
        async with open_client() as alice, open_client() as idle:
            await alice.login()
            await asyncio.sleep(0.1)
            async with open_client() as bob:
                assert "result" in await bob.login("bob", "hidden")
                assert gateway.counters.refused_connections == 1
                assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"
            with pytest.raises(ConnectionClosed):
                await idle.frame()
