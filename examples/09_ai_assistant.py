"""Talk to an AI assistant without an account: transcript, a question in writing, and a function that it may call.

Start `telnyx-native gateway` in another terminal and run this; its assistant follows a script that uses the functions
it is told to. For one of Telnyx's own, give `wss://rtc.telnyx.com`, its id, and a question in plain words.
"""

import asyncio
import sys

from telnyx_native import TelnyxClient, TxServerConfiguration

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
ASSISTANT = sys.argv[2] if len(sys.argv) > 2 else "assistant"
QUESTION = sys.argv[3] if len(sys.argv) > 3 else 'use order_status {"number": 42}'


async def main() -> None:
    async with TelnyxClient() as client:
        asked = False

        @client.ai.tool("order_status")
        async def order_status(number: int) -> dict[str, object]:
            """How far an order is."""
            nonlocal asked
            asked = True
            print(f"the assistant asks for order {number}", flush=True)
            return {"number": number, "status": "on its way"}

        await client.connect_anonymously(ASSISTANT, server_config=TxServerConfiguration.parse(SERVER))
        updates = client.transcript_update_flow.collect()
        call = await client.new_invite(custom_headers={"X-Customer": "ACME"})  # becomes a variable of the assistant
        await call.wait_active(timeout=10)
        await client.send_ai_assistant_message(QUESTION)
        shown: set[str] = set()
        async with asyncio.timeout(60):
            async for transcript in updates:  # all that was said so far, after each change
                for item in transcript:
                    if not item.is_partial and item.id not in shown:
                        shown.add(item.id)
                        print(f"{item.role}: {item.content}", flush=True)
                if asked and transcript[-1].role == "assistant" and not transcript[-1].is_partial:
                    break
        await call.end()


asyncio.run(main())
