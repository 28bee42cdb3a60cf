"""Programs that tests start can be interrupted, wherever the tests run."""

from __future__ import annotations

import subprocess
import sys

CHILD = "import signal; print([signal.getsignal(s) is not signal.SIG_IGN for s in (2, 3, 15)])"


def test_child_programs_get_default_signals() -> None:
    child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[True, True, True]"


def test_so_they_do_where_tests_run_in_the_background() -> None:
    """A shell without job control starts them with SIGINT and SIGQUIT ignored."""
    one = f"{__file__}::{test_child_programs_get_default_signals.__name__}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", one]
    tests = subprocess.run(
        ["/bin/sh", "-c", 'trap "" INT QUIT TERM; exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode == 0, tests.stdout
