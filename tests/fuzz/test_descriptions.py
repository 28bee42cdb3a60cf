"""Descriptions that no honest peer would send. Run by `make fuzz`, not by `make test`: it takes minutes.

libwebrtc ends the process when one of its checks fails, so each batch runs in a process of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.process import run_python

BATCHES = int(os.environ.get("FUZZ_BATCHES", "40"))
FIRST = int(os.environ.get("FUZZ_SEED", "0"))
HERE = Path(__file__).parent
MUTATE = (HERE / "mutate_descriptions.py").read_text()
FINDING_SUPPORT = f"import sys; sys.path.insert(0, {str(HERE.parent)!r})\n"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + BATCHES))
def test_no_description_ends_the_process(seed: int) -> None:
    result = run_python(f"{FINDING_SUPPORT}SEED = {seed}\nROUNDS = 150\n{MUTATE}", timeout=240)
    assert result.returncode == 0, f"{result.stderr}\nthe last description was\n{result.stdout[-4000:]}"
