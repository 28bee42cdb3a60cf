from __future__ import annotations

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.signaling.messages import Answer, Bye, Dialog, GatewayStateQuery, Invite, Ping
from telnyx_native.states import CallTerminationReason, HangupCause

DIALOG = Dialog("C1", "echo", "Alice", "+1", "state", {"X-Order": "77"})


def test_dialog_on_the_wire() -> None:
    params = DIALOG.params()
    assert params["callID"] == "C1"
    assert params["destination_number"] == "echo"
    assert params["caller_id_name"] == "Alice"
    assert params["caller_id_number"] == "+1"
    assert params["clientState"] == "c3RhdGU="
    assert params["custom_headers"] == [{"name": "X-Order", "value": "77"}]
    assert "clientState" not in Dialog("C1").params()


@pytest.mark.parametrize("headers", [{"": "x"}, {"X\r\nY": "x"}, {"X": "a\r\nb"}, {"X:Y": "x"}, {"X": 1}])
def test_headers_that_cannot_travel_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Dialog("C1", custom_headers=headers)


@pytest.mark.parametrize("kind", [Invite, Answer])
def test_descriptions(kind: type[Invite | Answer]) -> None:
    message = kind("S1", DIALOG, "v=0", "Python-1")
    assert message.method.value == f"telnyx_rtc.{kind.__name__.lower()}"
    assert message.params() == {
        "sessid": "S1",
        "sdp": "v=0",
        "User-Agent": "Python-1",
        "dialogParams": DIALOG.params(),
    }


def test_bye() -> None:
    bye = Bye("S1", DIALOG, CallTerminationReason.of(HangupCause.USER_BUSY))
    assert bye.params() == {
        "sessid": "S1",
        "cause": "USER_BUSY",
        "causeCode": 17,
        "sipCode": 486,
        "sip_call_id": None,
        "dialogParams": DIALOG.params(),
    }


def test_only_keep_alive_and_registration_are_sticky() -> None:
    assert Ping.sticky
    assert GatewayStateQuery.sticky
    assert not any(kind.sticky for kind in (Invite, Answer, Bye))
    assert Ping().params() == GatewayStateQuery().params() == {}
