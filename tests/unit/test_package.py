from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import telnyx_native

IMPORT = """
import sys, threading, time
started = time.process_time()
import telnyx_native
took = time.process_time() - started
heavy = {"typer", "rich", "numpy", "soundfile", "websockets", "telnyx_native._webrtc"} & set(sys.modules)
print(took, threading.active_count(), sorted(heavy))
"""


@pytest.mark.timed
def test_import_is_quick_and_starts_nothing() -> None:
    runs = [
        subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True) for _ in range(3)
    ]
    times, threads, heavy = zip(*(run.stdout.split(maxsplit=2) for run in runs), strict=True)
    assert min(map(float, times)) < 0.1
    assert set(threads) == {"1"}
    assert {names.strip() for names in heavy} == {"[]"}


def test_client_needs_nothing_heavy() -> None:
    code = "import sys, telnyx_native.client; print({'typer', 'rich', 'numpy', 'soundfile'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


WITHOUT_A_DOCSTRING = {"__version__", "AudioFilter", "Playable"}
"""What Python has no place for one in; the text behind it is in the reference."""


@pytest.mark.parametrize("name", telnyx_native.__all__)
def test_every_public_name_exists_and_is_described(name: str) -> None:
    value = getattr(telnyx_native, name)
    assert name in dir(telnyx_native)
    assert value.__doc__ or name in WITHOUT_A_DOCSTRING


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        telnyx_native.nonsense  # noqa: B018 - looking it up is the point


def test_version_is_that_of_the_distribution() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"].get("version", telnyx_native.__version__) == telnyx_native.__version__


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(telnyx_native.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = set()
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        everything = import_module(str(node.module)).__all__
        for alias in node.names:
            seen |= set(everything) if alias.name == "*" else {alias.asname}
    assert seen | {"__version__"} == set(telnyx_native.__all__)
