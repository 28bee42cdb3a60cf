"""Every public coroutine, cancelled at every one of its await points: what is left is consistent and can be closed."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import telnyx_native
from support.cancellation import CancelAt
from support.credential_api import API_KEY, CredentialApi, credential_api
from support.field_descriptions import OFFER
from support.limit import LIMIT
from support.telnyx_server import ScriptedServer, listening
from support.tokens import token_for
from telnyx_native import (
    AudioTap,
    Call,
    CallControl,
    CallState,
    ConnectionStatus,
    CredentialConfig,
    PushConfig,
    SessionSnapshot,
    TelephonyCredentials,
    TelnyxClient,
    TelnyxError,
    TokenConfig,
    mint_login_token,
    run_pre_call,
)
from telnyx_native.client import precall
from telnyx_native.config import Timeouts, TxServerConfiguration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from support.fake_media import FakeEngine

TIMEOUTS = Timeouts(
    connect=1, login=0.5, gateway_poll=0.05, request=0.5, bye=0.2, gather=0.05, media=0.3, ice_restart=0.5, close=0.5
)
MOST_POINTS = 60
ALICE = CredentialConfig("alice", "s3cret", push=PushConfig("device-token"))
CALL_ID = "6f0d9f7e-0000-4000-8000-000000000001"
TOKEN = TokenConfig(token_for(86_400))  # made when tests are collected, used minutes later
AT_ONCE = {
    "AiAssistant.send_message",
    "AiAssistant.subscribe_audio_stream",
    "TelephonyCredentials.close",
    "TelnyxClient.send_ai_assistant_message",
}
"""What does not wait, as long as the server takes what it is sent, and nothing is going on."""
PUSH = {"metadata": {"call_id": CALL_ID, "voice_sdk_id": "V9", "caller_number": "+1"}}


class Scene:
    """A client and its server, and what a coroutine needs before it can be called."""

    call: Call
    consultation: telnyx_native.Consultation[Call]
    tap: AudioTap
    packets: telnyx_native.PacketTap
    filtered: telnyx_native.FilteredAudio
    recording: telnyx_native.Recording
    api: CredentialApi
    credentials: TelephonyCredentials

    def __init__(self, client: TelnyxClient, server: ScriptedServer, directory: Path) -> None:
        self.directory = directory
        self.things = AsyncExitStack()
        self.client = client
        self.server = server
        self.config = TxServerConfiguration.parse(server.address)

    async def offline(self) -> None:
        pass

    async def failing(self) -> None:
        states = iter(["FAIL_WAIT", "FAIL_WAIT", "REGED"])
        self.server.parts["telnyx_rtc.gatewayState"] = lambda _: {"params": {"state": next(states)}, "sessid": "S1"}

    async def connected(self) -> None:
        self.server.tokens.add(TOKEN.sip_token)
        await self.client.connect(self.config)

    async def online(self) -> None:
        await self.client.connect(self.config, ALICE)

    async def pushed(self) -> None:
        await self.client.connect(self.config, ALICE, tx_push_meta_data=PUSH)
        self.server.push("telnyx_rtc.invite", callID=CALL_ID, sdp=OFFER)

    async def placed(self) -> None:
        await self.online()
        self.call = await self.client.new_invite("echo")

    async def answered(self) -> None:
        await self.placed()
        self.server.push("telnyx_rtc.answer", callID=self.call.call_id, sdp="v=0 answer")

    async def hung_up(self) -> None:
        await self.placed()
        self.server.push("telnyx_rtc.bye", callID=self.call.call_id, cause="NORMAL_CLEARING")

    async def active(self) -> None:
        await self.answered()
        await self.call.wait_active(LIMIT)

    async def transferable(self) -> None:
        await self.placed()
        ids = {"telnyx_call_control_id": "v3:1", "telnyx_session_id": "S9", "telnyx_leg_id": "L1"}
        self.server.push("telnyx_rtc.answer", callID=self.call.call_id, sdp="v=0 answer", **ids)
        await self.call.wait_active(LIMIT)

    async def held(self) -> None:
        await self.active()
        await self.call.hold()

    async def ending(self) -> None:
        """In a call that is over soon: what waits for its audio is released then."""
        await self.active()
        self.tap = self.call.audio.tap()
        self.packets = self.call.audio.tap_packets()
        self.filtered = self.call.audio.filtered(bytes)
        self.soon(self.call.hang_up)

    async def full(self) -> None:
        await self.ending()
        while self.call.audio.write_nowait(bytes(32_000)):
            pass

    async def recorded(self) -> None:
        await self.active()
        self.recording = await self.call.record(self.directory / "call.wav")

    async def collected(self) -> None:
        self.soon(lambda: setattr(self, "collector", self.client.warning_flow.collect()))

    async def answering(self) -> None:
        await self.online()

        def answer(params: dict[str, Any]) -> dict[str, Any]:
            call_id = params["dialogParams"]["callID"]
            self.soon(lambda: self.server.push("telnyx_rtc.answer", callID=call_id, sdp="v=0 answer"))
            return {}

        self.server.parts["telnyx_rtc.invite"] = answer

    async def consulting(self) -> None:
        await self.answering()
        self.call = await self.client.new_invite("echo")
        await self.call.wait_active(LIMIT)

    async def consulted(self) -> None:
        await self.consulting()
        self.consultation = await self.call.consult("carol", timeout=LIMIT)

    async def minting(self) -> None:
        self.api = await self.things.enter_async_context(credential_api())
        self.credentials = TelephonyCredentials(API_KEY, base_url=self.api.url)
        self.things.push_async_callback(self.credentials.close)

    async def with_credential(self) -> None:
        await self.minting()
        await self.credentials.create("connection-7", "bot")

    def soon(self, act: Callable[[], object]) -> None:
        asyncio.get_running_loop().call_later(0.01, act)

    async def ringing(self) -> None:
        await self.online()
        calls = self.client.incoming_calls.collect()
        self.server.push("telnyx_rtc.invite", callID=CALL_ID, sdp=OFFER)
        self.call = await asyncio.wait_for(anext(calls), LIMIT)


async def played(playback: telnyx_native.Playback) -> bool:
    return await playback


STEPS: dict[str, tuple[Callable[[Scene], Awaitable[None]], Callable[[Scene], Coroutine[Any, Any, object]]]] = {
    "TelnyxClient.connect": (Scene.offline, lambda s: s.client.connect(s.config, ALICE)),
    "TelnyxClient.connect, while the registration fails": (
        Scene.failing,
        lambda s: s.client.connect(s.config, ALICE),
    ),
    "TelnyxClient.connect_anonymously": (
        Scene.offline,
        lambda s: s.client.connect_anonymously("a1", server_config=s.config),
    ),
    "TelnyxClient.connect_with_decline_push": (
        Scene.offline,
        lambda s: s.client.connect_with_decline_push(PUSH, ALICE, server_config=s.config),
    ),
    "TelnyxClient.credential_login": (Scene.connected, lambda s: s.client.credential_login(ALICE)),
    "TelnyxClient.token_login": (Scene.connected, lambda s: s.client.token_login(TOKEN)),
    "TelnyxClient.wait_for_pushed_call": (Scene.pushed, lambda s: s.client.wait_for_pushed_call()),
    "TelnyxClient.disable_push": (Scene.online, lambda s: s.client.disable_push()),
    "TelnyxClient.send_ai_assistant_message": (
        Scene.online,
        lambda s: s.client.send_ai_assistant_message("Hello"),
    ),
    "TelnyxClient.resume": (Scene.offline, lambda s: s.client.resume(SessionSnapshot("S1", "alice"), ALICE, s.config)),
    "TelnyxClient.detach": (Scene.active, lambda s: s.client.detach()),
    "TelnyxClient.drain": (Scene.active, lambda s: s.client.drain(0.05)),
    "TelnyxClient.disconnect": (Scene.active, lambda s: s.client.disconnect()),
    "TelnyxClient.close": (Scene.active, lambda s: s.client.close()),
    "TelnyxClient.new_invite": (Scene.online, lambda s: s.client.new_invite("echo", use_trickle_ice=True)),
    "TelnyxClient.hold_others": (Scene.active, lambda s: s.client.hold_others()),
    "TelnyxClient.swap_to": (Scene.held, lambda s: s.client.swap_to(s.call)),
    "TelnyxClient.accept_call": (Scene.ringing, lambda s: s.client.accept_call(s.call.call_id)),
    "TelnyxClient.end_call": (Scene.active, lambda s: s.client.end_call(s.call.call_id)),
    "TelnyxClient.new_invite, without trickle": (Scene.online, lambda s: s.client.new_invite("echo")),
    "Call.accept": (Scene.ringing, lambda s: s.call.accept(use_trickle_ice=True)),
    "Call.reject": (Scene.ringing, lambda s: s.call.reject()),
    "Call.end": (Scene.active, lambda s: s.call.end()),
    "Call.hold": (Scene.active, lambda s: s.call.hold()),
    "Call.unhold": (Scene.held, lambda s: s.call.unhold()),
    "Call.toggle_hold": (Scene.active, lambda s: s.call.toggle_hold()),
    "Call.dtmf": (Scene.active, lambda s: s.call.dtmf("1")),
    "Call.dtmf_in_band": (Scene.active, lambda s: s.call.dtmf_in_band("1")),
    "Call.message": (Scene.active, lambda s: s.call.message("Hello")),
    "Call.detect_answer": (Scene.ending, lambda s: s.call.detect_answer()),
    "Call.wait_for_beep": (Scene.ending, lambda s: s.call.wait_for_beep(timeout=LIMIT)),
    "Call.wait_greeting_ended": (Scene.ending, lambda s: s.call.wait_greeting_ended()),
    "Call.restart_ice": (Scene.active, lambda s: s.call.restart_ice()),
    "Call.record": (Scene.active, lambda s: s.call.record(s.directory / "call.wav")),
    "Call.record_packets": (Scene.active, lambda s: s.call.record_packets(s.directory / "call.opus")),
    "Call.set_max_bitrate": (Scene.active, lambda s: s.call.set_max_bitrate(20_000)),
    "Call.stats": (Scene.active, lambda s: s.call.stats()),
    "Call.transfer": (Scene.transferable, lambda s: s.call.transfer("+15550102")),
    "Call.consult": (Scene.consulting, lambda s: s.call.consult("carol", timeout=LIMIT)),
    "Consultation.cancel": (Scene.consulted, lambda s: s.consultation.cancel()),
    "Call.wait_active": (Scene.answered, lambda s: s.call.wait_active(LIMIT)),
    "Call.wait_done": (Scene.hung_up, lambda s: s.call.wait_done()),
    "AiAssistant.send_message": (Scene.online, lambda s: s.client.ai.send_message("Hello")),
    "AiAssistant.subscribe_audio_stream": (Scene.online, lambda s: s.client.ai.subscribe_audio_stream()),
    "AudioStream.read": (Scene.ending, lambda s: s.call.audio.read(16_000)),
    "AudioStream.write": (Scene.full, lambda s: s.call.audio.write(bytes(64_000))),
    "AudioStream.write, of what is played": (Scene.full, lambda s: played(s.call.audio.play(bytes(64_000)))),
    "AudioStream.drain": (Scene.full, lambda s: s.call.audio.drain()),
    "AudioTap.read": (Scene.ending, lambda s: s.tap.read(16_000)),
    "FilteredAudio.read": (Scene.ending, lambda s: s.filtered.read(16_000)),
    "PacketTap.read": (Scene.ending, lambda s: s.packets.read()),
    "Recording.complete": (Scene.recorded, lambda s: s.recording.complete()),
    "Recording.stop": (Scene.recorded, lambda s: s.recording.stop()),
    "SharedFlow.first": (Scene.hung_up, lambda s: s.client.socket_response_flow.first(timeout=LIMIT)),
    "SharedFlow.wait_collected": (Scene.collected, lambda s: s.client.warning_flow.wait_collected()),
    "StateFlow.wait_for": (Scene.hung_up, lambda s: s.call.call_state_flow.wait_for(CallState.DONE, timeout=LIMIT)),
    "run_pre_call": (Scene.answering, lambda s: run_pre_call(s.client, "echo", duration=2)),
    "TelephonyCredentials.create": (Scene.minting, lambda s: s.credentials.create("connection-7", "bot")),
    "TelephonyCredentials.find": (Scene.with_credential, lambda s: s.credentials.find("bot")),
    "TelephonyCredentials.mint_token": (Scene.with_credential, lambda s: s.credentials.mint_token("credential-1")),
    "TelephonyCredentials.delete": (Scene.with_credential, lambda s: s.credentials.delete("credential-1")),
    "TelephonyCredentials.close": (Scene.with_credential, lambda s: s.credentials.close()),
    "mint_login_token": (Scene.minting, lambda s: mint_login_token(API_KEY, "connection-7")),
}
"""What has to be so before, and the coroutine; behind a comma, when that is."""

WITH_DEVICES = {"Handset.close", "Handset.open", "Handset.use", "run_microphone_check"}
"""Tested where there are sound devices: `integration/test_handset.py`."""


WITH_THE_ENGINE = {"Consultation.complete", "Consultation.merge"}
"""Tested where calls hear each other: `integration/test_consultation.py`."""

OTHERWISE = {
    telnyx_native.AudioLayer,
    telnyx_native.AudioOutput,
    telnyx_native.Conference,
    telnyx_native.TurnModel,
}
"""An `AudioStream` is an output, too; a conference needs the native engine: `integration/test_joins.py`. A model is
somebody else's."""


def public_coroutines() -> Iterator[str]:
    """The coroutines of the package's public names, and of their methods."""
    for name in telnyx_native.__all__:
        thing = getattr(telnyx_native, name)
        if inspect.iscoroutinefunction(thing):
            yield name
        if inspect.isclass(thing) and thing not in OTHERWISE:
            methods = inspect.getmembers(thing, inspect.iscoroutinefunction)
            yield from (f"{name}.{method}" for method, _ in methods if not method.startswith("_"))


def test_every_public_coroutine_is_here() -> None:
    assert set(public_coroutines()) == {name.partition(",")[0] for name in STEPS} | WITH_DEVICES | WITH_THE_ENGINE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    import_module("telnyx")  # takes a while, the first time
    monkeypatch.setattr(precall, "INTERVAL", 0.001)
    monkeypatch.setattr("telnyx_native.call.transfer.LOOK_INTERVAL", 0.001)


@pytest.mark.parametrize("name", STEPS)
async def test_cancelled_at_every_await_point(media: FakeEngine, name: str, tmp_path: Path) -> None:
    points = 0
    while await cancelled(media, name, points, tmp_path):
        points += 1
        assert points < MOST_POINTS
    assert points > 0 or name in AT_ONCE


async def cancelled(media: FakeEngine, name: str, point: int, directory: Path) -> bool:
    """Cancel a coroutine at one of its points, check what is left, and return whether it came that far."""
    server, cancel = ScriptedServer(), CancelAt(point)
    async with AsyncExitStack() as stack, listening(server.serve) as server.address, asyncio.timeout(LIMIT):
        control = None
        if name == "Call.transfer":
            control = CallControl(API_KEY, (await stack.enter_async_context(credential_api())).url)
        client = TelnyxClient(timeouts=TIMEOUTS, call_control=control)
        scene = Scene(client, server, directory)
        prepare, act = STEPS[name]
        await prepare(scene)
        running = asyncio.create_task(cancel.run(act(scene)))
        await asyncio.wait({running})
        assert running.cancelled() == cancel.reached
        assert cancel.reached or isinstance(running.exception(), TelnyxError | None)
        await scene.things.aclose()
        calls = list(client.calls.values())
        await client.disconnect()
        assert not client.calls
        assert all(isinstance(call.state, CallState.DONE) for call in calls)
        assert client.connection_status_flow.value is ConnectionStatus.DISCONNECTED
        assert media.users == 0
        assert all(peer.closed for peer in media.peers)
        await client.close()
    left = [task for task in asyncio.all_tasks() if task.get_name().startswith("telnyx-")]
    assert not left
    return cancel.reached
