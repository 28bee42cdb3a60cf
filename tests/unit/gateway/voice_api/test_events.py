"""What webhooks look like."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest
from telnyx.types.call_hangup import CallHangup, Payload

from telnyx_native.gateway.calls.call_info import reason_of
from telnyx_native.gateway.voice_api.events import event, hangup_fields, moment
from telnyx_native.states import HangupCause


def test_times_are_in_utc() -> None:
    assert moment(datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC)) == "2026-01-02T03:04:05.000060Z"
    assert datetime.fromisoformat(moment()).tzinfo is UTC


def test_events_are_what_telnyx_own_package_knows() -> None:
    fields = hangup_fields(reason_of(HangupCause.USER_BUSY), "callee")
    typed = CallHangup.model_validate(event("call.hangup", {"call_control_id": "v3:x", "state": "hangup"} | fields))
    assert (typed.event_type, typed.record_type) == ("call.hangup", "event")
    assert typed.payload is not None
    assert (typed.payload.hangup_cause, typed.payload.sip_hangup_cause) == ("user_busy", "486")
    assert event("call.hangup", {})["id"] != event("call.hangup", {})["id"]


@pytest.mark.parametrize("cause", HangupCause)
def test_every_cause_has_a_word_of_the_api(cause: HangupCause) -> None:
    known = get_args(get_args(Payload.model_fields["hangup_cause"].annotation)[0])
    assert hangup_fields(reason_of(cause), "unknown")["hangup_cause"] in known
