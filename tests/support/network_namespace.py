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
    return all(map(shutil.which, ("unshare", "ip", *tools))) and _succeeds_in_a_network("true")


def may_have_a_firewall() -> bool:
    """Whether such a network may have a firewall."""
    return may_have_a_network("nft") and _succeeds_in_a_network("nft", "add table inet firewall")


def _succeeds_in_a_network(*command: str) -> bool:
    return subprocess.run([*OWN_NETWORK, *command], capture_output=True, check=False).returncode == 0


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
