"""A client and an assistant that a scripted server plays."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from support.telnyx_server import RefusalError
from telnyx_native.assistant import WidgetSettings, image_url
from telnyx_native.config import TxServerConfiguration
from telnyx_native.errors import AuthenticationError, ConfigurationError, SocketConnectionError
from telnyx_native.events import AiConversationResponse
from telnyx_native.states import CallState, CallTerminationReason, ConnectionStatus

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from support.telnyx_server import ScriptedServer
    from telnyx_native.client import TelnyxClient


@pytest.fixture
async def guest(client: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> TelnyxClient:
    """A client that is logged in to an assistant."""
    await client.connect_anonymously("assistant-1", server_config=TxServerConfiguration.parse(server.address))
    return client


def say(server: ScriptedServer, text: str, item_id: str = "a1") -> None:
    server.push("ai_conversation", type="response.text.delta", delta=text, item_id=item_id, response_id="r1")


def ask_for(server: ScriptedServer, name: str, arguments: str = "{}") -> None:
    item = {"type": "function_call", "call_id": "fc_1", "name": name, "arguments": arguments}
    server.push("ai_conversation", type="conversation.item.created", item=item)


def is_output(frame: dict[str, Any]) -> bool:
    return frame.get("params", {}).get("item", {}).get("type") == "function_call_output"


async def test_login_and_call_without_a_destination(guest: TelnyxClient, server: ScriptedServer) -> None:
    call = await guest.new_invite(custom_headers={"X-Account-Number": "123"})
    (login,), (invite,) = server.sent("anonymous_login"), server.sent("telnyx_rtc.invite")
    assert login["params"]["target_id"] == "assistant-1"
    assert invite["params"]["dialogParams"]["destination_number"] == ""
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0")
    await call.wait_active(LIMIT)


async def test_users_still_need_a_destination(online: TelnyxClient) -> None:
    with pytest.raises(ConfigurationError, match="destination_number"):
        await online.new_invite("")


async def test_unknown_assistant(client: TelnyxClient, server: ScriptedServer) -> None:
    def refuse(_: object) -> None:
        raise RefusalError(-32001, "Login Incorrect")

    server.parts["anonymous_login"] = refuse
    with pytest.raises(AuthenticationError, match=r"guest of 'nobody'.*check the id"):
        await client.connect_anonymously("nobody", server_config=TxServerConfiguration.parse(server.address))
    with pytest.raises(ConfigurationError, match="target_id"):
        await client.connect_anonymously("")


async def test_transcript_of_a_call(guest: TelnyxClient, server: ScriptedServer, until: Any) -> None:
    updates = guest.transcript_update_flow.collect()
    call = await guest.new_invite()
    say(server, "Hel")
    say(server, "lo")
    await until(lambda: [item.content for item in guest.ai.transcript] == ["Hello"])
    assert guest.ai.transcript[0].is_partial
    server.push("telnyx_rtc.bye", callID=call.call_id)
    await call.wait_done()
    assert not guest.ai.transcript[0].is_partial
    assert [(await anext(updates))[0].content for _ in range(3)] == ["Hel", "Hello", "Hello"]


async def test_messages_are_published_raw_too(guest: TelnyxClient, server: ScriptedServer) -> None:
    responses = guest.socket_response_flow.collect()
    server.push("ai_conversation", type="something.new", value=7)
    response = await anext(responses)
    assert response.data is not None
    assert response.data.result == AiConversationResponse("something.new", {"type": "something.new", "value": 7})


async def test_widget_settings(guest: TelnyxClient, server: ScriptedServer) -> None:
    settings = {"theme": "light", "position": 7, "start_call_text": "Talk", "audio_visualizer_config": {"color": "red"}}
    server.push("ai_conversation", type="widget_settings", widget_settings=settings)
    widget = await guest.ai.widget_settings.wait_for(WidgetSettings, timeout=LIMIT)
    assert (widget.theme, widget.position, widget.start_call_text) == ("light", "fixed", "Talk")
    assert widget.audio_visualizer_config == {"color": "red"}
    assert widget.raw == settings


async def test_new_login_begins_anew(guest: TelnyxClient, server: ScriptedServer, until: Any) -> None:
    say(server, "Hello")
    await until(lambda: guest.ai.transcript)
    await guest.disconnect()
    assert not guest.ai.transcript[0].is_partial
    await guest.connect_anonymously("assistant-1", server_config=TxServerConfiguration.parse(server.address))
    assert guest.ai.transcript == ()


async def test_text_and_images(guest: TelnyxClient, server: ScriptedServer) -> None:
    await guest.send_ai_assistant_message("What is this?", ["https://x/y.png", b"\xff\xd8\xffjpeg"])
    frame = await server.received("ai_conversation")
    assert frame["id"]
    assert frame["params"]["type"] == "conversation.item.create"
    item = frame["params"]["item"]
    assert (item["type"], item["role"]) == ("message", "user")
    assert [part["type"] for part in item["content"]] == ["input_text", "image_url", "image_url"]
    assert item["content"][2]["image_url"]["url"].startswith("data:image/jpeg;base64,")


async def test_useless_messages(guest: TelnyxClient) -> None:
    with pytest.raises(ConfigurationError, match="text or an image"):
        await guest.send_ai_assistant_message("")
    with pytest.raises(ConfigurationError, match="image"):
        await guest.send_ai_assistant_message("look", ["nonsense"])
    await guest.disconnect()
    with pytest.raises(SocketConnectionError, match="connect first"):
        await guest.send_ai_assistant_message("hello")


async def test_tool_is_run_and_its_result_returned(guest: TelnyxClient, server: ScriptedServer) -> None:
    @guest.ai.tool("get_time")
    async def get_time(zone: str) -> dict[str, str]:
        return {"zone": zone, "time": "12:00"}

    ask_for(server, "get_time", '{"zone": "UTC"}')
    frame = await server.received(is_output)
    assert "id" not in frame
    assert frame["method"] == "ai_conversation"
    assert frame["params"]["item"] == {
        "type": "function_call_output",
        "call_id": "fc_1",
        "output": '{"zone": "UTC", "time": "12:00"}',
    }
    assert await get_time("CET") == {"zone": "CET", "time": "12:00"}


async def test_unknown_tool(guest: TelnyxClient, server: ScriptedServer) -> None:
    ask_for(server, "nonsense")
    frame = await server.received(is_output)
    assert "there is no tool nonsense" in frame["params"]["item"]["output"]


async def test_tools_end_with_the_connection(guest: TelnyxClient, server: ScriptedServer) -> None:
    running, cancelled = asyncio.Event(), asyncio.Event()

    async def linger() -> None:
        running.set()
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    guest.ai.register_tool("linger", linger)
    ask_for(server, "linger")
    async with asyncio.timeout(2):
        await running.wait()
        await guest.disconnect()
        await cancelled.wait()


async def test_tools_go_on_while_the_connection_is_made_again(guest: TelnyxClient, server: ScriptedServer) -> None:
    asked, back = asyncio.Event(), asyncio.Event()

    async def look_up() -> str:
        asked.set()
        await back.wait()
        return "sunny"

    guest.ai.register_tool("look_up", look_up)
    ask_for(server, "look_up")
    async with asyncio.timeout(5):
        await asked.wait()
        server.cut()
        await guest.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING)
        await guest.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY)
    back.set()
    frame = await server.received(is_output)
    assert "sunny" in frame["params"]["item"]["output"]


async def test_tool_may_disconnect(guest: TelnyxClient, server: ScriptedServer) -> None:
    call = await guest.new_invite()

    async def hang_up() -> None:
        await guest.disconnect()

    guest.ai.register_tool("hang_up", hang_up)
    ask_for(server, "hang_up")
    reason = await call.wait_done()
    assert reason == CallTerminationReason("NORMAL_CLEARING", 16)
    assert isinstance(call.state, CallState.DONE)


async def test_odd_messages_do_no_harm(guest: TelnyxClient, server: ScriptedServer, until: Any) -> None:
    for params in ({}, {"type": 7}, {"type": ["x"]}, {"type": "widget_settings", "widget_settings": [1]}):
        server.push("ai_conversation", **params)
    server.push("ai_conversation", type="conversation.item.created", item={"type": "function_call", "name": "x"})
    say(server, "still here")
    await until(lambda: [item.content for item in guest.ai.transcript] == ["still here"])


@pytest.mark.parametrize("address", ["https://x/y.jpg", "http://x/y.jpg", "data:image/png;base64,AA=="])
def test_addresses_stay(address: str) -> None:
    assert image_url(address) == address


@pytest.mark.parametrize(
    ("image", "media_type"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
def test_bytes_become_data_urls(image: bytes, media_type: str) -> None:
    head, _, data = image_url(image).partition(",")
    assert head == f"data:{media_type};base64"
    assert b64decode(data) == image


@pytest.mark.parametrize("image", ["", "file:///etc/passwd", "iVBORw0KGgo=", b"", b"text", b"RIFF\x00\x00\x00\x00WAVE"])
def test_what_is_no_image(image: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match="image"):
        image_url(image)
