"""Calls that outlive their process: another one takes the session over, from a snapshot."""

from __future__ import annotations

import asyncio
import pickle
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support import resumable
from support.hearing import echoes, hear_tone, saying_tone
from support.limit import LIMIT
from support.users import answered_call
from telnyx_native import (
    Call,
    CallDirection,
    CallState,
    ConnectionStatus,
    CredentialConfig,
    SessionSnapshot,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.errors import AuthenticationError, ConfigurationError, SocketConnectionError
from telnyx_native.snapshot import CallSnapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native.gateway import Gateway

ALICE = CredentialConfig("alice", "s3cret")


@pytest.fixture
async def successor() -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient() as client:
        yield client


async def resume(client: TelnyxClient, gateway: Gateway, snapshot: SessionSnapshot) -> tuple[Call, ...]:
    return await client.resume(snapshot, ALICE, TxServerConfiguration.parse(gateway.url))


async def test_call_is_taken_over_while_the_other_process_lives(
    alice: TelnyxClient, successor: TelnyxClient, gateway: Gateway
) -> None:
    call = await alice.new_invite("echo", client_state="of the invoice", custom_headers={"X-Order": "7"})
    await call.wait_active(LIMIT)
    call.application_state = {"step": "menu", "tries": 2}
    snapshot = pickle.loads(pickle.dumps(alice.session_snapshot()))

    (taken,) = await resume(successor, gateway, snapshot)
    await taken.wait_active(LIMIT)
    await echoes(taken, 600)
    assert taken.resumed
    assert not call.resumed
    assert (taken.call_id, taken.direction) == (call.call_id, CallDirection.OUTBOUND)
    assert taken.application_state == {"step": "menu", "tries": 2}
    assert (taken.client_state, taken.destination_number) == ("of the invoice", "echo")
    assert taken.telnyx_ids == call.telnyx_ids
    assert taken.remote_headers == call.remote_headers

    await alice.connection_status_flow.wait_for(ConnectionStatus.DISCONNECTED, timeout=LIMIT)
    await call.wait_done(LIMIT)
    assert alice.session_snapshot_flow.value is None
    await echoes(taken, 700)  # it was not hung up by the one that went
    await taken.end()


async def test_call_of_two_users_is_handed_on_held_and_muted(
    alice: TelnyxClient, bob: TelnyxClient, successor: TelnyxClient, gateway: Gateway
) -> None:
    theirs, call = await answered_call(bob, alice, "alice")
    call.mute()
    await call.hold()
    snapshot = SessionSnapshot.from_json((await alice.detach()).to_json())
    assert alice.connection_status_flow.value is ConnectionStatus.DISCONNECTED
    reason = await call.wait_done(LIMIT)
    assert reason.cause == "DETACHED"
    assert theirs.termination_reason is None

    (taken,) = await resume(successor, gateway, snapshot)
    await taken.call_state_flow.wait_for(CallState.HELD, timeout=LIMIT)
    assert taken.muted
    assert taken.remote_party == call.remote_party
    await taken.unhold()
    taken.unmute()
    async with saying_tone(taken.audio, 800):
        await hear_tone(theirs.audio, 800)
    await theirs.end()
    await taken.wait_done(LIMIT)


async def test_calls_of_a_killed_process_go_on(successor: TelnyxClient, gateway: Gateway) -> None:
    async with program(gateway, "echo", "echo") as (process, snapshot):
        process.send_signal(signal.SIGKILL)
        await process.wait()
        calls = await resume(successor, gateway, snapshot)
        assert [call.application_state for call in calls] == [{"number": 0}, {"number": 1}]
        for call, hz in zip(calls, (500, 900), strict=True):
            await call.wait_active(LIMIT)
            await echoes(call, hz)
        assert {call.call_id for call in calls} == {call.call_id for call in successor.session_snapshot().calls}


async def test_calls_of_a_process_that_hangs_are_taken_from_it(successor: TelnyxClient, gateway: Gateway) -> None:
    """As when its host is gone: nothing tells the server that the connection is dead."""
    async with program(gateway, "echo") as (process, snapshot):
        process.send_signal(signal.SIGSTOP)
        (call,) = await resume(successor, gateway, snapshot)
        await call.wait_active(LIMIT)
        await echoes(call, 600)


async def test_call_that_was_answered_after_the_snapshot(
    alice: TelnyxClient, successor: TelnyxClient, gateway: Gateway
) -> None:
    snapshot = alice.session_snapshot()
    assert not snapshot.calls
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    begun = successor.new_calls.collect()
    assert await resume(successor, gateway, snapshot) == ()
    taken = await asyncio.wait_for(anext(begun), LIMIT)
    assert (taken.call_id, taken.resumed, taken.application_state) == (call.call_id, True, None)
    await taken.wait_active(LIMIT)
    await echoes(taken, 600)


async def test_call_that_the_server_did_not_keep_is_over(
    alice: TelnyxClient, successor: TelnyxClient, gateway: Gateway
) -> None:
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    snapshot = alice.session_snapshot()
    await call.end()
    (taken,) = await resume(successor, gateway, snapshot)
    assert (await taken.wait_done(LIMIT)).cause == "SERVER_ERROR"
    assert not successor.calls


async def test_snapshots_follow_what_happens(alice: TelnyxClient) -> None:
    latest = alice.session_snapshot_flow

    async def shows(**values: object) -> None:
        def does(snapshot: SessionSnapshot | None) -> bool:
            calls = snapshot.calls if snapshot else ()
            return bool(calls) and all(getattr(calls[0], name) == value for name, value in values.items())

        await latest.wait_for(does, timeout=LIMIT)

    with latest.collect():
        call = await alice.new_invite("echo")
        await call.wait_active(LIMIT)
        await shows(call_id=call.call_id, held=False, muted=False)
        call.mute()
        await shows(muted=True)
        call.application_state = ["half", "an", "order"]
        await shows(application_state=["half", "an", "order"])
        await call.hold()
        await shows(held=True)
        await call.end()
        await latest.wait_for(lambda snapshot: snapshot is not None and not snapshot.calls, timeout=LIMIT)
        await alice.disconnect()
        await latest.wait_for(lambda snapshot: snapshot is None, timeout=LIMIT)


async def test_what_is_not_resumed(alice: TelnyxClient, successor: TelnyxClient, gateway: Gateway) -> None:
    with pytest.raises(SocketConnectionError, match="connect first"):
        successor.session_snapshot()
    with pytest.raises(SocketConnectionError, match="connect first"):
        await successor.detach()
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    snapshot = alice.session_snapshot()
    with pytest.raises(SocketConnectionError, match="connected already"):
        await resume(alice, gateway, snapshot)
    with pytest.raises(ConfigurationError, match="not of 'alice'"):
        await resume(successor, gateway, replace(snapshot, account="bob"))
    with pytest.raises(ConfigurationError, match="twice"):
        await resume(successor, gateway, replace(snapshot, calls=snapshot.calls * 2))
    wrong, server = CredentialConfig("alice", "wrong"), TxServerConfiguration.parse(gateway.url)
    with pytest.raises(AuthenticationError):
        await successor.resume(snapshot, wrong, server)
    assert not successor.calls
    await echoes(call, 600)
    with pytest.raises(ConfigurationError, match="no JSON"):
        call.application_state = {1, 2}  # type: ignore[assignment]
    assert call.application_state is None


async def test_a_stranger_resumes_nothing(
    alice: TelnyxClient, bob: TelnyxClient, successor: TelnyxClient, gateway: Gateway
) -> None:
    """The id of a session is no password: another user gets nothing for it."""
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    await bob.disconnect()
    stolen = replace(alice.session_snapshot(), account="bob")
    server = TxServerConfiguration.parse(gateway.url)
    (taken,) = await successor.resume(stolen, CredentialConfig("bob", "s3cret"), server)
    await taken.wait_done(LIMIT)
    await echoes(call, 600)


@asynccontextmanager
async def program(
    gateway: Gateway, *destinations: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, SessionSnapshot]]:
    """Another process with a call to each destination, and its latest snapshot."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(resumable.__file__), gateway.url, "alice", "s3cret", *destinations),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        snapshot = None
        async with asyncio.timeout(LIMIT):
            while snapshot is None or len(snapshot.calls) < len(destinations) or not _is_whole(snapshot.calls[-1]):
                line = await process.stdout.readline()
                assert line, "it ended"
                snapshot = SessionSnapshot.from_json(line)
        yield process, snapshot
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _is_whole(call: CallSnapshot) -> bool:
    return call.application_state is not None
