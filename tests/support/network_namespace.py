"""Scripts in a network namespace of their own, where they may change addresses, routes and firewalls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent
OWN_NETWORK = ["unshare", "--user", "--map-root-user", "--net"]


def may_have_a_network(*tools: str) -> bool:
    """Whether there is such a thing here, and the tools that a script needs in it."""
    if not all(map(shutil.which, ("unshare", "ip", *tools))):
        return False
    return subprocess.run([*OWN_NETWORK, "true"], capture_output=True, check=False).returncode == 0


def run_in_a_network(module: str, *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a module of the tests in a network namespace."""
    return subprocess.run(
        [*OWN_NETWORK, sys.executable, "-m", module],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
