"""The console in a browser: its phone, the gateway and a bot, with real audio both ways."""

from __future__ import annotations

import asyncio

import pytest

from support.browser import needs_browser, open_page
from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, rms, tone
from support.users import log_in
from telnyx_native import TelnyxClient
from telnyx_native.gateway import Gateway, User, scripted_brain
from telnyx_native.gateway.accounts.push import PushDevice
from telnyx_native.media.files import write_wav
from telnyx_native.push import PushProvider

pytestmark = needs_browser

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


FAINT = """
(() => {
  const luminance = (color) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = color.match(/[\\d.]+/g).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(color)) return color;
    }
  };
  const says = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  return [...document.querySelectorAll("body *")]
    .filter((e) => e.offsetParent && !e.disabled && says(e))
    .map((e) => {
      const [one, other] = [luminance(getComputedStyle(e).color), luminance(ground(e))].sort();
      return [e.textContent.trim().slice(0, 30), (other + 0.05) / (one + 0.05)];
    })
    .filter(([, contrast]) => contrast < 4.5);
})()
"""
"""Texts that are shown with too little contrast."""


@pytest.fixture
def gateway():
    users = [User("alice", "s3cret", "+15550100"), User("bot", "s3cret", "+15550101")]
    return Gateway(users, assistants={"assistant": scripted_brain})


@pytest.fixture
async def page(gateway, tmp_path):
    """The console, logged in as alice."""
    microphone = tmp_path / "microphone.wav"
    write_wav(microphone, tone(SPOKEN_HZ, 2, 48_000), 48_000)
    async with gateway, open_page(gateway.console_url, microphone=microphone) as page:
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
    call.audio.play(tone(HEARD_HZ, 1, RATE), loop=True)
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
    leg.audio.play(tone(HEARD_HZ, 1, leg.audio.sample_rate), loop=True)
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
    assert [connection.user_name for connection in gateway.connections] == ["alice"]


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
    call.audio.play(tone(HEARD_HZ, 1, RATE), loop=True)
    await asyncio.gather(hears(call, SPOKEN_HZ), is_heard(page, HEARD_HZ))
    await page.click("#hang-up")
    await page.until("!document.querySelector('#calls > li')")
    assert gateway.calls == []


async def test_the_first_step_leads_to_a_talk(page, bot):
    await page.until(text("#first-button", "Talk to bot"))
    incoming = bot.incoming_calls.collect()
    await page.click("#first-button")
    call = await asyncio.wait_for(anext(incoming), LIMIT)
    await call.accept()
    await hears(call, SPOKEN_HZ)
    await page.press("Escape")
    await page.until("document.querySelector('#talk').hidden")
    await page.until("document.querySelector('#first-step').hidden")  # whoever has talked knows how


async def test_enter_dials_and_keys_do_the_rest(page, gateway):
    await page.evaluate("document.querySelector('#destination').focus()")
    for key in "echo":
        await page.press(key)
    await page.press("Enter")
    await page.until(text("#call-state", "active"))
    await page.evaluate("document.activeElement.blur()")
    (leg,) = gateway.calls
    await page.press("h")
    await leg.held.wait_for(True, timeout=LIMIT)
    await page.until("!document.querySelector('#hold').disabled")
    await page.press("h")
    await leg.held.wait_for(False, timeout=LIMIT)
    await page.press("Escape")
    assert (await leg.wait_ended(LIMIT)).cause == "NORMAL_CLEARING"


async def test_a_bad_day_begins_and_ends(page, gateway):
    choose = "(e => { e.value = 'congested-link'; e.dispatchEvent(new Event('change')); })"
    await page.until("document.querySelector('#scenario').options.length > 5")
    await page.evaluate(f"{choose}(document.querySelector('#scenario'))")
    await page.until("document.querySelector('#scenarios li')?.textContent.includes('congested-link')")
    assert gateway.scenarios.running == ["congested-link"]
    await page.click("#scenarios button")
    await page.until("!document.querySelector('#scenarios li')")
    assert gateway.scenarios.running == []


async def test_malformed_frames_are_shown_and_survived(page, gateway):
    await gateway.faults.send_malformed("alice")
    failed = "[...document.querySelectorAll('#messages .failed')]"
    await page.until(f"{failed}.filter(name => name.textContent === 'malformed').length > 2")
    await page.type("#destination", "echo")
    await page.click("#dial-button")
    await page.until(text("#call-state", "active"))


async def test_a_push_is_shown_among_the_messages(page, gateway):
    gateway.push.register("bot", PushDevice("device-token", PushProvider.ANDROID))
    await gateway.place_call("bot", from_="+15550199")
    await page.until(
        "[...document.querySelectorAll('#messages .name')].some(name => name.textContent === 'push')"
        " && document.querySelector('#messages').textContent.includes('+15550199')"
    )
    assert "device-token" not in await page.evaluate("document.body.textContent")


async def test_nothing_comes_from_elsewhere_and_nothing_is_wider_than_a_phone(page, gateway):
    await page.do("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    await page.type("#destination", "tone")
    await page.click("#dial-button")
    await page.until(text("#call-state", "active"))
    await page.until("document.querySelectorAll('#messages > li').length > 3")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    foreign = "performance.getEntriesByType('resource').filter(one => new URL(one.name).origin !== location.origin)"
    assert await page.evaluate(f"{foreign}.length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read_in_light_and_dark(page, scheme):
    """Contrast of text and its ground: 4.5 to 1 at least (WCAG 2.2, criterion 1.4.3)."""
    await page.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    assert await page.evaluate(FAINT) == []
