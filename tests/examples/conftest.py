from __future__ import annotations

from telnyx_native.testing import callee, caller, gateway  # noqa: F401 - fixtures
