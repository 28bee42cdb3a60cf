"""The main thread is over, and with it the interpreter begins no more work for executors; a bot's thread goes on."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from support.limit import LIMIT
from telnyx_native.gateway import Gateway

PROGRAM = """
import asyncio, sys, threading
from telnyx_native import CredentialConfig, LogLevel, TelnyxClient, TxServerConfiguration

async def main():
    asyncio.get_running_loop().slow_callback_duration = 10  # a busy machine is no warning
    config = CredentialConfig("alice", "s3cret", call_report_directory=sys.argv[2])
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(sys.argv[1]), config)
        call = await client.new_invite("echo")
        await call.wait_active(10)
        while threading.main_thread().is_alive():
            await asyncio.sleep(0.01)
        await call.end()
    print("over")

threading.Thread(target=lambda: asyncio.run(main())).start()
"""


async def test_a_report_is_delivered_or_dropped_without_a_word(gateway: Gateway, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-X", "dev", "-c", PROGRAM, gateway.url, str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), LIMIT)
    assert (process.returncode, output.decode(), errors.decode()) == (0, "over\n", "")
