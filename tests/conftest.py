from __future__ import annotations

from hypothesis import HealthCheck, settings

# A machine that is busy with something else must not fail a property.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
