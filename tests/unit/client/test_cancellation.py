"""Every public coroutine, cancelled at every one of its await points: what is left is consistent and can be closed."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.cancellation import CancelAt
from support.telnyx_server import LIMIT, ScriptedServer, listening
from support.tokens import token_for
from telnyx_native import Call, CallState, ConnectionStatus, CredentialConfig, PushConfig, TelnyxClient, TokenConfig
from telnyx_native.config import Timeouts, TxServerConfiguration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from support.fake_media import FakeEngine

TIMEOUTS = Timeouts(
    connect=1, login=0.5, gateway_poll=0.05, request=0.5, bye=0.2, gather=0.05, media=0.3, ice_restart=0.5, close=0.5
)
MOST_POINTS = 60
ALICE = CredentialConfig("alice", "s3cret", push=PushConfig("device-token"))
CALL_ID = "6f0d9f7e-0000-4000-8000-000000000001"
TOKEN = TokenConfig(token_for(86_400))  # made when tests are collected, used minutes later
AT_ONCE = {"TelnyxClient.send_ai_assistant_message"}
"""What does not wait, as long as the server takes what it is sent."""
PUSH = {"metadata": {"call_id": CALL_ID, "voice_sdk_id": "V9", "caller_number": "+1"}}


class Scene:
    """A client and its server, and what a coroutine needs before it can be called."""

    call: Call

    def __init__(self, client: TelnyxClient, server: ScriptedServer, directory: Path) -> None:
        self.directory = directory
        self.client = client
        self.server = server
        self.config = TxServerConfiguration.parse(server.address)

    async def offline(self) -> None:
        pass

    async def connected(self) -> None:
        self.server.tokens.add(TOKEN.sip_token)
        await self.client.connect(self.config)

    async def online(self) -> None:
        await self.client.connect(self.config, ALICE)

    async def pushed(self) -> None:
        await self.client.connect(self.config, ALICE, tx_push_meta_data=PUSH)
        self.server.push("telnyx_rtc.invite", callID=CALL_ID, sdp="v=0 offer")

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

    async def held(self) -> None:
        await self.active()
        await self.call.hold()

    async def ringing(self) -> None:
        await self.online()
        calls = self.client.incoming_calls.collect()
        self.server.push("telnyx_rtc.invite", callID=CALL_ID, sdp="v=0 offer")
        self.call = await asyncio.wait_for(anext(calls), LIMIT)


STEPS: dict[str, tuple[Callable[[Scene], Awaitable[None]], Callable[[Scene], Coroutine[Any, Any, object]]]] = {
    "TelnyxClient.connect": (Scene.offline, lambda s: s.client.connect(s.config, ALICE)),
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
    "TelnyxClient.drain": (Scene.active, lambda s: s.client.drain(0.05)),
    "TelnyxClient.disconnect": (Scene.active, lambda s: s.client.disconnect()),
    "TelnyxClient.close": (Scene.active, lambda s: s.client.close()),
    "TelnyxClient.new_invite": (Scene.online, lambda s: s.client.new_invite("echo", use_trickle_ice=True)),
    "TelnyxClient.hold_others": (Scene.active, lambda s: s.client.hold_others()),
    "TelnyxClient.swap_to": (Scene.held, lambda s: s.client.swap_to(s.call)),
    "TelnyxClient.accept_call": (Scene.ringing, lambda s: s.client.accept_call(s.call.call_id)),
    "TelnyxClient.end_call": (Scene.active, lambda s: s.client.end_call(s.call.call_id)),
    "Call.place": (Scene.online, lambda s: s.client.new_invite("echo")),  # which is who calls it
    "Call.accept": (Scene.ringing, lambda s: s.call.accept(use_trickle_ice=True)),
    "Call.reject": (Scene.ringing, lambda s: s.call.reject()),
    "Call.end": (Scene.active, lambda s: s.call.end()),
    "Call.hold": (Scene.active, lambda s: s.call.hold()),
    "Call.unhold": (Scene.held, lambda s: s.call.unhold()),
    "Call.toggle_hold": (Scene.active, lambda s: s.call.toggle_hold()),
    "Call.dtmf": (Scene.active, lambda s: s.call.dtmf("1")),
    "Call.dtmf_in_band": (Scene.active, lambda s: s.call.dtmf_in_band("1")),
    "Call.restart_ice": (Scene.active, lambda s: s.call.restart_ice()),
    "Call.record": (Scene.active, lambda s: s.call.record(s.directory / "call.wav")),
    "Call.stats": (Scene.active, lambda s: s.call.stats()),
    "Call.wait_active": (Scene.answered, lambda s: s.call.wait_active(LIMIT)),
    "Call.wait_done": (Scene.hung_up, lambda s: s.call.wait_done()),
}
"""What has to be so before, and the coroutine."""


@pytest.mark.parametrize("owner", [TelnyxClient, Call])
def test_every_public_coroutine_is_here(owner: type) -> None:
    public = {name for name, member in vars(owner).items() if inspect.iscoroutinefunction(member) and name[0] != "_"}
    here = {name.partition(".")[2] for name in STEPS if name.startswith(f"{owner.__name__}.")}
    assert public == here


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
    async with listening(server.serve) as server.address, asyncio.timeout(2 * LIMIT):
        client = TelnyxClient(timeouts=TIMEOUTS)
        scene = Scene(client, server, directory)
        prepare, act = STEPS[name]
        await prepare(scene)
        running = asyncio.create_task(cancel.run(act(scene)))
        await asyncio.wait({running})
        assert running.cancelled() == cancel.reached
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
