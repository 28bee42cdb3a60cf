"""Guests, and the assistants they talk to."""

from __future__ import annotations

import asyncio

import pytest

from telnyx_native.errors import CallError, WaitTimeoutError
from telnyx_native.gateway import Gateway, UserMessage
from telnyx_native.gateway.accounts.users import Guest


class FakeAudio:
    sample_rate = 16_000

    def __init__(self):
        self.written = asyncio.Event()

    async def write(self, pcm):
        assert len(pcm) > 16_000
        self.written.set()


@pytest.fixture(autouse=True)
def audio(fake_peer, monkeypatch):
    made = FakeAudio()
    monkeypatch.setattr(fake_peer, "create_audio", lambda _peer: made)
    return made


@pytest.fixture
async def guest(client):
    answer = await client.ask("anonymous_login", target_type="ai_assistant", target_id="assistant")
    assert answer["result"]["message"] == "logged in"
    await client.expect("telnyx_rtc.clientReady")
    return client


async def message_of(client, kind):
    return await client.frame(lambda f: f.get("method") == "ai_conversation" and f["params"]["type"] == kind)


async def what_it_says(client):
    """Everything up to the end of the next response."""
    done = await message_of(client, "response.done")
    wanted = done["params"]["response"]["id"]
    deltas = [f["params"] for f in client.frames if f.get("params", {}).get("type") == "response.text.delta"]
    return "".join(delta["delta"] for delta in deltas if delta["response_id"] == wanted)


async def write(client, text, **more):
    item = {"id": "m1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    params = {"type": "conversation.item.create", "previous_item_id": None, "item": item | more}
    return await client.ask("ai_conversation", **params)


class TestGuests:
    async def test_registered_like_everybody(self, guest, gateway):
        assert (await guest.ask("telnyx_rtc.gatewayState"))["result"]["params"]["state"] == "REGED"
        assert gateway.connections[0].user_name.startswith("guest-")

    @pytest.mark.parametrize(
        "params",
        [
            {},
            {"target_id": "nobody"},
            {"target_id": ["assistant"]},
            {"target_id": "assistant", "target_type": "robot"},
        ],
    )
    async def test_refused(self, client, gateway, params):
        answer = await client.ask("anonymous_login", **params)
        assert answer["error"]["code"] == -32001
        assert gateway.counters.failed_logins == 1

    async def test_guests_reach_nobody_else(self, guest, open_client):
        async with open_client() as bob:
            await bob.login("bob", "hidden")
            await guest.place("bob")
            await message_of(guest, "widget_settings")
            assert not [frame for frame in bob.frames if frame.get("method") == "telnyx_rtc.invite"]

    async def test_nobody_reaches_a_guest(self, guest, gateway, open_client):
        async with open_client() as bob:
            await bob.login("bob", "hidden")
            await bob.place(gateway.connections[0].user_name)
            assert (await bob.expect("telnyx_rtc.bye"))["params"]["cause"] == "UNALLOCATED_NUMBER"

    async def test_user_who_was_a_guest_is_free_again(self, guest):
        await guest.login()
        await guest.place("busy")
        assert (await guest.expect("telnyx_rtc.bye"))["params"]["cause"] == "USER_BUSY"

    def test_what_a_login_says(self):
        assert Guest.parse({"target_id": "a", "userVariables": {"x": 1}}).variables == {"x": 1}
        assert Guest.parse({"target_id": "a", "userVariables": ["x"]}).variables == {}
        assert "s3cret" not in repr(Guest("a", {"x": "s3cret"}))


class TestScript:
    async def test_greets(self, guest, audio):
        await guest.place("")
        answer = await guest.expect("telnyx_rtc.answer")
        settings = await message_of(guest, "widget_settings")
        assert settings["params"]["widget_settings"]["theme"] == "dark"
        assert guest.frames.index(answer) < guest.frames.index(settings)
        assert (await what_it_says(guest)).startswith("Hello")
        await asyncio.wait_for(audio.written.wait(), 5)

    async def test_repeats_what_is_written(self, guest):
        await guest.place("")
        await what_it_says(guest)
        assert "result" in await write(guest, "What time is it?")
        said = (await message_of(guest, "conversation.item.created"))["params"]["item"]
        assert (said["id"], said["role"], said["status"]) == ("m1", "user", "completed")
        assert said["content"] == [{"type": "input_audio", "transcript": "What time is it?"}]
        assert await what_it_says(guest) == "You wrote: What time is it?"

    async def test_sees_images(self, guest):
        await guest.place("")
        await what_it_says(guest)
        images = [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}, {"type": "image_url"}, 7]
        await write(guest, "", content=images)
        assert await what_it_says(guest) == "You wrote:  and showed 1 images"

    async def test_uses_a_tool(self, guest):
        await guest.place("")
        await what_it_says(guest)
        await write(guest, 'use get_time {"zone": "UTC"}')
        await message_of(guest, "conversation.item.created")
        call = (await message_of(guest, "conversation.item.created"))["params"]["item"]
        assert (call["type"], call["name"], call["arguments"]) == ("function_call", "get_time", '{"zone": "UTC"}')
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": '"12:00"'}
        await guest.send({"jsonrpc": "2.0", "method": "ai_conversation", "params": {"item": output}})
        assert await what_it_says(guest) == 'get_time returned "12:00"'

    async def test_asks_for_a_tool_twice_on_purpose(self, guest, gateway):
        await guest.place("")
        await what_it_says(guest)
        gateway.faults.repeat_tools(gateway.calls[0])
        await write(guest, "use get_time {}")
        await message_of(guest, "conversation.item.created")
        calls = [(await message_of(guest, "conversation.item.created"))["params"]["item"] for _ in range(2)]
        assert calls[0] == calls[1]

    async def test_arguments_that_are_no_json(self, guest):
        await guest.place("")
        await what_it_says(guest)
        await write(guest, "use get_time {zone}")
        assert await what_it_says(guest) == "I need the arguments as JSON"

    async def test_users_call_it_too(self, alice):
        await alice.place("assistant")
        assert (await what_it_says(alice)).startswith("Hello")

    async def test_unknown_assistant(self, alice):
        await alice.place("assistant:nobody")
        assert (await alice.expect("telnyx_rtc.bye"))["params"]["cause"] == "INVALID_NUMBER_FORMAT"

    async def test_odd_items_do_no_harm(self, guest):
        await guest.place("")
        await what_it_says(guest)
        for item in (None, [], {}, {"type": "message", "role": "user", "content": 7}, {"type": "function_call_output"}):
            assert "result" in await guest.ask("ai_conversation", item=item)
        assert await what_it_says(guest) == "You wrote: "

    async def test_text_without_a_call_goes_nowhere(self, guest):
        assert "result" in await write(guest, "Anybody there?")


class TestOwnBrain:
    @pytest.fixture
    def heard(self):
        return asyncio.Queue()

    @pytest.fixture
    async def gateway(self, peers, limits, heard):
        async def parts():
            for part in ("It is ", "late", "."):
                yield part

        async def brain(conversation):
            heard.put_nowait(conversation.variables)
            async for message in conversation:
                heard.put_nowait(message)
                if message.text == "bye":
                    return
                if message.text == "stream":
                    await conversation.heard("Good", item_id="u1", partial=True)
                    await conversation.heard("Good evening", item_id="u1")
                    await conversation.say(parts())
                    continue
                if message.text == "fail":
                    raise ValueError("no idea")
                try:
                    heard.put_nowait(await conversation.call_tool("x", {}, timeout=0.05))
                except (CallError, WaitTimeoutError) as error:
                    heard.put_nowait(error)

        async with Gateway(limits=limits, assistants={"own": brain}) as gateway:
            yield gateway

    @pytest.fixture
    async def call(self, client, heard):
        await client.ask("anonymous_login", target_id="own", userVariables={"customer": "42"})
        await client.place(
            "", custom_headers=[{"name": "X-Account-Tier", "value": "gold"}, {"name": "Y", "value": "z"}]
        )
        assert await asyncio.wait_for(heard.get(), 5) == {"customer": "42", "account_tier": "gold"}
        return client

    async def test_conversation_until_the_brain_is_done(self, call, heard):
        await write(call, "bye")
        assert await heard.get() == UserMessage("m1", "bye")
        assert (await call.expect("telnyx_rtc.bye"))["params"]["cause"] == "NORMAL_CLEARING"

    async def test_words_that_come_bit_by_bit(self, call, audio):
        await write(call, "stream")
        assert await what_it_says(call) == "It is late."
        items = [
            f["params"]["item"] for f in call.frames if f.get("params", {}).get("type") == "conversation.item.created"
        ]
        assert [(item["id"], item["status"], item["content"][0]["transcript"]) for item in items] == [
            ("u1", "in_progress", "Good"),
            ("u1", "completed", "Good evening"),
        ]
        assert not audio.written.is_set(), "what is heard is up to the brain"

    async def test_broken_brain_ends_the_call(self, call, heard):
        await write(call, "fail")
        assert (await call.expect("telnyx_rtc.bye"))["params"]["cause"] == "NORMAL_TEMPORARY_FAILURE"

    async def test_tool_that_does_not_return(self, call, heard):
        await write(call, "x")
        await heard.get()
        assert isinstance(await asyncio.wait_for(heard.get(), 5), WaitTimeoutError)

    async def test_other_assistants_are_gone(self, client):
        assert "error" in await client.ask("anonymous_login", target_id="assistant")
