"""The programs in docs/gateway.md, run as they stand there."""

from __future__ import annotations

import asyncio
import re

from support.limit import LIMIT
from support.pages import block_under
from support.scripts import outcome, program
from telnyx_native import TelnyxClient, TxServerConfiguration
from telnyx_native.gateway import Gateway


async def test_a_gateway_in_python() -> None:
    async with program("-c", block_under("In Python", "gateway.md").text) as process:
        code, output, errors = await outcome(process)
    assert code == 0, errors
    url, console, *programs = output.split()
    assert re.fullmatch(r"ws://127\.0\.0\.1:\d+", url)
    assert console.startswith(url.replace("ws:", "http:") + "/#token=")
    assert programs[:4] == ["everybody", "+15550199", "+15550198", "echo"]


async def test_a_destination_of_ones_own() -> None:
    async with program("-c", block_under("Destinations of your own", "gateway.md").text) as process:
        code, output, errors = await outcome(process)
    assert code == 0, errors
    assert output.splitlines() == [
        "alice NORMAL_CLEARING 16, SIP 200 OK",
        "mallory CALL_REJECTED 21, SIP 603 Decline",
    ]


async def test_a_brain() -> None:
    names: dict[str, object] = {}
    exec(block_under("Assistants", "gateway.md").text, names)
    async with Gateway(assistants={"shop": names["brain"]}) as gateway, TelnyxClient() as client:  # type: ignore[dict-item]

        @client.ai.tool("get_weather")
        async def get_weather(city: str) -> str:
            """Tell the weather."""
            return f"sunny over {city}"

        transcript = client.transcript_update_flow.collect()
        await client.connect_anonymously("shop", server_config=TxServerConfiguration.parse(gateway.url))
        call = await client.new_invite()
        await call.wait_active(LIMIT)
        await client.send_ai_assistant_message("Rome")
        async with asyncio.timeout(LIMIT):
            async for items in transcript:
                if items[-1].content == "In Rome it is sunny over Rome.":
                    break
        assert [(item.role, item.content) for item in items][:2] == [
            ("assistant", "Good morning. What can I do for you?"),
            ("user", "Rome"),
        ]
