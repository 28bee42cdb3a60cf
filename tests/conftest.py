from __future__ import annotations

import atexit
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from support.browser import close_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

# numpy's linear algebra would start threads of its own some time, and tests count threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What is ignored here stays ignored in the programs that tests start: `nohup`, background jobs of a shell and some CI
# runners ignore SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)

# Sound is made in real time; a compile job beside the tests need not be. Linux weighs the sessions first, and then the
# processes of each (sched(7), autogroup). Where the system does not grant it, so be it.
with suppress(OSError):
    os.setpriority(os.PRIO_PROCESS, 0, -10)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        session = Path("/proc/self/autogroup")
        session.write_text("-10")
        atexit.register(session.write_text, "0")

# A machine that is busy with something else must not fail a property.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.fixture(scope="session", autouse=True)
def no_browser_is_left() -> Iterator[None]:
    yield
    close_browser()
