"""The command line as far as it goes without a call: help, usage, errors."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from telnyx_native.cli import app
from telnyx_native.cli.gateway import parse_user
from telnyx_native.errors import ConfigurationError
from telnyx_native.version import __version__


@pytest.fixture
def invoke(monkeypatch):
    monkeypatch.delenv("TELNYX_SIP_USER", raising=False)
    monkeypatch.delenv("TELNYX_SIP_PASSWORD", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments, **environment):
        return CliRunner().invoke(app, arguments, env=environment)

    return run


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_version(invoke):
    result = invoke("--version")
    assert result.exit_code == 0
    own, *libraries = result.output.splitlines()
    assert own == f"telnyx-native {__version__}"
    assert [line.split()[0] for line in libraries] == ["libwebrtc", "openssl", "opus", "libsrtp"]


def test_help_names_every_command(invoke):
    result = invoke("--help")
    assert result.exit_code == 0
    for command in ("demo", "gateway", "call", "devices", "doctor", "report"):
        assert command in result.output


@pytest.mark.parametrize("command", ["demo", "gateway", "call", "devices", "doctor", "report"])
def test_help_of_a_command_tells_the_exit_codes(invoke, command):
    result = invoke(command, "-h")
    assert result.exit_code == 0
    assert "Exit codes" in plain(result.output)


@pytest.mark.parametrize(
    "arguments",
    [
        ("call",),
        ("call", "echo"),
        ("call", "echo", "--user", "alice"),
        ("call", "echo", "--user", "alice", "--password", "x", "--play", "/no/such/file.wav"),
        ("call", "echo", "--user", "alice", "--password", "x", "--duration", "-1"),
        ("gateway", "--port", "70000"),
        ("report",),
        ("report", "/no/such/call.json"),
        ("nonsense",),
    ],
)
def test_wrong_command_lines(invoke, arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize("server", ["http://example.com", "ws://", "ws://host:port", "ws://h/path"])
def test_wrong_server_address(invoke, server):
    result = invoke("call", "echo", "--user", "alice", "--password", "x", "--server", server)
    assert result.exit_code == 2
    assert result.output.startswith("Error: ")


def test_unreachable_server(invoke):
    result = invoke(
        "call", "echo", "--server", "ws://127.0.0.1:1", TELNYX_SIP_USER="alice", TELNYX_SIP_PASSWORD="hidden"
    )
    assert result.exit_code == 3
    assert result.output.startswith("Error: ")
    assert "hidden" not in result.output


@pytest.mark.parametrize("user", ["alice", "alice:", ":secret", ""])
def test_incomplete_user(user):
    with pytest.raises(ConfigurationError):
        parse_user(user)


def test_user():
    assert parse_user("alice:secret").number is None
    user = parse_user("alice:secret:+15550100")
    assert (user.name, user.password, user.number) == ("alice", "secret", "+15550100")


def test_gateway_with_a_wrong_user(invoke):
    result = invoke("gateway", "--user", "alice")
    assert result.exit_code == 2
    assert "NAME:PASSWORD" in result.output
