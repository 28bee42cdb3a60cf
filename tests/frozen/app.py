# A program of one folder: a gateway, a client, and a call whose audio comes back. PyInstaller freezes it.

import asyncio

from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.gateway import Gateway, User


async def main() -> None:
    async with Gateway([User("bot", "secret")]) as gateway, TelnyxClient() as bot:
        await bot.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig("bot", "secret"))
        call = await bot.new_invite("file")
        await call.wait_active(10)
        loudest = max(abs(sample) for sample in memoryview(await call.audio.read(16_000)).cast("h"))
        print("heard the prompt" if loudest > 1000 else f"heard nothing: {loudest}")


asyncio.run(main())
