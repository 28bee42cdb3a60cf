"""A guest talks to the assistant of the real gateway: audio, text and a tool, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING

import pytest

from support.limit import LIMIT
from support.signals import pcm, rms
from telnyx_native import AuthenticationError, CallState, TelnyxClient, TxServerConfiguration, WidgetSettings
from telnyx_native.gateway import AssistantCall, Gateway, scripted_brain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native import TranscriptItem


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway(assistants={"assistant": scripted_brain}) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient() as made:
        yield made


async def said(client: TelnyxClient, role: str, text: str) -> TranscriptItem:
    """Wait until `role` has said `text`, to the end."""
    updates = client.transcript_update_flow.collect()
    async with asyncio.timeout(LIMIT):
        transcript = client.ai.transcript
        while True:
            for item in transcript:
                if item.role == role and text in item.content and not item.is_partial:
                    return item
            transcript = await anext(updates)


async def test_conversation(gateway: Gateway, client: TelnyxClient) -> None:
    used: list[str] = []

    @client.ai.tool("get_time")
    async def get_time(zone: str) -> dict[str, str]:
        used.append(zone)
        return {"time": "12:00", "zone": zone}

    await client.connect_anonymously("assistant", server_config=TxServerConfiguration.parse(gateway.url))
    call = await client.new_invite()
    await call.wait_active(LIMIT)
    settings = await client.ai.widget_settings.wait_for(WidgetSettings, timeout=LIMIT)
    assert settings.start_call_text == "Talk to the gateway"
    await said(client, "assistant", "Hello")

    await client.send_ai_assistant_message("What is this?", [b"\xff\xd8\xff not much of a JPEG"])
    await said(client, "user", "What is this?")
    await said(client, "assistant", "You wrote: What is this? and showed 1 images")

    await client.send_ai_assistant_message('use get_time {"zone": "UTC"}')
    answer = await said(client, "assistant", "get_time returned")
    assert json.loads(answer.content.removeprefix("get_time returned ")) == {"time": "12:00", "zone": "UTC"}
    assert used == ["UTC"]

    async with asyncio.timeout(LIMIT):
        while rms(pcm(await call.audio.read(1600))) < 100:
            pass
    await call.end()
    assert not any(item.is_partial for item in client.ai.transcript)


async def test_brain_of_ones_own(client: TelnyxClient) -> None:
    async def brain(conversation: AssistantCall) -> None:
        await conversation.say(f"Hello {conversation.variables['account_number']} of {conversation.variables['shop']}")
        async for message in conversation:
            await conversation.say(message.text.upper())
            return

    async with Gateway(assistants={"own": brain}) as gateway:
        server = TxServerConfiguration.parse(gateway.url)
        await client.connect_anonymously("own", user_variables={"shop": "Zoo"}, server_config=server)
        call = await client.new_invite(custom_headers={"X-Account-Number": "123"})
        await call.wait_active(LIMIT)
        await said(client, "assistant", "Hello 123 of Zoo")
        await client.send_ai_assistant_message("quiet")
        await said(client, "assistant", "QUIET")
        await call.call_state_flow.wait_for(CallState.DONE, timeout=LIMIT)


async def test_no_such_assistant(gateway: Gateway, client: TelnyxClient) -> None:
    with pytest.raises(AuthenticationError, match="no such assistant"):
        await client.connect_anonymously("nobody", server_config=TxServerConfiguration.parse(gateway.url))


async def test_audio_of_the_assistant_is_told_before_it_is_heard(gateway: Gateway, client: TelnyxClient) -> None:
    await client.connect_anonymously("assistant", server_config=TxServerConfiguration.parse(gateway.url))
    call = await client.new_invite()
    await call.wait_active(LIMIT)
    await said(client, "assistant", "Hello")
    with client.ai.audio_stream_flow.collect() as told:
        await client.ai.subscribe_audio_stream()
        await client.ai.send_message("greet")
        deltas = b""
        async with asyncio.timeout(LIMIT):
            async for message in told:
                if message.type == "response.audio_stream.done":
                    break
                deltas += base64.b64decode(message.params["delta"])
                rate = message.params["sample_rate"]
    assert len(deltas) > 2 * rate
    assert rms(pcm(deltas)) > 500
