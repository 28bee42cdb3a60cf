"""Tests of the bot beside this file: real calls through a gateway that lives as long as each test.

Run them with pytest:

    pip install 'telnyx-native[testing]'
    pytest examples/bot_with_tests
"""

import asyncio

import bot as the_bot
import pytest

from telnyx_native import CallError
from telnyx_native.testing import Phone, open_phone

RATE = Phone.SAMPLE_RATE


@pytest.fixture
async def bot(gateway, background):
    """The bot, logged in."""
    background(the_bot.main(gateway.url, "bot", "secret"))
    await gateway.wait_logged_in("bot")


async def test_it_greets_and_takes_an_order(bot, caller):
    await caller.call("bot", from_="+15550123")
    await caller.hears(the_bot.jingle(RATE))
    await caller.press("1")
    await caller.hears_tone(880)
    await caller.press("#")
    assert (await caller.wait_hung_up()).cause == "NORMAL_CLEARING"


async def test_a_key_interrupts_it(bot, caller):
    await caller.call("bot")
    await caller.hears_tone(523)
    await caller.press("2")
    await caller.hears(the_bot.answer_to("2", RATE))
    await caller.hears_silence(0.5)


async def test_a_key_that_there_is_not(bot, caller):
    await caller.call("bot")
    await caller.press("9")
    await caller.hears_tone(400)


async def test_two_callers_at_once(bot, caller, callee):
    for phone in (caller, callee):
        await phone.call("bot")
    await callee.press("#")
    await callee.wait_hung_up()
    await caller.press("1")
    await caller.hears_tone(880)


async def test_it_calls_back(client, callee, background):
    calling = background(the_bot.call_back(client, "+15550103"))  # the number of `callee`
    assert (await callee.rings()).caller_number == "+15550101"
    await callee.answer()
    await callee.hears(the_bot.jingle(RATE))
    await callee.wait_hung_up()
    await calling


async def test_nobody_wants_to_talk_to_it(client, callee):
    calling = asyncio.create_task(the_bot.call_back(client, "callee"))
    await callee.reject()
    with pytest.raises(CallError, match="USER_BUSY"):
        await calling


async def test_one_more_phone(bot, gateway, tmp_path):
    async with open_phone(gateway, "client", recordings=tmp_path) as phone:
        await phone.call("bot")
        await phone.hears(the_bot.jingle(RATE))
