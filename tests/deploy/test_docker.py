"""The Dockerfile: what it copies is there, what it starts is a worker. The image itself is not built here."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch

from support.deployed import DEPLOY, ROOT, serves_and_drains
from telnyx_native.gateway import Gateway, User

DOCKERFILE = DEPLOY / "docker/Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """The instructions, and what stands behind each."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def last(name: str) -> str:
    return [rest for instruction, rest in instructions() if instruction == name][-1]


def test_it_runs_as_nobody_in_particular_and_ends_in_order() -> None:
    assert last("USER").split(":")[0] not in ("0", "root")
    assert last("STOPSIGNAL") == "SIGTERM"
    check = last("HEALTHCHECK")
    assert "http://127.0.0.1:8090/healthz" in check  # where a worker has it without --http
    assert json.loads(check.partition("CMD ")[2])[:2] == ["python3", "-c"]


def test_what_it_copies_is_not_ignored() -> None:
    """All of the repository is ignored, but for what is named."""
    first, *others = [
        line
        for line in (DEPLOY / "docker/Dockerfile.dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert first == "*"
    kept = {line.removeprefix("!") for line in others}
    arguments = dict(rest.split("=", 1) for name, rest in instructions() if name == "ARG")
    copied = [rest.split()[0] for name, rest in instructions() if name == "COPY" and "--from" not in rest]
    sources = [re.sub(r"\$\{(\w+)\}", lambda name: arguments[name[1]], source) for source in copied]
    assert sources == ["wheelhouse/", "examples/fleet/bot.py"]
    assert all(any(fnmatch(source.split("/")[0], pattern) for pattern in kept) for source in sources)
    assert (ROOT / arguments["BOT"]).exists()


async def test_what_it_starts(unused_tcp_port: int) -> None:
    command = [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD")), "--http", f"127.0.0.1:{unused_tcp_port}"]
    login = {"TELNYX_SIP_USER": "bob", "TELNYX_SIP_PASSWORD": "s3cret"}
    async with Gateway([User("bob", "s3cret")]) as gateway:
        await serves_and_drains(command, login, unused_tcp_port, gateway, "bob")
