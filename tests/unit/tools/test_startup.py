from __future__ import annotations

import venv
from typing import TYPE_CHECKING

import pytest

from wheels.build import BuildError
from wheels.startup import check_startup

if TYPE_CHECKING:
    from pathlib import Path


def environment(folder: Path, module: str) -> Path:
    """The Python of an environment in which `telnyx_native` is such a module, and websockets loads nothing."""
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "telnyx_native.py").write_text(module)
    (packages / "websockets/asyncio").mkdir(parents=True)
    (packages / "websockets/asyncio/client.py").touch()
    return folder / "bin/python"


def test_an_import_that_loads_nothing_is_within_the_limits(tmp_path: Path) -> None:
    told = check_startup(environment(tmp_path, "x = 1"))
    assert told.startswith("import telnyx_native takes ")


@pytest.mark.parametrize(
    "module", ["import time; time.sleep(0.03)", "hoard = bytes(1) * 30_000_000"], ids=["slow", "big"]
)
def test_a_slow_or_a_big_import_is_refused(tmp_path: Path, module: str) -> None:
    with pytest.raises(BuildError, match="more than 20 ms or 20 MB"):
        check_startup(environment(tmp_path, module))
