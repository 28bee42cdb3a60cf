"""Calls in `telnyx_native.sync`, as a script without an event loop has them."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, silence, tone
from support.sound_server import needs_sound_server, sound_server
from telnyx_native import sync
from telnyx_native.gateway import Gateway, User, scripted_brain
from telnyx_native.sync import (
    AudioClosedError,
    AudioConfig,
    AudioDirection,
    AuthenticationError,
    Call,
    CallError,
    CallState,
    CredentialConfig,
    DtmfReceived,
    Handset,
    HandsetState,
    SocketConnectionError,
    TelnyxClient,
    TxServerConfiguration,
    Verdict,
    VoiceActivity,
    WaitTimeoutError,
    run_pre_call,
)
from telnyx_native.sync.loop_thread import loop_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATE = 16_000


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway on the loop that the clients use, too."""
    loop = loop_thread()
    running = loop.call(
        lambda: Gateway([User("alice", "s3cret"), User("bob", "s3cret")], assistants={"assistant": scripted_brain})
    )
    loop.run(running.start)
    yield running
    loop.run(running.close)


def connect(client: TelnyxClient, gateway: Gateway, user: str = "alice", password: str = "s3cret") -> None:
    client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig(user, password))


@pytest.fixture
def alice(gateway: Gateway) -> Iterator[TelnyxClient]:
    with TelnyxClient() as client:
        connect(client, gateway)
        yield client


def test_a_call_from_beginning_to_end(alice: TelnyxClient, tmp_path: Path) -> None:
    call = alice.new_invite("echo")
    assert alice.calls == {call.call_id.lower(): call}
    states = call.call_state_flow.collect()
    call.wait_active(LIMIT)
    assert call.state == CallState.ACTIVE
    with call.record(tmp_path / "call.wav"):
        call.audio.write(tone(440, 2.0, RATE).data)
        call.audio.read(RATE)  # the jitter buffer settles
        assert dominant_frequency(pcm(call.audio.read(RATE // 2)), RATE) == pytest.approx(440, abs=3)
        call.audio.drain()
    assert (tmp_path / "call.wav").stat().st_size > RATE
    call.hold()
    assert call.call_state_flow.value == CallState.HELD
    call.unhold()
    call.end()
    assert str(call.wait_done()) == "NORMAL_CLEARING 16"
    assert [state.name for state in states][-3:] == ["HELD", "ACTIVE", "DONE"]
    assert alice.calls == {}


def test_audio_waits_for_nobody_while_it_is_there(alice: TelnyxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    call = alice.new_invite("tone:440")
    call.wait_active(LIMIT)
    audio = call.audio
    while audio.readable < 0.2:
        audio.drain()
    monkeypatch.setattr(loop_thread(), "run", None)  # whoever took the long way would notice
    assert len(audio.read(160)) == 320
    assert len(next(iter(audio))) == 640
    assert len(audio.read_nowait(160)) == 320
    assert audio.readinto(bytearray(320)) == 160
    audio.write(silence(0.5, RATE).data)
    assert audio.queued > 0.3
    monkeypatch.undo()
    assert audio.clear().dropped > 0.2


def test_writing_waits_for_room_and_is_cut_short(alice: TelnyxClient) -> None:
    call = alice.new_invite("echo")
    call.wait_active(LIMIT)
    writer = threading.Thread(target=lambda: call.audio.write(silence(60, RATE).data))
    writer.start()
    call.audio.read(RATE // 10)
    dropped = call.audio.clear().dropped
    writer.join(LIMIT)
    assert not writer.is_alive()
    assert dropped > 50


def test_answering_with_a_thread_for_each_call(alice: TelnyxClient, gateway: Gateway) -> None:
    def serve(call: Call) -> None:
        call.accept()
        with suppress(AudioClosedError):
            for frame in call.audio:
                call.audio.write(frame)

    def answer() -> None:
        for call in incoming:
            threading.Thread(target=serve, args=(call,)).start()

    incoming = alice.incoming_calls.collect()
    answering = threading.Thread(target=answer)
    answering.start()
    with TelnyxClient() as bob:
        connect(bob, gateway, "bob")
        calls = [bob.new_invite("alice") for _ in range(2)]
        for call in calls:
            call.wait_active(LIMIT)
            call.audio.write(tone(600, 2.0, RATE).data)
        for call in calls:
            call.audio.read(RATE)
            assert dominant_frequency(pcm(call.audio.read(RATE // 2)), RATE) == pytest.approx(600, abs=3)
    incoming.close()
    answering.join(LIMIT)
    assert not answering.is_alive()


def test_what_is_heard(alice: TelnyxClient, gateway: Gateway) -> None:
    incoming = alice.incoming_calls.collect()
    with TelnyxClient() as bob:
        connect(bob, gateway, "bob")
        outbound = bob.new_invite("alice")
        call = next(incoming)
        assert call is alice.calls[call.call_id.lower()]
        call.accept()
        keys = call.dtmf_flow.collect()
        with call.audio.tap(AudioDirection.RECEIVED) as tap:
            outbound.wait_active(LIMIT)
            assert len(tap.read(RATE // 10)) == RATE // 5
            assert len(next(iter(tap))) == 640
        outbound.dtmf_in_band("5")
        key = next(keys)
        assert isinstance(key, DtmfReceived)
        assert key.key == "5"
        with pytest.raises(WaitTimeoutError):
            call.voice_activity_flow.first(lambda activity: not isinstance(activity, VoiceActivity), timeout=0.05)
        with pytest.raises(WaitTimeoutError, match="still ACTIVE"):
            call.call_state_flow.wait_for(CallState.HELD, timeout=0.05)

        assert outbound.audio.counters.captured > 0


def test_a_callback_may_wait(alice: TelnyxClient) -> None:
    call = alice.new_invite("echo")
    call.wait_active(LIMIT)
    told: list[object] = []

    def end(metrics: object) -> None:
        told.append(metrics)
        call.end()

    call.on_call_quality_change = end
    assert call.on_call_quality_change is end
    call.wait_done()
    assert isinstance(told[0], sync.CallQualityMetrics)


def test_a_tool_may_block(gateway: Gateway) -> None:
    with TelnyxClient() as client:
        client.connect_anonymously("assistant", server_config=TxServerConfiguration.parse(gateway.url))

        @client.ai.tool("get_weather")
        def get_weather(city: str) -> str:
            time.sleep(0)
            return f"fine in {city}"

        call = client.new_invite()
        call.wait_active(LIMIT)
        said = client.ai.transcript_update_flow.collect()
        client.ai.send_message('use get_weather {"city": "Oslo"}')
        while "get_weather returned fine in Oslo" not in [item.content for item in next(said)]:
            pass


def test_test_call(alice: TelnyxClient) -> None:
    assert run_pre_call(alice, "echo", duration=2).verdict is Verdict.READY


@needs_sound_server
def test_microphone_and_loudspeaker(
    alice: TelnyxClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    loop, sounds = loop_thread(), sound_server(tmp_path)
    server = loop.run(sounds.__aenter__)
    request.addfinalizer(lambda: loop.run(sounds.__aexit__, None, None, None))
    monkeypatch.setenv("PULSE_SERVER", server.address)
    server.add_room("room")
    call = alice.new_invite("echo", audio=AudioConfig.microphone())
    call.wait_active(LIMIT)
    with Handset(call) as handset:
        assert handset.state.value is HandsetState.WORKING
        deadline = time.monotonic() + LIMIT
        while not call.audio.played:  # what the microphone has heard
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert handset.state.value is HandsetState.CLOSED


def test_errors_are_those_of_the_asynchronous_methods(gateway: Gateway, alice: TelnyxClient) -> None:
    with TelnyxClient() as client:
        with pytest.raises(AuthenticationError, match="bob"):
            connect(client, gateway, "bob", "wr0ng")
        with pytest.raises(SocketConnectionError, match="not logged in"):
            client.new_invite("echo")
    with pytest.raises(CallError, match="USER_BUSY"):
        alice.new_invite("busy").wait_active(LIMIT)
    with pytest.raises(AttributeError):
        alice.nonsense  # noqa: B018 - looking it up is the point
    with pytest.raises(AttributeError):
        alice.incoming = None  # type: ignore[attr-defined]


async def test_where_an_event_loop_runs_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="use telnyx_native, not"):
        TelnyxClient()
    await asyncio.sleep(0)


def test_listeners_on_the_loop_do_not_wait_for_themselves(alice: TelnyxClient) -> None:
    with pytest.raises(RuntimeError, match="wait for itself"):
        loop_thread().call(lambda: alice.new_invite("echo"))


def test_a_fork_begins_anew(gateway: Gateway) -> None:
    code = """
import os, sys
from telnyx_native.sync import CredentialConfig, TelnyxClient, TxServerConfiguration
old = TelnyxClient()
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
try:
    old.disconnect()
except RuntimeError as error:
    assert "after the fork" in str(error)
with TelnyxClient() as client:
    client.connect(TxServerConfiguration.parse(sys.argv[1]), CredentialConfig("alice", "s3cret"))
    client.new_invite("tone:440").wait_active(10)
"""
    with start(code, gateway) as process:
        _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, errors


PROGRAM = """
import sys, threading
from telnyx_native.sync import CredentialConfig, TelnyxClient, TxServerConfiguration
client = TelnyxClient()
client.connect(TxServerConfiguration.parse(sys.argv[1]), CredentialConfig("alice", "s3cret"))
call = client.new_invite("echo")
call.wait_active(10)
print(call.call_id, flush=True)
"""


def start(program: str, gateway: Gateway) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", program, gateway.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_end_of_the_program_hangs_up(gateway: Gateway) -> None:
    with start(PROGRAM, gateway) as process:
        output, errors = process.communicate(timeout=LIMIT)
    assert (process.returncode, errors) == (0, "")
    assert output
    assert gateway.calls == []


@pytest.mark.parametrize(
    "waiting", ["call.wait_done()", "call.audio.read(10**7)", "next(client.incoming_calls.collect())"]
)
def test_ctrl_c_interrupts_whatever_waits(gateway: Gateway, waiting: str) -> None:
    interruptible = f"""
try:
    print(call.call_id, flush=True)
    {waiting}
except KeyboardInterrupt:
    call.end()
    print(call.termination_reason)
    raise
"""
    with start(PROGRAM.replace("print(call.call_id, flush=True)\n", interruptible), gateway) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (leg,) = gateway.calls
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=LIMIT)
    assert output == "NORMAL_CLEARING 16\n"
    assert errors.rstrip().endswith("KeyboardInterrupt")
    # CPython forgets that it ends by a signal when something is imported meanwhile, as what posts the call report is.
    assert process.returncode in {-signal.SIGINT, 1}
    assert leg.reason is not None
    assert leg.reason.cause == "NORMAL_CLEARING"


def test_ctrl_c_interrupts_although_another_thread_got_the_signal(gateway: Gateway) -> None:
    taken = """
import signal, threading
threading.Timer(0.5, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT)).start()
call.wait_done()
"""
    with start(PROGRAM.replace("print(call.call_id, flush=True)\n", taken), gateway) as process:
        _, errors = process.communicate(timeout=LIMIT)
    assert errors.rstrip().endswith("KeyboardInterrupt")


def test_ctrl_c_leaves_the_block_and_hangs_up(gateway: Gateway) -> None:
    blocked = PROGRAM.replace("client = TelnyxClient()", "with TelnyxClient() as client:", 1)
    head, _, body = blocked.partition("client:\n")
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    with start(f"{head}client:\n{indented}    call.wait_done()\n", gateway) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (leg,) = gateway.calls
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
    assert process.returncode == -signal.SIGINT
    assert leg.reason is not None
    assert leg.reason.cause == "NORMAL_CLEARING"
