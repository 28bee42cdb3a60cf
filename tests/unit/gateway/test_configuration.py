"""A gateway's settings, from a TOML file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import Application, GatewayConfig, GatewayLimits, Menu, User, VoiceApi
from telnyx_native.gateway.configuration import EXAMPLE


@pytest.fixture
def load(tmp_path: Path):
    def load_text(text: str) -> GatewayConfig:
        file = tmp_path / "gateway.toml"
        file.write_text(text)
        return GatewayConfig.load(file)

    return load_text


def test_an_empty_file_is_a_gateway(load) -> None:
    config = load("")
    assert (config.host, config.port, config.limits) == ("127.0.0.1", 8899, GatewayLimits())
    assert config.assistants == {}, "guests come in only where an assistant is named"
    assert list(config.gateway().directory) == []


def test_the_example_is_good_and_complete() -> None:
    config = GatewayConfig.load(EXAMPLE)
    gateway = config.gateway()
    assert [user.name for user in gateway.directory] == ["alice", "bob"]
    assert config.plan.groups == {"sales": ("alice", "bob")}
    text = EXAMPLE.read_text()
    for described in (User, Menu):
        for setting in dataclasses.fields(described):
            assert setting.name == "name" or f"{setting.name} =" in text or f".{setting.name}]" in text, setting.name
    for program in gateway.programs:
        assert program in text


def test_the_example_of_the_voice_api_is_good(load) -> None:
    text = EXAMPLE.read_text()
    begin = text.index("# [voice_api]")
    example = text[begin : text.index("# --- Bounds", begin)]
    config = load("\n".join(line.removeprefix("# ") for line in example.splitlines()))
    assert config.voice_api is not None
    (application,) = config.voice_api.applications
    for setting in dataclasses.fields(Application):
        assert setting.name == "name" or f"{setting.name} =" in example
    assert config.gateway().applications == (application,)


def test_everything_arrives(load, tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    (tmp_path / "brains.py").write_text("async def hello(conversation): pass\nnothing = 1\n")
    config = load(
        """
        host = "localhost"
        port = 0
        sounds = "sounds"
        [users.alice]
        password = "secret"
        number = "+1"
        token = "abc"
        caller_id_name = "Al"
        caller_id_number = "+2"
        [groups]
        all = ["alice"]
        [numbers]
        "+3" = "all"
        [menus.main]
        prompt = "tone:440"
        invalid = []
        timeout = 2
        tries = 1
        barge_in = false
        otherwise = "echo"
        keys = { 1 = "alice", "*" = "ivr:main" }
        [assistants]
        helper = "brains.py:hello"
        [voice_api]
        api_keys = ["one", "two"]
        [applications.support]
        webhook_url = "http://127.0.0.1:8080/"
        webhook_failover_url = "http://127.0.0.1:8081/"
        numbers = ["+4"]
        webhook_timeout = 2
        first_command_timeout = 9
        [limits]
        ring_time = 7
        connections = 3
        """
    )
    assert list(config.users) == [User("alice", "secret", "+1", "abc", "Al", "+2")]
    assert (config.plan.numbers, config.plan.groups) == ({"+3": "all"}, {"all": ("alice",)})
    assert config.plan.sounds == tmp_path / "sounds"
    assert config.plan.menus == {
        "main": Menu({"1": "alice", "*": "ivr:main"}, ("tone:440",), (), 2.0, 1, barge_in=False, otherwise="echo")
    }
    assert config.assistants["helper"].__name__ == "hello"
    first, second = "http://127.0.0.1:8080/", "http://127.0.0.1:8081/"
    support = Application("support", first, second, ("+4",), webhook_timeout=2.0, first_command_timeout=9.0)
    assert config.voice_api == VoiceApi(["one", "two"], [support])
    assert config.limits == GatewayLimits(ring_time=7.0, connections=3)
    assert config.gateway().limits is config.limits


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("users = x", "this is no TOML: .*line 1"),
        ("prot = 1", "prot: there is no such setting; did you mean 'port'"),
        ("port = 70000", "port: write a number from 0 to 65535"),
        ("port = '8899'", "port: write a whole number, not a text"),
        ("port = true", "port: write a whole number, not true or false"),
        ("[users.alice]", "users.alice.password: a user needs one"),
        ("[users.alice]\npassword = 17171", "users.alice.password: write a text in quotes, not a whole number"),
        ("[users.alice]\npasword = 'x'", "users.alice.password: a user needs one"),
        ("[users.alice]\npassword = 'x'\nnummer = '+1'", "users.alice.nummer: .* did you mean 'number'"),
        ("[users]\nalice = 'x'", r"users.alice: write settings below \[users.alice\], not a text"),
        ("[users.a]\npassword='x'\nnumber='+1'\n[users.b]\npassword='x'\nnumber='+1'", "two users are reached"),
        ("[groups]\nsales = [1]", "groups.sales: write texts in brackets"),
        ("[groups]\nsales = ['bob']", "groups.sales: there is no user 'bob'"),
        ("[numbers]\n'+1' = 'ecko'", "numbers.\"\\+1\": there is no destination 'ecko'; did you mean 'echo'"),
        ("[numbers]\n'+1' = 5", 'numbers."\\+1": write a text in quotes'),
        ("[menus.main.keys]\n11 = 'echo'", "menus.main.keys: no telephone has the key '11'"),
        ("[menus.main]\ntries = 0", "menus.main.tries: write a number from 1 to 100, not 0"),
        ("[menus.main]\nprompt = 'la'", "menus.main: 'la' is no sound: write file:NAME"),
        ("[menus.main]\nprompt = 'file:a.wav'", "menus.main: no folder of sounds is configured"),
        ("sounds = 'nowhere'", "is no folder: make it"),
        ("[assistants]\na = 'x'", "assistants.a: 'x' is no brain: write FILE.py:FUNCTION"),
        ("[assistants]\na = 'no.py:x'", "assistants.a: there is no file .*no.py"),
        ("[assistants]\na = 'bad.py:x'", "bad.py cannot be imported: ZeroDivisionError"),
        ("[assistants]\na = 'good.py:x'", "good.py has no async function 'x'"),
        ("[voice_api]", "voice_api.api_keys: write a key"),
        ("[voice_api]\napi_key = 'x'", "voice_api.api_key: there is no such setting; did you mean 'api_keys'"),
        ("[voice_api]\napi_keys = 5", "voice_api.api_keys: write texts in brackets"),
        ("[voice_api]\napi_keys = 'x'\nwebhook_key = 'abc'", "webhook_key: write the 32 bytes"),
        ("[applications.a]\nwebhook_url = 'http://x/'", "voice_api.api_keys: applications need a key"),
        ("[voice_api]\napi_keys = 'x'\n[applications.a]", "applications.a.webhook_url: an application is told"),
        (
            "[voice_api]\napi_keys = 'x'\n[applications.a]\nwebhook_url = 'x'",
            "applications.a.webhook_url: write an address such as",
        ),
        (
            "[voice_api]\napi_keys = 'x'\n[applications.a]\nwebhook_url = 'http://x/'\nnumber = '+1'",
            "applications.a.number: .* did you mean 'numbers'",
        ),
        (
            "[voice_api]\napi_keys = 'x'\n[applications.a]\nwebhook_url = 'http://x/'\nnumbers = 'echo'",
            "applications.a: 'echo' is a user, a number, a group or a destination already",
        ),
        ("[limits]\nconnections = 'many'", "limits.connections: write a whole number, not a text"),
        ("[limits]\nconections = 1", "limits.conections: .* did you mean 'connections'"),
        ("[limits]\nmessages_per_second = 0", "messages_per_second must be at least 1"),
        ("[limits]\nring_time = -1", "limits.ring_time: write a number from 0"),
    ],
)
def test_what_cannot_be_is_told_with_file_and_setting(load, tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "bad.py").write_text("1 / 0")
    (tmp_path / "good.py").write_text("x = 1")
    with pytest.raises(ConfigurationError, match=rf"^.*gateway\.toml: .*{complaint}") as caught:
        load(text).gateway()
    assert "17171" not in str(caught.value), "it may be a secret"


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*no\.toml: No such file"):
        GatewayConfig.load(tmp_path / "no.toml")
