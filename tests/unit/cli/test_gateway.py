"""What the command line says about users and routes, on top of a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from telnyx_native.cli import app
from telnyx_native.cli.gateway import Options
from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import DialPlan, GatewayConfig, User

FILE = GatewayConfig(
    users=[User("alice", "secret")], plan=DialPlan(numbers={"+1": "echo"}, groups={"one": ["alice"]}), port=1234
)


def test_nothing_said_changes_nothing() -> None:
    assert Options().applied_to(FILE) == FILE


def test_options_come_on_top(tmp_path: Path) -> None:
    options = Options(
        users=["bob:hidden:+15550101"],
        tokens=["alice:a-token", "bob:b:token"],
        numbers=["+1=two", "+2=tone:440"],
        groups=["two=alice, bob"],
        assistants=["helper"],
        sounds=tmp_path,
        host="::1",
        port=0,
    )
    config = options.applied_to(FILE)
    assert list(config.users) == [
        User("alice", "secret", token="a-token"),
        User("bob", "hidden", "+15550101", "b:token"),
    ]
    assert config.plan.numbers == {"+1": "two", "+2": "tone:440"}
    assert config.plan.groups == {"one": ["alice"], "two": ("alice", "bob")}
    assert config.plan.sounds == tmp_path
    assert list(config.assistants) == ["helper"]
    assert (config.host, config.port) == ("::1", 0)
    assert "hidden" not in repr(options)
    assert "token" not in repr(options)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (Options(users=["alice"]), "--user needs NAME:PASSWORD"),
        (Options(tokens=["carol:x"]), "--token: there is no user 'carol'"),
        (Options(tokens=["alice"]), "--token is written like this: --token alice:TOKEN"),
        (Options(numbers=["+1"]), "--number is written like this: --number \\+15550199=sales"),
        (Options(groups=["two="]), "--group is written like this"),
        (Options(assistants=["a=no.py:x"]), "--assistant a: there is no file"),
    ],
)
def test_what_is_written_wrong(options: Options, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        options.applied_to(FILE)


def test_example_is_written_once(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    result = CliRunner().invoke(app, ["gateway", "--example-config", str(file)])
    assert result.exit_code == 0
    assert "--config" in result.output
    assert [user.name for user in GatewayConfig.load(file).users] == ["alice", "bob"]
    file.write_text("mine")
    result = CliRunner().invoke(app, ["gateway", "--example-config", str(file)])
    assert result.exit_code == 2
    assert "File exists" in result.output
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "complaint"), [("prot = 1", "did you mean 'port'"), ("[numbers]\n5 = 'x'", "numbers.")]
)
def test_file_that_is_wrong_is_a_usage_error(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "g.toml"
    file.write_text(text)
    result = CliRunner().invoke(app, ["gateway", "--config", str(file)])
    assert result.exit_code == 2
    output = "".join(result.output.split())
    assert "".join(complaint.split()) in output
    assert "g.toml:" in output
