"""The console in a browser: its phone, the gateway and a bot, with real audio both ways."""

from __future__ import annotations

import asyncio

import pytest

from support.browser import CHROMIUM, LIMIT, open_page
from support.signals import dominant_frequency, pcm, rms, tone
from support.users import log_in
from telnyx_native import TelnyxClient
from telnyx_native.gateway import Gateway, User
from telnyx_native.media.files import write_wav

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium")

RATE = 16_000
SPOKEN_HZ, HEARD_HZ = 700, 1100
"""The tone that the page's microphone hears, and the one that the bot plays to it."""

HEARD_IN_PAGE = """
(async () => {
  const context = new AudioContext();
  await context.resume();
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  context.createMediaStreamSource(document.querySelector("#speaker").srcObject).connect(analyser);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  const loudest = bins.indexOf(Math.max(...bins));
  await context.close();
  return bins[loudest] < -60 ? 0 : (loudest * context.sampleRate) / analyser.fftSize;
})()
"""
"""The loudest frequency that the page hears, in Hz; 0 for silence."""


@pytest.fixture
def gateway():
    return Gateway([User("alice", "s3cret", "+15550100"), User("bot", "s3cret", "+15550101")])


@pytest.fixture
async def page(gateway, tmp_path):
    """The console, logged in as alice."""
    microphone = tmp_path / "microphone.wav"
    write_wav(microphone, tone(SPOKEN_HZ, 2, 48_000), 48_000)
    async with gateway, open_page(gateway.console_url, tmp_path / "profile", microphone=microphone) as page:
        await page.until("document.querySelector('#user')?.options.length === 2")
        await page.type("#user", "alice")
        await page.click("#login-button")
        await page.until(text("#phone-state", "alice · ready"))
        yield page
        assert page.complaints == []


@pytest.fixture
async def bot(gateway, page):
    async with TelnyxClient() as client:
        await log_in(client, gateway, "bot")
        yield client


def text(selector, wanted):
    """JavaScript: whether an element that is shown has this text."""
    return f"(e => e?.offsetParent && e.textContent === {wanted!r})(document.querySelector({selector!r}))"


async def hears(call, hz):
    """Wait until the bot hears a tone from the page."""
    async with asyncio.timeout(LIMIT):
        while abs(dominant_frequency(pcm(await call.audio.read(RATE // 2)), RATE) - hz) > 10:
            pass


async def is_heard(page, hz):
    """Wait until the page hears a tone."""
    async with asyncio.timeout(LIMIT):
        while abs(await page.evaluate(HEARD_IN_PAGE) - hz) > 10:
            pass


async def test_the_page_talks_to_a_bot(page, bot, gateway):
    incoming = bot.incoming_calls.collect()
    await page.type("#destination", "bot")
    await page.click("#dial-button")
    call = await asyncio.wait_for(anext(incoming), LIMIT)
    await call.accept()
    await page.until(text("#call-state", "active"))
    call.audio.write_nowait(tone(HEARD_HZ, 30, RATE).tobytes())
    await asyncio.gather(hears(call, SPOKEN_HZ), is_heard(page, HEARD_HZ))
    # What is shown of it.
    await page.until("document.querySelector('#level-said').ariaValueNow > 0.3")
    await page.until("document.querySelector('#level-heard').ariaValueNow > 0.3")
    await page.until("[...document.querySelectorAll('.plot b')].filter(b => /\\d/.test(b.textContent)).length === 8")
    assert await page.evaluate("document.querySelectorAll('#calls > li').length") == 2
    assert "s3cret" not in await page.evaluate("document.body.textContent")
    # Keys of the keyboard and of the pad.
    leg = next(leg for leg in gateway.calls if leg.user_name == "alice")
    keys = leg.keys.collect()
    await page.evaluate("document.activeElement.blur()")
    await page.press("5")
    await page.click("#pad button:last-child")
    assert [await asyncio.wait_for(anext(keys), LIMIT) for _ in range(2)] == ["5", "#"]
    # Hold is signalled, mute is silence.
    await page.click("#hold")
    await leg.held.wait_for(True, timeout=LIMIT)
    await page.click("#hold")
    await leg.held.wait_for(False, timeout=LIMIT)
    await page.press("m")
    await page.until("document.querySelector('#mute').ariaPressed === 'true'")
    await call.audio.read(RATE)
    async with asyncio.timeout(LIMIT):
        while rms(pcm(await call.audio.read(RATE // 2))) > 50:
            pass
    await page.press("Escape")
    assert (await leg.wait_ended(LIMIT)).cause == "NORMAL_CLEARING"
    await page.until("!document.querySelector('#calls > li')")


async def test_the_page_is_called_and_talks_to_an_assistant(page, gateway):
    leg = await gateway.place_call("alice", from_="+15550199", name="The <b>Shop</b>")
    await page.until(text("#incoming-from", "The <b>Shop</b>"))
    await page.click("#reject")
    assert (await leg.wait_ended(LIMIT)).cause == "USER_BUSY"
    leg = await gateway.place_call("alice", from_="+15550199")
    await page.click("#answer")
    await leg.wait_answered()
    leg.audio.write_nowait(tone(HEARD_HZ, 20, leg.audio.sample_rate).tobytes())
    await is_heard(page, HEARD_HZ)
    await leg.hang_up()
    await page.until("document.querySelector('#talk').hidden")
    # The next call, to an assistant: text beside the audio.
    await page.evaluate(
        "[...document.querySelectorAll('#suggestions button')].find(b => b.textContent === 'assistant').click()"
    )
    await page.until("document.querySelector('#said li.assistant')?.textContent.startsWith('Hello')")
    await page.type("#text", "Good morning")
    await page.click("#write button")
    await page.until(text("#said li.user", "Good morning"))
    await page.until(text("#said li:last-child", "You wrote: Good morning"))


async def test_the_page_says_why_a_call_has_ended(page):
    await page.type("#destination", "busy")
    await page.click("#dial-button")
    await page.until(text("#problem", "The call has ended: USER_BUSY"))


async def test_the_page_wants_the_token(page, gateway):
    await page.evaluate("sessionStorage.clear()")
    await page.reload()
    await page.until("!!document.querySelector('#gate')?.offsetParent")
    await page.type("#gate input", gateway.control_token)
    await page.click("#gate button")
    await page.until("document.querySelector('#link')?.textContent === 'connected'")
    assert gateway.control_token not in await page.evaluate("location.href")


async def test_the_page_comes_back_when_its_socket_is_lost(page, gateway):
    gateway.faults.drop("alice")
    await page.until("document.querySelector('#phone-state').textContent !== 'alice · ready'")
    await page.until(text("#phone-state", "alice · ready"))
    assert [session.user_name for session in gateway.sessions] == ["alice"]


async def test_a_call_of_the_page_outlives_its_socket(page, bot, gateway):
    incoming = bot.incoming_calls.collect()
    await page.type("#destination", "bot")
    await page.click("#dial-button")
    call = await asyncio.wait_for(anext(incoming), LIMIT)
    await call.accept()
    await hears(call, SPOKEN_HZ)
    gateway.faults.drop("alice")
    await page.until("document.querySelector('#phone-state').textContent !== 'alice · ready'")
    await page.until(text("#phone-state", "alice · ready"))
    await page.until(text("#call-state", "active"))
    call.audio.write_nowait(tone(HEARD_HZ, 30, RATE).tobytes())
    await asyncio.gather(hears(call, SPOKEN_HZ), is_heard(page, HEARD_HZ))
    await page.click("#hang-up")
    await page.until("!document.querySelector('#calls > li')")
    assert gateway.calls == []
