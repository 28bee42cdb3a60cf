"""The gateway's Voice API: Telnyx's own package sends the commands and verifies the webhooks, real clients talk."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import telnyx
from aiohttp import web
from telnyx import AsyncTelnyx

from support.hearing import hear_tone, saying_tone
from support.limit import LIMIT
from support.signals import tone
from support.users import log_in
from support.webhook_receiver import API_KEY, WebhookReceiver, api_client, webhook_receiver
from telnyx_native import Call, CallState, TelnyxClient
from telnyx_native.gateway import Application, DialPlan, Gateway, User, VoiceApi
from telnyx_native.media.files import write_wav

SUPPORT = "+15550200"
STATE = base64.b64encode(b"what I know of it").decode()


@pytest.fixture
async def webhooks() -> AsyncIterator[WebhookReceiver]:
    async with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
async def gateway(webhooks: WebhookReceiver, tmp_path: Path) -> AsyncIterator[Gateway]:
    write_wav(tmp_path / "music.wav", tone(700, 0.5, 24_000), 24_000)
    names = {"alice": "+15550100", "bob": "+15550101", "carol": "+15550102"}
    application = Application("support", webhooks.url, webhooks.failover_url, [SUPPORT], webhook_timeout=2.0)
    async with Gateway(
        [User(name, "s3cret", number) for name, number in names.items()],
        plan=DialPlan(sounds=tmp_path, groups={"sales": ["bob", "carol"]}),
        voice_api=VoiceApi([API_KEY], [application]),
    ) as running:
        webhooks.public_key = running.public_key
        yield running


@pytest.fixture
async def api(gateway: Gateway) -> AsyncIterator[AsyncTelnyx]:
    async with api_client(gateway.voice_api_url) as client:
        yield client


@pytest.fixture
async def carol(gateway: Gateway) -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient() as client:
        await log_in(client, gateway, "carol")
        yield client


async def initiated(alice: TelnyxClient, webhooks: WebhookReceiver) -> tuple[Call, str]:
    """A call of alice to the application, and its id for commands."""
    call = await alice.new_invite(SUPPORT)
    return call, (await webhooks.next("call.initiated"))["call_control_id"]


async def answered(alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx) -> tuple[Call, str]:
    """The same, answered."""
    call, control_id = await initiated(alice, webhooks)
    await api.calls.actions.answer(control_id)
    assert (await webhooks.next("call.answered"))["call_control_id"] == control_id
    await call.wait_active(LIMIT)
    return call, control_id


async def taken(callee: TelnyxClient, work: Any) -> Call:
    """The call that rings at a client because of a request, answered."""
    incoming = callee.incoming_calls.collect()
    await work
    call = await asyncio.wait_for(anext(incoming), LIMIT)
    await call.accept()
    await call.wait_active(LIMIT)
    return call


async def hear_each_other(one: Call, other: Call) -> None:
    async with saying_tone(one.audio, 440), saying_tone(other.audio, 1000):
        await asyncio.gather(hear_tone(one.audio, 1000), hear_tone(other.audio, 440))


async def test_call_is_transferred_to_a_user(
    alice: TelnyxClient, bob: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call = await alice.new_invite(SUPPORT, custom_headers={"X-Reason": "a question"})
    began = await webhooks.next("call.initiated")
    control_id, session_id = began["call_control_id"], began["call_session_id"]
    assert (began["from"], began["to"], began["direction"], began["state"]) == (
        "+15550100",
        SUPPORT,
        "incoming",
        "parked",
    )
    assert began["connection_id"] == "support"
    assert began["custom_headers"] == [{"name": "X-Reason", "value": "a question"}]

    inbound = await taken(
        bob,
        api.calls.actions.transfer(
            control_id,
            to="sip:bob@sip.example.com",
            from_=began["from"],
            from_display_name="Alice",
            custom_headers=[{"name": "X-Job", "value": "7"}],
            client_state=STATE,
            target_leg_client_state=base64.b64encode(b"the other").decode(),
        ),
    )
    await call.wait_active(LIMIT)
    assert (inbound.caller_number, inbound.caller_name) == ("+15550100", "Alice")
    assert inbound.remote_headers == {"X-Job": "7"}

    placed = await webhooks.next("call.initiated")
    assert (placed["direction"], placed["state"], placed["to"]) == ("outgoing", "bridging", "sip:bob@sip.example.com")
    assert placed["call_session_id"] == session_id
    assert placed["client_state"] == base64.b64encode(b"the other").decode()
    assert placed["call_control_id"] == inbound.telnyx_ids.call_control_id
    answers = [await webhooks.next("call.answered") for _ in range(2)]
    assert [answer["call_control_id"] for answer in answers] == [placed["call_control_id"], control_id]
    bridged = [await webhooks.next("call.bridged") for _ in range(2)]
    assert [each["call_control_id"] for each in bridged] == [control_id, placed["call_control_id"]]
    assert bridged[0]["client_state"] == STATE
    await hear_each_other(call, inbound)

    await call.end()
    ends = {end["call_control_id"]: end for end in [await webhooks.next("call.hangup") for _ in range(2)]}
    assert set(ends) == {control_id, placed["call_control_id"]}
    for end in ends.values():
        assert (end["hangup_cause"], end["hangup_source"], end["sip_hangup_cause"]) == (
            "normal_clearing",
            "caller",
            "200",
        )
    await inbound.wait_done()
    assert [webhook["meta"]["attempt"] for webhook in webhooks.received] == [1] * len(webhooks.received)
    assert len({webhook["data"]["id"] for webhook in webhooks.received}) == len(webhooks.received)


async def test_answer_playback_and_transfer(
    alice: TelnyxClient, bob: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await answered(alice, webhooks, api)
    await api.calls.actions.start_playback(control_id, audio_url="file:music.wav", loop="infinity")
    assert (await webhooks.next("call.playback.started"))["media_url"] == "file:music.wav"
    await hear_tone(call.audio, 700)
    inbound = await taken(bob, api.calls.actions.transfer(control_id, to="sip:bob@sip.example.com"))
    assert (await webhooks.next("call.initiated"))["from"] == SUPPORT, "the API's default"
    await webhooks.next("call.answered")
    ended = await webhooks.next("call.playback.ended")
    assert (ended["call_control_id"], ended["status"]) == (control_id, "cancelled")
    await webhooks.next("call.bridged")
    await hear_each_other(call, inbound)


async def test_reject(alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx) -> None:
    call, control_id = await initiated(alice, webhooks)
    await api.calls.actions.reject(control_id, cause="USER_BUSY")
    assert (await call.wait_done()).cause == "USER_BUSY"
    end = await webhooks.next("call.hangup")
    assert (end["hangup_cause"], end["hangup_source"], end["sip_hangup_cause"]) == ("user_busy", "callee", "486")


async def test_dial_and_bridge(
    alice: TelnyxClient, bob: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, first = await answered(alice, webhooks, api)

    async def dial() -> None:
        placed = await api.calls.dial(
            connection_id="support", to="+15550101", from_="+15550299", link_to=first, client_state=STATE
        )
        assert placed.data is not None
        assert (placed.data.is_alive, placed.data.client_state) == (False, STATE)

    inbound = await taken(bob, dial())
    second = (await webhooks.next("call.initiated"))["call_control_id"]
    assert inbound.caller_number == "+15550299"
    assert (await webhooks.next("call.answered"))["client_state"] == STATE
    result = await api.calls.actions.bridge(first, call_control_id_to_bridge_with=second, park_after_unbridge="self")
    assert result.data is not None
    assert result.data.result == "ok"
    assert {(await webhooks.next("call.bridged"))["call_control_id"] for _ in range(2)} == {first, second}
    await hear_each_other(call, inbound)

    await inbound.end()
    assert (await webhooks.next("call.hangup"))["call_control_id"] == second
    status = await api.calls.retrieve_status(first)  # it is parked
    assert status.data is not None
    assert status.data.is_alive
    gone = await api.calls.retrieve_status(second)
    assert gone.data is not None
    assert (gone.data.is_alive, gone.data.end_time is not None) == (False, True)
    await api.calls.actions.hangup(first)
    await call.wait_done()
    assert (await webhooks.next("call.hangup"))["hangup_source"] == "callee"


async def test_parked_caller_goes_on_with_another(
    alice: TelnyxClient, bob: TelnyxClient, carol: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)
    first = await taken(bob, api.calls.actions.transfer(control_id, to="sip:bob@x", park_after_unbridge="self"))
    await call.wait_active(LIMIT)
    await hear_each_other(call, first)
    await first.end()
    await webhooks.find("call.hangup")
    await api.calls.actions.start_playback(control_id, audio_url="file:music.wav", loop="infinity")
    await hear_tone(call.audio, 700)
    second = await taken(carol, api.calls.actions.transfer(control_id, to="sip:carol@x"))
    await hear_each_other(call, second)
    await second.end()
    await call.wait_done()  # it was parked once


async def test_dial_bridges_on_answer(
    alice: TelnyxClient, bob: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, first = await initiated(alice, webhooks)
    inbound = await taken(
        bob,
        api.calls.dial(
            connection_id="support", to="sip:bob@x", from_="+15550299", link_to=first, bridge_on_answer=True
        ),
    )
    await call.wait_active(LIMIT)
    await hear_each_other(call, inbound)


@pytest.mark.parametrize(
    ("to", "cause", "sip"),
    [("sip:bob@x", "user_busy", "486"), ("sip:nobody@x", "not_found", "404"), ("sip:carol@x", "unspecified", "480")],
)
async def test_caller_stays_when_a_transfer_fails(
    alice: TelnyxClient, bob: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx, to: str, cause: str, sip: str
) -> None:
    call, control_id = await answered(alice, webhooks, api)
    incoming = bob.incoming_calls.collect()
    await api.calls.actions.transfer(control_id, to=to)
    if "bob" in to:
        await (await asyncio.wait_for(anext(incoming), LIMIT)).reject()
    new = (await webhooks.next("call.initiated"))["call_control_id"]
    end = await webhooks.next("call.hangup")
    assert (end["call_control_id"], end["hangup_cause"], end["sip_hangup_cause"]) == (new, cause, sip)
    assert call.state == CallState.ACTIVE
    inbound = await taken(bob, api.calls.actions.transfer(control_id, to="sip:bob@x"))  # another try
    await hear_each_other(call, inbound)


async def test_transfer_that_nobody_answers_times_out(
    alice: TelnyxClient, bob: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)
    incoming = bob.incoming_calls.collect()
    await api.calls.actions.transfer(control_id, to="sip:bob@x", timeout_secs=5)
    ringing = await asyncio.wait_for(anext(incoming), LIMIT)
    await webhooks.next("call.initiated")
    assert (await webhooks.next("call.hangup"))["hangup_cause"] == "timeout"
    await ringing.wait_done()
    assert call.state == CallState.RINGING
    await api.calls.actions.hangup(control_id)
    await call.wait_done()


async def test_caller_that_leaves_takes_the_transfer_along(
    alice: TelnyxClient, bob: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)
    incoming = bob.incoming_calls.collect()
    await api.calls.actions.transfer(control_id, to="sip:bob@x")
    ringing = await asyncio.wait_for(anext(incoming), LIMIT)
    await webhooks.next("call.initiated")
    await call.end()
    ends = [await webhooks.next("call.hangup") for _ in range(2)]
    assert [end["hangup_cause"] for end in ends] == ["originator_cancel"] * 2
    await ringing.wait_done()


async def test_another_transfer_takes_the_place_of_one_that_rings(
    alice: TelnyxClient, bob: TelnyxClient, carol: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)
    incoming = bob.incoming_calls.collect()
    await api.calls.actions.transfer(control_id, to="sip:bob@x")
    ringing = await asyncio.wait_for(anext(incoming), LIMIT)
    inbound = await taken(carol, api.calls.actions.transfer(control_id, to="sip:carol@x"))
    await ringing.wait_done()
    await call.wait_active(LIMIT)
    await hear_each_other(call, inbound)


async def test_bridged_call_is_transferred_on(
    alice: TelnyxClient, bob: TelnyxClient, carol: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)
    first = await taken(bob, api.calls.actions.transfer(control_id, to="sip:bob@x"))
    await call.wait_active(LIMIT)
    await hear_each_other(call, first)
    second = await taken(carol, api.calls.actions.transfer(control_id, to="sip:carol@x"))
    assert (await first.wait_done()).cause == "NORMAL_CLEARING"
    await hear_each_other(call, second)


async def test_group_is_rung_and_one_has_the_call(
    alice: TelnyxClient, bob: TelnyxClient, carol: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)
    others = carol.incoming_calls.collect()
    inbound = await taken(bob, api.calls.actions.transfer(control_id, to="sales"))
    loser = await asyncio.wait_for(anext(others), LIMIT)
    assert (await loser.wait_done()).cause == "LOSE_RACE"
    await call.wait_active(LIMIT)
    await hear_each_other(call, inbound)


async def test_sounds_are_played_one_after_the_other(
    alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await answered(alice, webhooks, api)
    play = api.calls.actions.start_playback
    await play(control_id, audio_url="file:music.wav", client_state=STATE)
    await play(control_id, audio_url="http://127.0.0.1:1/nothing.wav")
    started = await webhooks.next("call.playback.started")
    assert started["client_state"] == STATE
    assert (await webhooks.next("call.playback.ended"))["status"] == "completed"
    await webhooks.next("call.playback.started")
    assert (await webhooks.next("call.playback.ended"))["status"] == "failed"
    await play(control_id, audio_url="file:music.wav", loop=100)
    await webhooks.next("call.playback.started")
    await api.calls.actions.stop_playback(control_id)
    assert (await webhooks.next("call.playback.ended"))["status"] == "cancelled"
    await play(control_id, audio_url="file:music.wav", loop="infinity")
    await webhooks.next("call.playback.started")
    await call.end()
    assert (await webhooks.next("call.playback.ended"))["status"] == "call_hangup"
    await webhooks.next("call.hangup")


async def test_sounds_come_from_addresses_and_with_the_command(
    alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx, tmp_path: Path
) -> None:
    call, control_id = await answered(alice, webhooks, api)
    write_wav(tmp_path / "served.wav", tone(850, 0.5, 16_000), 16_000)
    write_wav(tmp_path / "small.wav", tone(1300, 0.3, 8_000), 8_000)
    play, stop = api.calls.actions.start_playback, api.calls.actions.stop_playback
    async with sound_site({"/a.wav": tmp_path / "served.wav"}) as site:
        await play(control_id, audio_url=f"{site}/a.wav", loop="infinity")
        await webhooks.next("call.playback.started")
        await hear_tone(call.audio, 850)
        content = base64.b64encode((tmp_path / "small.wav").read_bytes()).decode()
        await play(control_id, playback_content=content, loop="infinity", stop="all")
        assert (await webhooks.next("call.playback.ended"))["status"] == "cancelled"
        assert (await webhooks.next("call.playback.started"))["media_url"] is None
        await hear_tone(call.audio, 1300)
        await stop(control_id)
        await webhooks.next("call.playback.ended")
        for path, status in (("/gone.wav", "file_not_found"), ("/redirected", "failed"), ("/text", "failed")):
            await play(control_id, audio_url=site + path)
            await webhooks.next("call.playback.started")
            assert (await webhooks.next("call.playback.ended"))["status"] == status
    assert call.state == CallState.ACTIVE


async def test_sound_that_is_too_big_is_not_played(
    alice: TelnyxClient,
    webhooks: WebhookReceiver,
    api: AsyncTelnyx,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("telnyx_native.gateway.voice_api.playback.LARGEST_SOUND", 1000)
    monkeypatch.setattr("telnyx_native.gateway.voice_api.playback.MOST_WAITING", 1)
    _, control_id = await answered(alice, webhooks, api)
    play = api.calls.actions.start_playback
    async with sound_site({"/a.wav": tmp_path / "music.wav"}) as site:
        await play(control_id, audio_url=f"{site}/a.wav")
        await webhooks.next("call.playback.started")
        assert (await webhooks.next("call.playback.ended"))["status"] == "failed"
    await play(control_id, audio_url="file:music.wav", loop="infinity")
    await play(control_id, audio_url="file:music.wav")
    with pytest.raises(telnyx.RateLimitError):
        await play(control_id, audio_url="file:music.wav")


@asynccontextmanager
async def sound_site(files: dict[str, Path]) -> AsyncIterator[str]:
    """A site with files, a redirect to the first of them, and some text."""

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path == "/redirected":
            raise web.HTTPFound(next(iter(files)))
        if request.path == "/text":
            return web.Response(text="this is no sound")
        if request.path not in files:
            raise web.HTTPNotFound
        return web.FileResponse(files[request.path])

    site = web.Application()
    site.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(site, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_repeated_command_is_carried_out_once(
    alice: TelnyxClient, bob: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)

    async def transfer_twice() -> None:
        for _ in range(2):
            await api.calls.actions.transfer(control_id, to="sip:bob@x", command_id="one")

    await taken(bob, transfer_twice())
    await call.wait_active(LIMIT)
    dialled = [
        await api.calls.dial(connection_id="support", to="sip:carol@x", from_="+1", command_id="one") for _ in range(2)
    ]
    assert dialled[0].data == dialled[1].data
    assert webhooks.kinds.count("call.initiated") <= 3


async def test_errors_are_typed_as_telnyx_own_are(
    gateway: Gateway, alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)
    async with api_client(gateway.voice_api_url, "KEY-wrong") as stranger:
        with pytest.raises(telnyx.AuthenticationError):
            await stranger.calls.actions.answer(control_id)
    with pytest.raises(telnyx.NotFoundError):
        await api.calls.actions.answer("v3:nothing")

    async def refused(work: Any) -> str:
        with pytest.raises(telnyx.UnprocessableEntityError) as caught:
            await work
        assert isinstance(caught.value.body, dict)
        return caught.value.body["errors"][0]["code"]

    actions = api.calls.actions
    assert await refused(actions.start_playback(control_id, audio_url="file:music.wav")) == "90034"
    assert await refused(actions.bridge(control_id, call_control_id_to_bridge_with="v3:nothing")) == "90015"
    assert await refused(actions.transfer(control_id, to="")) == "10004"
    assert await refused(actions.transfer(control_id, to="sip:bob@x", timeout_secs=1)) == "10015"
    assert await refused(actions.answer(control_id, client_state="no base64!")) == "10015"
    assert await refused(actions.answer(control_id, webhook_url="http://example.com/")) == "10003"
    assert await refused(api.calls.dial(connection_id="another", to="sip:bob@x", from_="+1")) == "10015"
    await actions.answer(control_id)
    await call.wait_active(LIMIT)
    assert await refused(actions.answer(control_id)) == "10015"
    assert await refused(actions.reject(control_id, cause="USER_BUSY")) == "10015"
    for url in ("http://example.com/a.wav", "file:../secret.wav", "file:///etc/passwd", "ftp://127.0.0.1/a.wav"):
        assert await refused(actions.start_playback(control_id, audio_url=url)) == "10003"
    await call.end()
    await webhooks.next("call.answered")
    await webhooks.next("call.hangup")
    assert await refused(actions.hangup(control_id)) == "90018"


async def test_webhook_goes_where_a_command_says(
    alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)
    await api.calls.actions.answer(control_id, webhook_url=webhooks.failover_url)
    await webhooks.next("call.answered")
    await call.end()
    await webhooks.next("call.hangup")
    to = [webhook["meta"]["delivered_to"] for webhook in webhooks.received]
    assert to == [webhooks.url, webhooks.failover_url, webhooks.failover_url]


async def test_call_that_the_application_ignores_ends(
    gateway: Gateway, alice: TelnyxClient, webhooks: WebhookReceiver
) -> None:
    gateway.add_application(Application("slow", webhooks.url, numbers=["+15550300"], first_command_timeout=0.5))
    call = await alice.new_invite("+15550300")
    assert (await call.wait_done()).cause == "NO_ANSWER"
    assert [(await webhooks.next(kind))["connection_id"] for kind in ("call.initiated", "call.hangup")] == ["slow"] * 2


async def test_calls_end_with_the_gateway_and_are_told(webhooks: WebhookReceiver) -> None:
    application = Application("support", webhooks.url, numbers=[SUPPORT])
    async with Gateway([User("alice", "s3cret")], voice_api=VoiceApi([API_KEY], [application])) as gateway:
        webhooks.public_key = gateway.public_key
        async with TelnyxClient() as client:
            await log_in(client, gateway, "alice")
            await initiated(client, webhooks)
            await gateway.close()
    await webhooks.next("call.hangup")


async def test_transfer_to_a_destination(alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx) -> None:
    call, control_id = await initiated(alice, webhooks)
    await api.calls.actions.transfer(control_id, to="tone:1200")
    await call.wait_active(LIMIT)
    await hear_tone(call.audio, 1200)
    placed = await webhooks.next("call.initiated")
    assert (placed["direction"], placed["to"]) == ("outgoing", "tone:1200")
    await call.end()
    ends = [await webhooks.find("call.hangup") for _ in range(2)]
    assert {end["hangup_cause"] for end in ends} == {"normal_clearing"}


async def test_destination_that_ends_a_call_ends_the_caller(
    gateway: Gateway, alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)
    await api.calls.actions.transfer(control_id, to="hangup-after:0.3")
    assert (await call.wait_done()).cause == "NORMAL_CLEARING"
    assert {(await webhooks.find("call.hangup"))["hangup_source"] for _ in range(2)} == {"callee"}
    assert gateway.calls == []


async def test_destination_that_refuses_and_early_media(
    alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await answered(alice, webhooks, api)
    for to, cause in (("busy", "user_busy"), ("tone:nonsense", "not_found"), ("ivr:nothing", "not_found")):
        await api.calls.actions.transfer(control_id, to=to)
        assert (await webhooks.find("call.hangup"))["hangup_cause"] == cause
    await api.calls.actions.transfer(control_id, to="early:0.3")
    await webhooks.find("call.bridged")
    async with saying_tone(call.audio, 640):
        await hear_tone(call.audio, 640)  # it echoes


async def test_dialled_tone_is_heard_through_a_bridge(
    alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, first = await answered(alice, webhooks, api)
    dialled = await api.calls.dial(connection_id="support", to="tone:900", from_="+1")
    assert dialled.data is not None
    await api.calls.actions.bridge(first, call_control_id_to_bridge_with=dialled.data.call_control_id)
    await hear_tone(call.audio, 900)


async def test_another_application_gets_a_call_that_is_transferred_to_its_number(
    gateway: Gateway, alice: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    gateway.add_application(Application("sales", webhooks.url, numbers=["+15550300"]))
    call, control_id = await initiated(alice, webhooks)
    await api.calls.actions.transfer(control_id, to="+15550300", from_="+15550100")
    came = await webhooks.find("call.initiated", direction="incoming")
    assert (came["connection_id"], came["from"], came["to"]) == ("sales", "+15550100", "+15550300")
    await api.calls.actions.transfer(came["call_control_id"], to="tone:1100")
    await call.wait_active(LIMIT)
    await hear_tone(call.audio, 1100)


async def test_call_that_lasts_too_long_ends(
    alice: TelnyxClient,
    bob: TelnyxClient,
    webhooks: WebhookReceiver,
    api: AsyncTelnyx,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("telnyx_native.gateway.voice_api.commands.SHORTEST_CALL", 1)
    inbound = await taken(
        bob, api.calls.dial(connection_id="support", to="sip:bob@x", from_="+1", time_limit_secs=1, link_to="")
    )
    await inbound.wait_done()
    assert (await webhooks.find("call.hangup"))["hangup_cause"] == "time_limit"


async def test_bridging_again_changes_nothing(
    alice: TelnyxClient, bob: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, first = await initiated(alice, webhooks)
    inbound = await taken(bob, api.calls.actions.transfer(first, to="sip:bob@x"))
    second = inbound.telnyx_ids.call_control_id
    assert second is not None
    await webhooks.find("call.bridged", call_control_id=second)
    await api.calls.actions.bridge(second, call_control_id_to_bridge_with=first)
    await hear_each_other(call, inbound)
    with pytest.raises(telnyx.UnprocessableEntityError, match="bridged already"):
        await api.calls.actions.bridge(second, call_control_id_to_bridge_with=first, prevent_double_bridge=True)


async def test_calls_of_an_application_outlive_a_restart_of_the_gateway(
    gateway: Gateway, alice: TelnyxClient, bob: TelnyxClient, webhooks: WebhookReceiver, api: AsyncTelnyx
) -> None:
    call, control_id = await initiated(alice, webhooks)
    inbound = await taken(bob, api.calls.actions.transfer(control_id, to="sip:bob@x"))
    await call.wait_active(LIMIT)
    await webhooks.find("call.bridged")
    await gateway.restart()
    await asyncio.gather(*(each.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT) for each in (call, inbound)))
    await hear_each_other(call, inbound)
    await api.calls.actions.hangup(control_id)
    await asyncio.gather(call.wait_done(), inbound.wait_done())
    assert {(await webhooks.find("call.hangup"))["hangup_source"] for _ in range(2)} == {"callee"}


async def test_no_secret_reaches_the_log(
    gateway: Gateway,
    alice: TelnyxClient,
    webhooks: WebhookReceiver,
    api: AsyncTelnyx,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    secret = webhooks.url.replace("://", "://user:s3cret-hook@") + "?token=s3cret-hook"
    gateway.add_application(Application("other", secret, numbers=["+15550300"]))
    call = await alice.new_invite("+15550300")
    control_id = (await webhooks.next("call.initiated"))["call_control_id"]
    await api.calls.actions.reject(control_id, cause="CALL_REJECTED")
    async with api_client(gateway.voice_api_url, "KEY-wr0ng-s3cret") as stranger:
        with pytest.raises(telnyx.AuthenticationError):
            await stranger.calls.actions.answer(control_id)
    await call.wait_done()
    await webhooks.next("call.hangup")
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("telnyx_native"))
    assert "ended" in ours
    for text in (API_KEY, "s3cret-hook", "KEY-wr0ng"):
        assert text not in ours


async def test_nothing_is_left_behind(webhooks: WebhookReceiver) -> None:
    application = Application("support", webhooks.url, numbers=[SUPPORT])
    users = [User("alice", "s3cret"), User("bob", "s3cret")]
    async with Gateway(users, voice_api=VoiceApi([API_KEY], [application])) as gateway:
        webhooks.public_key = gateway.public_key
        async with TelnyxClient() as one, TelnyxClient() as other, api_client(gateway.voice_api_url) as api:
            await log_in(one, gateway, "alice")
            await log_in(other, gateway, "bob")
            for to in ("sip:bob@x", "tone:440"):  # bridged with a client, and with a destination
                call, control_id = await initiated(one, webhooks)
                transfer = api.calls.actions.transfer(control_id, to=to)
                await (taken(other, transfer) if "bob" in to else transfer)
                await call.wait_active(LIMIT)
                await webhooks.find("call.bridged")
                await webhooks.find("call.bridged")
            await initiated(one, webhooks)  # and one that waits for its application
            peers = [leg.peer for leg in gateway.calls if leg.media.network is not None]
            await gateway.close()
            assert all(peer.closed for peer in peers)
            assert len(peers) == 5
    assert {(await webhooks.find("call.hangup"))["hangup_cause"] for _ in range(5)} <= {
        "normal_clearing",
        "originator_cancel",
    }
    assert [task for task in asyncio.all_tasks() if "gateway/voice_api" in repr(task)] == []
