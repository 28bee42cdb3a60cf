"""100,000 packets of a remote with keys, SRTP and SRTCP. Run by `make fuzz`; needs aiortc (extra interop).

libwebrtc ends the process when one of its checks fails, so each batch runs in a process of its own.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from support.process import run_python

pytestmark = pytest.mark.skipif(find_spec("aiortc") is None, reason="needs aiortc: pip install -e '.[interop]'")

BATCHES = int(os.environ.get("FUZZ_BATCHES", "40"))
FIRST = int(os.environ.get("FUZZ_SEED", "0"))
PACKETS = 2500
HERE = Path(__file__).parent
MUTATE = (HERE / "mutate_packets.py").read_text().replace("from __future__ import annotations\n", "", 1)
SETTINGS = (
    "from __future__ import annotations\nimport sys; sys.path.insert(0, {path!r})\nSEED, PACKETS = {seed}, {count}\n"
)

LONGEST_GAP = 0.06
"""Seconds of silence in a call beside."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + BATCHES))
def test_a_remote_with_keys_harms_nobody(seed: int) -> None:
    code = SETTINGS.format(path=str(HERE.parent), seed=seed, count=PACKETS) + MUTATE
    result = run_python(code, timeout=100)
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    sys.stdout.write(f"{figures}\n")
    assert figures["state"] == "connected"
    assert figures["gap"] <= LONGEST_GAP
    assert figures["refused"] > 0.9 * (PACKETS - 16 - figures["seconds"])
    assert figures["kilobytes"] < 4096
