"""Telnyx's own clients, from the npm registry."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
SDK = MODULES / "@telnyx" / "webrtc" / "lib"


def fetch() -> None:
    """Have the packages of package-lock.json; skip the test where they cannot be had."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js is not installed")
    lock, mark = HERE / "package-lock.json", MODULES / ".fetched"
    if mark.exists() and mark.read_text() == lock.read_text():
        return
    # Their scripts would build native parts that are not used here, except for the one of the WebRTC module.
    install = ["npm", "ci", "--legacy-peer-deps", "--no-audit", "--no-fund"]
    result = subprocess.run(install, cwd=HERE, capture_output=True, text=True, timeout=300, check=False)
    if result.returncode:
        pytest.skip(f"the npm packages cannot be fetched: {result.stderr.strip()[-300:]}")
    mark.write_text(lock.read_text())
