"""Who may import whom: a module knows only those on floors below its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import telnyx_native

PACKAGE = Path(telnyx_native.__file__).parent

FLOORS = [
    {
        "call_control",
        "config",
        "credentials",
        "errors",
        "event_loop",
        "events",
        "flow",
        "logs",
        "push",
        "redaction",
        "rest",
        "snapshot",
        "state_machine",
        "states",
        "toml_settings",
        "untrusted_text",
        "version",
    },
    {"media"},
    {"signaling"},
    {"assistant", "report"},
    {"call"},
    {"devices"},
    {"client"},
    {"sync", "doctor", "integrations"},
    {"worker"},
    {"fleet"},
    {"cli", "testing"},
]
"""From the ground up. The gateway stands beside the client: the other side of the wire, see below."""

GATEWAY_KNOWS = {*FLOORS[0], "media", "signaling.envelope"}


def imports_of(path: Path) -> set[str]:
    """The modules of this package that a file imports, as `room.module`; also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("telnyx_native"):
            rest = node.module.removeprefix("telnyx_native").lstrip(".")
            # Public names of the package itself may be anything up to the client.
            found |= {rest} if rest else {a.name if a.name.islower() else "client" for a in node.names}
    return {name for name in found if not name.startswith("_")}


def modules(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


@pytest.mark.parametrize("floor", range(len(FLOORS)))
def test_a_room_knows_only_what_is_below_it(floor: int) -> None:
    below = set().union(*FLOORS[: floor + 1])
    if "cli" in FLOORS[floor]:
        below.add("gateway")
    for room in FLOORS[floor]:
        for path in modules(room):
            strangers = {name for name in imports_of(path) if name.split(".")[0] not in below}
            assert not strangers, f"{path.relative_to(PACKAGE)} imports {strangers}"


def test_the_gateway_is_the_other_side_of_the_wire() -> None:
    for path in modules("gateway"):
        for name in imports_of(path):
            known = name.startswith("gateway") or name in GATEWAY_KNOWS or name.split(".")[0] in GATEWAY_KNOWS
            assert known, f"{path.relative_to(PACKAGE)} imports {name}"


def test_every_module_has_a_floor() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms - {"__init__", "__main__", "__pyinstaller", "gateway"} == set().union(*FLOORS)


PURE = ["call/machine.py", "signaling/machine.py", "fleet/campaign.py", "fleet/dispatch.py", "fleet/pacing.py"]
"""What decides, with time as an argument."""


@pytest.mark.parametrize("name", PURE)
def test_what_decides_has_no_clock_no_task_and_no_network(name: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse((PACKAGE / name).read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    assert not imported & {"aiohttp", "asyncio", "ray", "socket", "threading", "time", "websockets"}


def graph() -> dict[str, set[str]]:
    """Which files import which of this package, also where only types are checked."""
    files = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    known = {name.removesuffix(".__init__"): name for name in files}
    found: dict[str, set[str]] = {}
    for name, path in files.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("telnyx_native."):
                module = node.module.removeprefix("telnyx_native.")
                ends = {known.get(f"{module}.{alias.name}", known.get(module)) for alias in node.names}
                found[name] |= {end for end in ends if end is not None} - {name}
    return found


def test_no_file_leads_back_to_itself() -> None:
    imports = graph()
    circles = set()
    for name in imports:
        reached, left = set[str](), list(imports[name])
        while left:
            other = left.pop()
            if other not in reached:
                reached.add(other)
                left.extend(imports[other])
        if name in reached:
            circles.add(name)
    assert circles == set()
