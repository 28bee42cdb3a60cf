from __future__ import annotations

import pytest

from telnyx_native.config import AudioCodec
from telnyx_native.errors import ConfigurationError, ErrorCode
from telnyx_native.signaling.messages import (
    Answer,
    Bye,
    Candidate,
    Dialog,
    Dtmf,
    EndOfCandidates,
    GatewayStateQuery,
    Hold,
    Invite,
    Ping,
    UpdateMedia,
)
from telnyx_native.states import CallTerminationReason, HangupCause

FULL_DIALOG = Dialog("C1", "echo", "Alice", "+1", "state", {"X-Order": "77"})


def test_dialog_on_the_wire() -> None:
    params = FULL_DIALOG.params()
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
    message = kind("S1", FULL_DIALOG, "v=0", "Python-1")
    assert message.method.value == f"telnyx_rtc.{kind.__name__.lower()}"
    assert message.params() == {
        "sessid": "S1",
        "sdp": "v=0",
        "User-Agent": "Python-1",
        "dialogParams": FULL_DIALOG.params(),
    }


def test_bye() -> None:
    bye = Bye("S1", FULL_DIALOG, CallTerminationReason.of(HangupCause.USER_BUSY))
    assert bye.params() == {
        "sessid": "S1",
        "cause": "USER_BUSY",
        "causeCode": 17,
        "sipCode": 486,
        "sip_call_id": None,
        "dialogParams": FULL_DIALOG.params(),
    }


def test_only_keep_alive_and_registration_are_sticky() -> None:
    assert Ping.sticky
    assert GatewayStateQuery.sticky
    assert not any(kind.sticky for kind in (Invite, Answer, Bye))
    assert Ping().params() == GatewayStateQuery().params() == {}


DIALOG = Dialog("C", "echo")


@pytest.mark.parametrize(
    ("message", "method", "own"),
    [
        (Hold("S", DIALOG, "toggleHold"), "telnyx_rtc.modify", {"action": "toggleHold"}),
        (
            UpdateMedia("S", DIALOG, "v=0"),
            "telnyx_rtc.modify",
            {"action": "updateMedia", "callID": "C", "sdp": "v=0"},
        ),
        (Dtmf("S", DIALOG, "12#wW*AD"), "telnyx_rtc.info", {"dtmf": "12#wW*AD"}),
        (
            Candidate("S", DIALOG, "candidate:1", "0", 0),
            "telnyx_rtc.candidate",
            {"candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0},
        ),
        (EndOfCandidates("S", DIALOG), "telnyx_rtc.endOfCandidates", {"endOfCandidates": True}),
    ],
)
def test_params(message, method, own):
    assert message.method.value == method
    assert message.params() == {"sessid": "S", "dialogParams": DIALOG.params()} | own


@pytest.mark.parametrize("keys", ["", "12 3", "E", "a", "5\n", "½", "1" * 65])
def test_what_is_no_key_is_refused(keys):
    with pytest.raises(ConfigurationError, match="are no keys") as refused:
        Dtmf("S", DIALOG, keys)
    assert refused.value.kind is ErrorCode.INVALID_CALL_PARAMETERS


def test_trickle_is_said_only_when_it_is_meant():
    assert "trickle" not in Invite("S", DIALOG, "v=0", "UA").params()
    assert Invite("S", DIALOG, "v=0", "UA", trickle=True).params()["trickle"] is True


def test_preferred_codecs_are_named():
    dialog = Dialog("C", "echo", preferred_codecs=[AudioCodec.PCMU])
    assert dialog.params()["preferred_codecs"] == [
        {"mimeType": "audio/PCMU", "clockRate": 8000, "channels": 1, "sdpFmtpLine": ""}
    ]
    assert "preferred_codecs" not in DIALOG.params()
