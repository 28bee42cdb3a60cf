from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.errors import MalformedFrameError
from telnyx_native.events import (
    AnswerResponse,
    ByeResponse,
    CallIds,
    CallMessage,
    CandidateResponse,
    ClientReadyResponse,
    DisplayResponse,
    EndOfCandidatesResponse,
    EventResponse,
    GatewayStateResponse,
    InfoResponse,
    InviteResponse,
    MediaResponse,
    MessageResponse,
    ReceivedResult,
    RemoteParty,
    RingingResponse,
    SocketMethod,
)
from telnyx_native.signaling.envelope import Request
from telnyx_native.signaling.incoming import parse_request
from telnyx_native.states import CallTerminationReason, GatewayState

IDS = {"telnyx_session_id": "T", "telnyx_leg_id": "L", "telnyx_call_control_id": "v3:x"}
HEADERS = {"dialogParams": {"custom_headers": [{"name": "X-A", "value": "1"}]}}


def parsed(method: str, params: dict[str, Any]) -> ReceivedResult | None:
    return parse_request(Request(f"telnyx_rtc.{method}", params, 1))


def test_full_invite() -> None:
    params = {"callID": "C", "sdp": "v=0", "caller_id_name": "Bob", "caller_id_number": "+1"}
    params |= {"callee_id_name": "", "callee_id_number": "alice", "client_state": "aGVsbG8="}
    assert parsed("invite", params | IDS | HEADERS | {"unknown": [1]}) == InviteResponse(
        "C", CallIds("T", "L", "v3:x"), {"X-A": "1"}, "v=0", "Bob", "+1", "", "alice", "hello"
    )


def test_least_invite() -> None:
    assert parsed("invite", {"callID": "C", "sdp": "v=0"}) == InviteResponse("C", sdp="v=0")


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        ("ringing", {"callID": "C"} | IDS, RingingResponse("C", CallIds("T", "L", "v3:x"))),
        ("ringing", {"callId": "C", "caller_id_number": 7}, RingingResponse("C", caller_id_number="7")),
        ("media", {"dialogParams": {"callId": "C"}, "sdp": "v=0"}, MediaResponse("C", sdp="v=0")),
        ("answer", {"callID": "C"}, AnswerResponse("C")),
        ("answer", {"callID": "C", "sdp": "v=0"}, AnswerResponse("C", sdp="v=0")),
        ("bye", {"callID": "C"}, ByeResponse("C")),
        (
            "bye",
            {"callID": "C", "cause": "USER_BUSY", "causeCode": "17", "sipCode": 486, "sipReason": "Busy Here"},
            ByeResponse("C", cause="USER_BUSY", cause_code=17, sip_code=486, sip_reason="Busy Here"),
        ),
        ("bye", {"callID": "C", "sip_call_id": "a@b"}, ByeResponse("C", sip_call_id="a@b")),
        ("clientReady", {}, ClientReadyResponse()),
        ("clientReady", {"reattached_sessions": ["C", 1]}, ClientReadyResponse(("C",))),
        ("gatewayState", {"state": "TRYING"}, GatewayStateResponse(GatewayState.TRYING)),
        ("gatewayState", {}, GatewayStateResponse(GatewayState.UNKNOWN)),
        ("display", {"callID": "C"}, DisplayResponse("C")),
        (
            "display",
            {"callID": "C", "display_name": "Carol", "display_number": 7},
            DisplayResponse("C", party=RemoteParty("Carol", "7")),
        ),
        ("candidate", {"callID": "C", "candidate": "candidate:1"}, CandidateResponse("C", candidate="candidate:1")),
        (
            "candidate",
            {"dialogParams": {"callId": "C"}, "candidate": "a=candidate:1", "sdpMid": "audio", "sdpMLineIndex": "0"},
            CandidateResponse("C", candidate="a=candidate:1", sdp_mid="audio"),
        ),
        ("endOfCandidates", {"callID": "C"}, EndOfCandidatesResponse("C")),
        ("info", {"msg": {"body": "Hi"}}, InfoResponse({"msg": {"body": "Hi"}})),
        ("info", {"callID": "C", "x": 1}, InfoResponse({"callID": "C", "x": 1})),
        (
            "info",
            {"callID": "C", "msg": {"from": "a", "to": "b", "body": "Hi"}},
            MessageResponse("C", message=CallMessage("a", "b", "Hi")),
        ),
        ("event", {"eventChannel": "c", "eventType": "t"}, EventResponse("c", "t")),
        ("event", {"eventType": []}, EventResponse("", "")),
        ("somethingNew", {}, None),
    ],
)
def test_messages(method: str, params: dict[str, Any], result: ReceivedResult | None) -> None:
    assert parsed(method, params) == result


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("invite", {"sdp": "v=0"}),
        ("invite", {"callID": "C"}),
        ("media", {"callID": "C", "sdp": {}}),
        ("answer", {"callID": None, "dialogParams": []}),
        ("bye", {"callID": True}),
    ],
)
def test_useless_messages_are_malformed(method: str, params: dict[str, Any]) -> None:
    with pytest.raises(MalformedFrameError):
        parsed(method, params)


def test_client_state_that_is_not_base64_is_taken_as_it_is() -> None:
    result = parsed("invite", {"callID": "C", "sdp": "v=0", "clientState": "plain text"})
    assert isinstance(result, InviteResponse)
    assert result.client_state == "plain text"


@pytest.mark.parametrize(
    "encoded",
    ["aGVsbG8gd29ybGQ=", "aGVsbG8g\r\nd29ybGQ=", "aGVs bG8g\nd29y\nbGQ=\n", "aGVsbG8gd29ybGQ"],
    ids=["plain", "MIME line breaks", "white space", "no padding"],
)
def test_client_state_is_decoded(encoded: str) -> None:
    result = parse_request(Request("telnyx_rtc.invite", {"callID": "C", "sdp": "v=0", "client_state": encoded}))
    assert isinstance(result, InviteResponse)
    assert result.client_state == "hello world"


def headers_of(*headers: object) -> dict[str, str]:
    params = {"callID": "C", "dialogParams": {"custom_headers": list(headers)}}
    result = parse_request(Request("telnyx_rtc.answer", params))
    assert isinstance(result, AnswerResponse)
    return result.custom_headers


def test_headers_of_one_name_are_one_with_all_values_in_order() -> None:
    """RFC 3261, 7.3.1; names compare without case."""
    assert headers_of(
        {"name": "Diversion", "value": "<sip:1@a>"},
        {"name": "X-Count", "value": 7},
        {"name": "diversion", "value": "<sip:2@b>;reason=user-busy"},
        {"name": "X-Rate", "value": 1.5},
        {"name": "X-Empty", "value": ""},
        {"name": "", "value": "x"},
        "junk",
    ) == {
        "Diversion": "<sip:1@a>, <sip:2@b>;reason=user-busy",
        "X-Count": "7",
        "X-Rate": "1.5",
        "X-Empty": "",
    }


def test_headers_are_bounded_in_number_and_size() -> None:
    assert len(headers_of(*({"name": f"X-{n}", "value": "1"} for n in range(1000)))) == 100
    assert len(headers_of(*({"name": f"X-{n}", "value": 10_000 * "1"} for n in range(50)))) == 3


@pytest.mark.parametrize("call_id", ["../../etc/x", "/etc/passwd", "a\r\nX-Y: z", "a b", ".", "x" * 129, "\u00e9"])
def test_an_id_that_could_be_more_than_an_id_is_malformed(call_id: str) -> None:
    with pytest.raises(MalformedFrameError, match="callID is no id"):
        parse_request(Request("telnyx_rtc.invite", {"callID": call_id, "sdp": "v=0"}))


def test_names_are_on_one_line_and_descriptions_on_several() -> None:
    params = {"callID": "C", "sdp": "v=0\r\ns=-\r\n", "caller_id_name": "Bob\r\nERROR forged", "caller_id_number": 7.0}
    result = parse_request(Request("telnyx_rtc.invite", params))
    assert isinstance(result, InviteResponse)
    assert (result.caller_id_name, result.caller_id_number) == ("Bob ERROR forged", "7.0")
    assert result.sdp == "v=0\r\ns=-\r\n"


@pytest.mark.parametrize(
    ("index", "expected"),
    [(0, 0), ("1", 1), (1.0, 1), ("2.0", 2), (1.5, 0), (1e300, 0), (-(2**40), 0), ("x", 0), (None, 0)],
)
def test_numbers_are_whole_and_small(index: object, expected: int) -> None:
    params = {"callID": "C", "candidate": "candidate:1", "sdpMLineIndex": index}
    result = parse_request(Request("telnyx_rtc.candidate", params))
    assert isinstance(result, CandidateResponse)
    assert result.sdp_mline_index == expected


def test_reason_of_bye() -> None:
    bye = ByeResponse("C", cause="USER_BUSY", cause_code=17, sip_code=486, sip_reason="Busy Here")
    assert bye.reason == CallTerminationReason("USER_BUSY", 17, 486, "Busy Here")


def test_descriptions_are_not_in_reprs() -> None:
    assert "v=0" not in repr(InviteResponse("C", sdp="v=0"))


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "callID"]), inner),
    max_leaves=4,
)
keys = st.sampled_from(
    [
        "callID",
        "callId",
        "sdp",
        "dialogParams",
        "cause",
        "causeCode",
        "sipCode",
        "state",
        "client_state",
        "custom_headers",
        "reattached_sessions",
        "telnyx_leg_id",
        "caller_id_name",
    ]
)


@given(st.sampled_from(SocketMethod), st.dictionaries(keys, junk | st.dictionaries(keys, junk)))
def test_any_params_are_parsed_or_malformed(method: SocketMethod, params: dict[str, Any]) -> None:
    try:
        result = parse_request(Request(method.value, params, 1))
    except MalformedFrameError:
        return
    assert result is None or isinstance(result, ReceivedResult)
