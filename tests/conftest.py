from __future__ import annotations

import os
import signal
from contextlib import suppress

from hypothesis import HealthCheck, settings

# numpy's linear algebra would start threads of its own some time, and tests count threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What is ignored here stays ignored in the programs that tests start: `nohup`, background jobs of a shell and some CI
# runners ignore SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)

# Sound is made in real time; a compile job beside the tests need not be. Where the system does not grant it, so be it.
with suppress(OSError):
    os.setpriority(os.PRIO_PROCESS, 0, -10)

# A machine that is busy with something else must not fail a property.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
