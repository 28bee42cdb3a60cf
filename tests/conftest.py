from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# numpy's linear algebra would start threads of its own some time, and tests count threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A machine that is busy with something else must not fail a property.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
