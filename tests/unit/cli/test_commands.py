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
    for command in ("demo", "gateway", "call", "devices", "doctor", "report", "fleet"):
        assert command in result.output


@pytest.mark.parametrize(
    "command", ["demo", "gateway", "call", "devices", "doctor", "report", "fleet plan", "fleet simulate", "fleet dial"]
)
def test_help_of_a_command_tells_the_exit_codes(invoke, command):
    result = invoke(*command.split(), "-h")
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
        ("fleet", "plan"),
        ("fleet", "plan", "--calls-per-hour", "0", "--seconds", "180", "--wait", "10"),
        ("fleet", "simulate", "--rate", "-1"),
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


def test_plan_of_a_fleet(invoke):
    result = invoke("fleet", "plan", "--calls-per-hour", "1200", "--seconds", "180", "--wait", "10")
    assert result.exit_code == 0
    rows = {
        row[1].strip(): row[2].strip()
        for row in [line.split("│") for line in result.output.splitlines()]
        if len(row) == 4
    }
    assert rows == {
        "Calls at once, on average": "60.0",
        "Slots": "67",
        "Workers, of 10 slots": "7",
        "Hosts, of 4 workers": "2",
        "Callers that wait at all": "28.2%",
        "Mean wait of all callers": "7.25 s",
        "Served within 10 s": "80.9%",
        "Slots that are taken, on average": "89.6%",
    }


def test_simulation_of_a_fleet(invoke):
    arguments = ["--workers", "20", "--capacity", "10", "--rate", "5", "--duration", "60", "--seed", "3"]
    result = invoke("fleet", "simulate", *arguments)
    assert result.exit_code == 0
    assert "20 workers of 10 slots" in result.output
    assert re.search(r"Slots leaked +│ +0 │", result.output)
    assert re.search(r"request, release │ +[\d,]+ │ +\d+ │", result.output)
    calm = invoke("fleet", "simulate", *arguments, "--calm")
    assert re.search(r"Crashes of workers +│ +0 │", calm.output)


def test_simulation_in_which_something_happens_that_must_not(invoke, monkeypatch):
    monkeypatch.setattr("telnyx_native.fleet.simulation_terms.Outcome.holds", False)
    result = invoke("fleet", "simulate", "--workers", "2", "--capacity", "5", "--rate", "1", "--duration", "1")
    assert result.exit_code == 1
    assert "Something happened that must not" in result.output


def test_gateway_with_a_wrong_user(invoke):
    result = invoke("gateway", "--user", "alice")
    assert result.exit_code == 2
    assert "NAME:PASSWORD" in result.output
