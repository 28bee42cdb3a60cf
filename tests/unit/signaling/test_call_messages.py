from __future__ import annotations

import pytest

from telnyx_native.config import AudioCodec
from telnyx_native.errors import ConfigurationError, ErrorCode
from telnyx_native.signaling.call_messages import Candidate, Dtmf, EndOfCandidates, Hold, UpdateMedia
from telnyx_native.signaling.messages import Dialog, Invite

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
