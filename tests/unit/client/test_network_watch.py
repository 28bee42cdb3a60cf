from __future__ import annotations

import asyncio
import socket

import pytest

from telnyx_native.client.network_watch import NetworkWatch, source_address


def test_source_address_of_what_is_on_this_machine() -> None:
    assert source_address(("127.0.0.1", 9)) == "127.0.0.1"


def test_no_source_address_for_what_is_none() -> None:
    assert source_address(("no address", 9)) is None


async def test_watch_can_be_begun_and_ended_again_and_again() -> None:
    watch = NetworkWatch(lambda: None)
    for _ in range(3):
        watch.start()
        watch.start()
        watch.stop()
        watch.stop()


async def test_machine_that_gives_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object) -> socket.socket:
        raise PermissionError("not in this container")

    monkeypatch.setattr(socket, "socket", forbid)
    watch = NetworkWatch(lambda: None)
    watch.start()
    watch.stop()
    await asyncio.sleep(0)
