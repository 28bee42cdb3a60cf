from __future__ import annotations

import pytest

from telnyx_native.gateway import User
from telnyx_native.gateway.calls.call_info import call_info_of_invite, reason_from_bye, reason_of
from telnyx_native.states import HangupCause
from telnyx_native.untrusted_text import joined_headers

ALICE = User("alice", "secret", "+15550100")


def test_what_the_client_leaves_out_is_filled_in():
    info = call_info_of_invite("c", {"destination_number": 7, "custom_headers": "x", "clientState": 1}, ALICE)
    assert (info.caller.name, info.caller.number) == ("alice", "+15550100")
    assert info.callee.number == ""
    assert info.custom_headers == {}
    assert info.client_state is None


def test_headers_are_kept_all_and_in_order():
    wire = [
        {"name": "Diversion", "value": "<sip:a@x>"},
        {"name": "X-Count", "value": 3},
        {"name": "X-Share", "value": 0.5},
        {"name": "diversion", "value": "<sip:b@x>"},
        {"name": "X-Flag", "value": True},
        {"name": "X-Nothing", "value": None},
        {"name": "X-Empty", "value": ""},
    ]
    headers = call_info_of_invite("c", {"custom_headers": wire}, ALICE).headers
    assert headers == (
        ("Diversion", "<sip:a@x>"),
        ("X-Count", "3"),
        ("X-Share", "0.5"),
        ("diversion", "<sip:b@x>"),
        ("X-Empty", ""),
    )
    assert joined_headers(headers) == {
        "Diversion": "<sip:a@x>, <sip:b@x>",
        "X-Count": "3",
        "X-Share": "0.5",
        "X-Empty": "",
    }


@pytest.mark.parametrize("cause", list(HangupCause))
def test_every_cause_has_a_sip_reason(cause):
    reason = reason_of(cause)
    assert reason.sip_code
    assert reason.sip_reason


@pytest.mark.parametrize("params", [{}, {"cause": None}, {"cause": 17}, {"cause": "NONSENSE"}, {"cause": []}])
def test_cause_that_is_not_known(params):
    assert reason_from_bye(params, HangupCause.NORMAL_CLEARING).cause == "NORMAL_CLEARING"
