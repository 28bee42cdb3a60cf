from __future__ import annotations

import pytest

from interop.packages import fetch


@pytest.fixture(scope="session")
def js_packages():
    """Telnyx's clients are there."""
    fetch()
