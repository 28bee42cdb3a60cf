"""Applications: what is taken as one, and whose a number is."""

from __future__ import annotations

from typing import Any

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import Application, DialPlan, Gateway, User, VoiceApi
from telnyx_native.gateway.voice_api.applications import Applications, is_local_url, is_web_url

URL = "http://127.0.0.1:8080/webhooks"


@pytest.mark.parametrize("url", [URL, "https://localhost/", "http://[::1]:80/x?y=1", "http://user:secret@127.1.2.3/"])
def test_addresses_on_this_machine(url: str) -> None:
    assert is_web_url(url)
    assert is_local_url(url)


@pytest.mark.parametrize("url", ["https://example.com/hook", "http://10.0.0.1/", "http://localhost.example.com/"])
def test_addresses_elsewhere(url: str) -> None:
    assert is_web_url(url)
    assert not is_local_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:80",
        "ftp://127.0.0.1/",
        "http://",
        "http://[",
        "http://a:b/",
        "http://a b/",
        "http://a/\n",
        "http://127.0.0.1/" + "x" * 2000,
    ],
)
def test_what_is_no_address(url: str) -> None:
    assert not is_web_url(url)
    assert not is_local_url(url)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"name": "sup port"}, "applications: 'sup port' is no name"),
        ({"name": ""}, "applications: '' is no name"),
        ({"webhook_url": "localhost:80"}, "applications.support.webhook_url: write an address such as"),
        ({"webhook_failover_url": "x"}, "applications.support.webhook_failover_url: write an address"),
        ({"webhook_timeout": 0}, "applications.support.webhook_timeout: write seconds above 0, up to 600"),
        ({"first_command_timeout": float("nan")}, "applications.support.first_command_timeout: write seconds"),
    ],
)
def test_what_cannot_work_is_named(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        Application(**{"name": "support", "webhook_url": URL} | wrong)


def test_numbers_lead_to_applications_however_they_are_written() -> None:
    applications = Applications()
    support = Application("support", URL, numbers=["+1 555 0200", "tel:+15550200"])
    applications.add(support)
    assert applications.at("sip:+15550200@sip.example.com") is applications.named("support") is support
    assert applications.allows(URL)
    assert not applications.allows("https://example.com/")
    with pytest.raises(ConfigurationError, match="there is an application 'support' already"):
        applications.add(support)
    with pytest.raises(ConfigurationError, match=r"applications.other: '\+15550200' is a number of 'support'"):
        applications.add(Application("other", "https://example.com/", numbers=["+15550200"]))
    applications.remove("support")
    assert applications.at("+15550200") is None
    with pytest.raises(ConfigurationError, match="there is no application 'support'"):
        applications.remove("support")
    applications.add(Application("other", "https://example.com/", numbers=["+15550200"]))
    assert applications.allows("https://example.com/")


def test_secrets_are_not_shown() -> None:
    shown = repr(VoiceApi(["KEY-s3cret"], [Application("a", "http://u:s3cret@localhost/")], webhook_key="s3cret"))
    assert "s3cret" not in shown
    assert "s3cret" not in f"{VoiceApi(['KEY-s3cret']).api_keys[0]}"
    with pytest.raises(ConfigurationError, match=r"voice_api\.api_keys: write a key"):
        VoiceApi([])
    with pytest.raises(ConfigurationError, match=r"voice_api\.api_keys: write a key"):
        VoiceApi(["KEY", ""])


@pytest.mark.parametrize("number", ["+15550100", "alice", "+15550199", "sales", "echo", "tone:1"])
def test_numbers_that_lead_elsewhere_are_refused(number: str) -> None:
    plan = DialPlan(numbers={"+15550199": "echo"}, groups={"sales": ["alice"]})
    application = Application("support", URL, numbers=[number])
    with pytest.raises(ConfigurationError, match=r"applications.support: .* already"):
        Gateway([User("alice", "x", "+15550100")], plan=plan, voice_api=VoiceApi(["KEY"], [application]))


def test_applications_come_and_go_while_the_voice_api_is_on() -> None:
    gateway = Gateway(voice_api=VoiceApi(["KEY"]))
    gateway.add_application(Application("support", URL, numbers=["+15550200"]))
    assert [each.name for each in gateway.applications] == ["support"]
    gateway.remove_application("support")
    assert gateway.applications == ()
    off = Gateway()
    assert off.applications == ()
    for use in (lambda: off.public_key, lambda: off.voice_api_url, lambda: off.remove_application("support")):
        with pytest.raises(ConfigurationError, match="the Voice API is off; switch it on with"):
            use()
