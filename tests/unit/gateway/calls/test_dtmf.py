from __future__ import annotations

import asyncio

from telnyx_native.gateway.calls.dtmf import MOST_KEYS, Keypad


async def test_keys_wait_in_their_order():
    keys = Keypad()
    for key in "12#":
        keys.press(key)
    assert [await keys.next() for _ in range(3)] == ["1", "2", "#"]
    assert await keys.next(0.01) is None


async def test_who_waits_gets_the_next():
    keys = Keypad()
    waiting = asyncio.create_task(keys.next(5))
    await asyncio.sleep(0)
    keys.press("5")
    assert await waiting == "5"


async def test_what_was_pressed_can_be_forgotten():
    keys = Keypad()
    keys.press("1")
    keys.forget()
    keys.press("2")
    assert await keys.next() == "2"


async def test_the_end_is_told_after_what_was_pressed():
    keys = Keypad()
    keys.press("1")
    keys.close()
    assert await keys.next() == "1"
    assert await keys.next() is None
    waiting = Keypad()
    task = asyncio.create_task(waiting.next())
    await asyncio.sleep(0)
    waiting.close()
    assert await asyncio.wait_for(task, 1) is None


async def test_cancelling_loses_no_key():
    keys = Keypad()
    waiting = asyncio.create_task(keys.next())
    await asyncio.sleep(0)
    keys.press("7")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await keys.next(0.01) == "7"


async def test_of_too_many_the_oldest_go():
    keys = Keypad()
    for _ in range(MOST_KEYS):
        keys.press("1")
    keys.press("2")
    assert [await keys.next() for _ in range(MOST_KEYS)] == ["1"] * (MOST_KEYS - 1) + ["2"]
