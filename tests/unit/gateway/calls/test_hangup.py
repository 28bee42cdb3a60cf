from __future__ import annotations

import pytest

from telnyx_native.gateway.calls.hangup import reason_from_bye, reason_of
from telnyx_native.states import HangupCause


@pytest.mark.parametrize("cause", list(HangupCause))
def test_every_cause_has_a_sip_reason(cause):
    reason = reason_of(cause)
    assert reason.sip_code
    assert reason.sip_reason


@pytest.mark.parametrize("params", [{}, {"cause": None}, {"cause": 17}, {"cause": "NONSENSE"}, {"cause": []}])
def test_cause_that_is_not_known(params):
    assert reason_from_bye(params, HangupCause.NORMAL_CLEARING).cause == "NORMAL_CLEARING"
