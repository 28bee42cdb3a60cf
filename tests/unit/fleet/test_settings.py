"""A fleet's settings: what a good file says, and what is said of each mistake in a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from telnyx_native.config import CredentialConfig, TokenConfig
from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.settings import ClusterSettings, FleetSettings, Login, VoiceApiSettings

EXAMPLE = Path(__file__).parents[3] / "examples" / "fleet" / "fleet.toml"

SECRET = "s3cret-4711"

GOOD = f"""
[workers]
bot = "my_bot:serve"
count = 2
calls = 5
server = "ws://127.0.0.1:8899"

[logins]
ann = {{ password = "{SECRET}" }}
bob = {{ token = "{SECRET}" }}
"""


def load(path: Path, text: str) -> FleetSettings:
    file = path / "fleet.toml"
    file.write_text(text)
    return FleetSettings.load(file)


def test_example_loads() -> None:
    settings = FleetSettings.load(EXAMPLE)
    assert (settings.workers.count, settings.workers.calls, settings.cluster.nodes) == (3, 10, 2)
    assert [login.user for login in settings.logins] == ["worker1", "worker2", "worker3", "worker4"]
    assert settings.voice_api is not None
    assert settings.voice_api.port == 8095
    assert settings.dispatch.queue == 100
    assert settings.cluster.is_local


def test_what_a_file_says_and_what_goes_without_saying(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)
    ann, bob = settings.logins
    assert ann.config == CredentialConfig("ann", SECRET)
    assert bob.config == TokenConfig(SECRET)
    assert settings.voice_api is None
    assert settings.cluster == ClusterSettings()
    assert Path(settings.workers.folder) == tmp_path
    assert (settings.status_host, settings.status_port) == ("127.0.0.1", 8096)


def test_secrets_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANN", SECRET)
    text = GOOD.replace(f'password = "{SECRET}"', 'password_env = "ANN"')
    text += '[voice_api]\napi_key_env = "ANN"\npublic_key = "key"\n'
    settings = load(tmp_path, text)
    assert settings.logins[0].config == CredentialConfig("ann", SECRET)
    assert settings.voice_api == VoiceApiSettings(SECRET, "key")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("count = 2", "cuont = 2", "workers.cuont: there is no such setting; did you mean 'count'?"),
        ("[logins]", "[autoscale]\n[logins]", "autoscale: there is no such setting; did you mean 'autoscaling'?"),
        ('bot = "my_bot:serve"', "", 'workers.bot: what serves a call: bot = "my_bot:serve"'),
        ('bot = "my_bot:serve"', 'bot = "my_bot"', "workers.bot: write MODULE:FUNCTION, .*, not 'my_bot'"),
        ('bot = "my_bot:serve"', 'bot = "my_bot:"', "workers.bot: write MODULE:FUNCTION"),
        ("count = 2", 'place = ":dial"', "workers.place: write MODULE:FUNCTION"),
        ("count = 2", "count = 3", "logins: each of 3 workers needs a login of its own, and there are 2"),
        ("[logins]", "[autoscaling]\nmost = 9\n[logins]", "logins: each of 9 workers needs a login of its own"),
        ("[logins]", "[autoscaling]\nleast = 2\nmost = 1\n[logins]", "autoscaling.most: write at least 2"),
        ("count = 2", "count = 0", "workers.count: write a number from 1 to 100000, not 0"),
        ("count = 2", "count = 2.5", "workers.count: write a whole number, not a number"),
        ("count = 2", 'count = "2"', "workers.count: write a whole number, not a text"),
        ("count = 2", "cpus = 0", "workers.cpus: write a number from 0.01 to 1024, not 0"),
        ("count = 2", "cpus = nan", "workers.cpus: write a number, not nan"),
        ("count = 2", "drain = 1e9", "workers.drain: write a number from 0 to 604800"),
        ("ws://127.0.0.1:8899", "http://127.0.0.1", "workers.server: "),
        ("ws://127.0.0.1:8899", "", "workers.server: "),
        ('{ password = "s3cret-4711" }', "{ }", 'logins.ann: write either password = "…" or token = "…"'),
        ("{ password", '{ token = "t", password', 'logins.ann: write either password = "…" or token = "…"'),
        ("{ password", "{ pasword", "logins.ann.pasword: there is no such setting; did you mean 'password'?"),
        ("{ password", '{ password_env = "NOT_SET", password', "logins.ann.password_env: .* has no variable NOT_SET"),
        ('{ password = "s3cret-4711" }', '"s3cret-4711"', r"logins.ann: write settings below \[logins.ann\]"),
        ("[logins]", "[cluster]\nnodes = 101\n[logins]", "cluster.nodes: write a number from 1 to 100, not 101"),
        ("[logins]", '[cluster]\nname = "a/b"\n[logins]', "cluster.name: write letters, digits, - and _"),
        ("[logins]", "[cluster]\ncalls_per_node = 4\n[logins]", "cluster.calls_per_node: write at least 5"),
        ("[logins]", "[dispatch]\nwaiting = 4\n[logins]", "dispatch.waiting: there is no such setting; did you mean"),
        ("[logins]", "[dispatch]\nwait = 0\n[logins]", "dispatch.wait is 0.0; it must be a number of seconds above 0"),
        ("[logins]", "[dispatch]\nwait = inf\n[logins]", "dispatch.wait is inf"),
        ("[logins]", "[status]\nport = 65536\n[logins]", "status.port: write a number from 0 to 65535, not 65536"),
        ("[logins]", "[voice_api]\n[logins]", 'voice_api.api_key: .* api_key_env = "TELNYX_API_KEY"'),
        ("[logins]", '[voice_api]\napi_key = "k"\n[logins]', "voice_api.public_key: .* the portal shows it"),
        (
            "[logins]",
            '[voice_api]\napi_key = "k"\npublic_key = "k"\nring = 4\n[logins]',
            "voice_api.ring: write a number from 5 to 600, not 4",
        ),
        ("[logins]", "[logins", "this is no TOML"),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigurationError, match=rf"^{tmp_path}/fleet\.toml: {message}") as raised:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert SECRET not in str(raised.value)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*none\.toml: No such file"):
        FleetSettings.load(tmp_path / "none.toml")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD + f'[voice_api]\napi_key = "{SECRET}"\npublic_key = "key"\n')
    assert settings.voice_api is not None
    shown = [repr(settings), *map(repr, settings.logins), repr(settings.logins[0].config), repr(settings.voice_api)]
    shown += [str(settings.voice_api.api_key), f"{settings.logins[0].password}", str(Login("ann", token=SECRET).token)]
    assert SECRET not in "".join(shown)
