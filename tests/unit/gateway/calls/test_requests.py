from __future__ import annotations

from uuid import UUID

import pytest

from support.limit import LIMIT
from telnyx_native.errors import CallError
from telnyx_native.gateway import GatewayLimits

CANDIDATE = "candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host"


async def test_result_then_ringing_then_answer(alice):
    answer = await alice.invite("echo", caller_id_name="Alice", caller_id_number="+1777")
    ringing, answered = await alice.frame(), await alice.frame()
    sessid = answer["result"].pop("sessid")
    assert answer["result"] == {"callID": "Call-1", "message": "CALL CREATED"}
    assert UUID(sessid)

    assert ringing["method"] == "telnyx_rtc.ringing"
    params = ringing["params"]
    assert params["callID"] == "Call-1"
    assert (params["caller_id_name"], params["caller_id_number"]) == ("Alice", "+1777")
    assert params["callee_id_number"] == "echo"
    assert params["display_direction"] == "inbound"
    assert UUID(params["telnyx_session_id"])
    assert UUID(params["telnyx_leg_id"])
    assert params["telnyx_call_control_id"].startswith("v3:")

    assert answered["method"] == "telnyx_rtc.answer"
    assert answered["params"]["sdp"] == "v=0 complete"
    assert answered["params"]["telnyx_leg_id"] == params["telnyx_leg_id"]
    assert isinstance(ringing["id"], int)
    assert ringing["id"] < answered["id"]


@pytest.mark.parametrize(
    ("destination", "cause", "code", "sip_code", "sip_reason"),
    [
        ("busy", "USER_BUSY", 17, 486, "Busy Here"),
        ("reject", "CALL_REJECTED", 21, 603, "Decline"),
        ("+19995550199", "UNALLOCATED_NUMBER", 1, 404, "Not Found"),
        ("", "UNALLOCATED_NUMBER", 1, 404, "Not Found"),
        ("bob", "USER_NOT_REGISTERED", 606, 480, "Temporarily Unavailable"),
        ("tone:loud", "INVALID_NUMBER_FORMAT", 28, 484, "Address Incomplete"),
    ],
)
async def test_refused_calls_say_why(alice, destination, cause, code, sip_code, sip_reason):
    await alice.place(destination)
    bye = (await alice.expect("telnyx_rtc.bye"))["params"]
    assert (bye["callID"], bye["cause"], bye["causeCode"]) == ("Call-1", cause, code)
    assert (bye["sipCode"], bye["sipReason"]) == (sip_code, sip_reason)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "CallID missing"),
        ({"dialogParams": {"callID": 7}}, "CallID missing"),
        ({"dialogParams": {"callID": "x" * 500}, "sdp": "v=0"}, "CallID missing"),
        ({"dialogParams": {"callID": "c"}}, "SDP missing"),
        ({"dialogParams": [], "sdp": 7}, "CallID missing"),
    ],
)
async def test_incomplete_invites(alice, params, message):
    answer = await alice.ask("telnyx_rtc.invite", **params)
    assert answer["error"] == {"code": -32002, "message": message}


async def test_unusable_offer_ends_the_call(alice):
    await alice.ask("telnyx_rtc.invite", sdp="bad", dialogParams={"callID": "c", "destination_number": "echo"})
    bye = await alice.expect("telnyx_rtc.bye")
    assert (bye["params"]["cause"], bye["params"]["sipCode"]) == ("INCOMPATIBLE_DESTINATION", 488)


async def test_audio_that_does_not_connect_ends_the_call(alice, bob, no_audio, until, peers):
    await alice.place("echo")
    bye = (await alice.expect("telnyx_rtc.bye"))["params"]
    assert (bye["cause"], bye["sipCode"]) == ("MEDIA_TIMEOUT", 480)
    await alice.place("bob", call_id="Call-2")
    call_id = (await bob.expect("telnyx_rtc.invite"))["params"]["callID"]
    await bob.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": call_id})
    assert (await alice.expect("telnyx_rtc.bye"))["params"]["cause"] == "MEDIA_TIMEOUT"
    assert (await bob.expect("telnyx_rtc.bye"))["params"]["callID"] == call_id
    await until(lambda: all(peer.closed for peer in peers))


async def test_unknown_keys_and_odd_types_are_tolerated(alice):
    await alice.place(
        "busy",
        caller_id_name=None,
        userVariables=[],
        custom_headers=[{"name": "X-A", "value": "1"}, {"name": 2}, "x"],
        iceServers=[{"urls": "turn:example", "credential": "x"}],
        whatever={"nested": [1]},
    )


async def test_call_id_twice(alice):
    await alice.place("noanswer")
    answer = await alice.invite("noanswer", call_id="CALL-1")
    assert answer["error"]["code"] == -32002


@pytest.mark.parametrize("key", ["callID", "callId"])
async def test_call_is_found_by_any_spelling_of_its_id(alice, key):
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    answer = await alice.ask("telnyx_rtc.modify", action="hold", dialogParams={key: "cALL-1"})
    assert answer["result"]["holdState"] == "held"


async def test_hold_unhold_toggle(alice, peers):
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    states, muted = [], []
    for action in ("hold", "hold", "unhold", "toggleHold", "toggleHold"):
        result = (await alice.ask("telnyx_rtc.modify", action=action, dialogParams={"callID": "Call-1"}))["result"]
        assert (result["action"], result["callID"]) == (action, "Call-1")
        assert result["sessid"]
        states.append(result["holdState"])
        assert peers[0].done[-1] == ("hold", peers[0].audio.muted)
        muted.append(peers[0].audio.muted)
    assert states == ["held", "held", "active", "held", "active"]
    assert muted == [True, True, False, True, False], "on hold, the client hears silence"


async def test_other_modifications_are_refused(alice):
    await alice.place("echo")
    answer = await alice.ask("telnyx_rtc.modify", action="transfer", dialogParams={"callID": "Call-1"})
    assert answer["error"]["code"] == -32002


async def test_ice_restart_is_answered(alice, peers):
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    params = {"callID": "Call-1", "sdp": "v=0 again", "dialogParams": {"callID": "Call-1"}}
    answer = await alice.ask("telnyx_rtc.modify", action="updateMedia", **params)
    assert answer["result"]["sdp"] == "v=0 complete"
    assert answer["result"]["action"] == "updateMedia"
    assert ("create_answer", "v=0 again") in peers[0].done
    bad = await alice.ask("telnyx_rtc.modify", action="updateMedia", **params | {"sdp": "bad"})
    assert bad["error"]["code"] == -32002
    assert (await alice.ask("telnyx_rtc.ping"))["result"]


async def test_an_offer_of_another_peer_is_answered_by_another_peer(alice, peers):
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    params = {"callID": "Call-1", "sdp": "v=0 another", "dialogParams": {"callID": "Call-1"}}
    answer = await alice.ask("telnyx_rtc.modify", action="updateMedia", **params)
    assert answer["result"]["sdp"] == "v=0 complete"
    assert ("create_answer", "v=0 another") not in peers[0].done
    assert ("create_answer", "v=0 another") in peers[1].done
    bad = await alice.ask("telnyx_rtc.modify", action="updateMedia", **params | {"sdp": "bad another"})
    assert bad["error"]["code"] == -32002
    assert peers[2].closed


async def test_ice_restart_before_the_answer_is_refused(alice):
    await alice.place("noanswer")
    answer = await alice.ask("telnyx_rtc.modify", action="updateMedia", dialogParams={"callID": "Call-1"})
    assert answer["error"]["code"] == -32002


async def test_candidates_reach_the_peer_after_the_offer(alice, bob, peers):
    await alice.place("bob")
    for mid in ("0", "1"):
        answer = await alice.ask(
            "telnyx_rtc.candidate",
            candidate=CANDIDATE,
            sdpMid=mid,
            sdpMLineIndex=0,
            dialogParams={"callID": "Call-1"},
        )
        assert isinstance(answer["result"], dict)
    ended = await alice.ask("telnyx_rtc.endOfCandidates", endOfCandidates=True, dialogParams={"callID": "Call-1"})
    assert isinstance(ended["result"], dict)
    invite = await bob.expect("telnyx_rtc.invite")
    await bob.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": invite["params"]["callID"]})
    await alice.expect("telnyx_rtc.answer")
    of_alice = peers[1].done
    negotiated = [step[0] for step in of_alice if step[0] in ("create_answer", "add_candidate")]
    assert negotiated == ["create_answer", "add_candidate", "add_candidate"]
    await alice.ask("telnyx_rtc.candidate", candidate=CANDIDATE, dialogParams={"callID": "Call-1"})
    assert of_alice[-1] == ("add_candidate", CANDIDATE, "0", 0)


async def test_useless_candidates_are_counted(alice, gateway):
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    answer = await alice.ask("telnyx_rtc.candidate", candidate="bad", dialogParams={"callID": "Call-1"})
    assert isinstance(answer["result"], dict)
    assert gateway.counters.dropped_candidates == 1


async def test_dtmf(alice, gateway):
    await alice.place("echo")
    (leg,) = gateway.calls
    keys = leg.keys.collect()
    for sent in ("1", "2*#", "d?"):
        answer = await alice.ask("telnyx_rtc.info", dtmf=sent, dialogParams={"callID": "Call-1"})
        assert answer["result"]["sessid"]
    await alice.ask("telnyx_rtc.bye", dialogParams={"callId": "Call-1"})
    assert [key async for key in keys] == ["1", "2", "*", "#", "D"]


async def test_text_message_is_acknowledged(alice):
    await alice.place("echo")
    answer = await alice.ask("telnyx_rtc.info", msg={"body": "hi"}, dialogParams={"callID": "Call-1"})
    assert answer["result"]["sessid"]


async def test_client_hangs_up(alice, gateway, peers, until):
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    (leg,) = gateway.calls
    answer = await alice.ask("telnyx_rtc.bye", cause="NORMAL_CLEARING", causeCode=16, dialogParams={"callId": "Call-1"})
    result = answer["result"]
    assert (result["message"], result["cause"], result["causeCode"]) == ("CALL ENDED", "NORMAL_CLEARING", 16)
    assert (await leg.wait_ended(LIMIT)).cause == "NORMAL_CLEARING"
    await until(lambda: peers[0].closed)
    assert gateway.calls == []
    again = await alice.ask("telnyx_rtc.bye", dialogParams={"callID": "Call-1"})
    assert again["result"]["message"] == "CALL ENDED"
    assert not [frame for frame in alice.frames if frame.get("method") == "telnyx_rtc.bye"]


@pytest.mark.parametrize("method", ["modify", "info", "candidate", "endOfCandidates", "answer", "attach"])
async def test_requests_about_no_call(alice, method):
    answer = await alice.ask(f"telnyx_rtc.{method}", dialogParams={"callID": "none"}, sdp="v=0")
    assert answer["error"] == {"code": -32002, "message": "CALL DOES NOT EXIST"}


async def test_call_that_is_not_answered_ends_with_its_socket(open_client, gateway):
    async with open_client() as client:
        await client.login()
        await client.place("noanswer")
        await client.expect("telnyx_rtc.ringing")
        (leg,) = gateway.calls
    assert (await leg.wait_ended(LIMIT)).cause == "DESTINATION_OUT_OF_ORDER"


class TestLimits:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(calls_per_connection=2, ring_time=0.1, queued_candidates=2, close_time=1.0)

    async def test_too_many_calls(self, alice, gateway):
        for n in range(2):
            assert "result" in await alice.invite("echo", call_id=f"c{n}")
        assert (await alice.invite("echo", call_id="c3"))["error"]["code"] == -32002
        assert gateway.counters.refused_calls == 1
        for _ in range(2):
            await gateway.place_call("alice", from_="+1999")
        with pytest.raises(CallError):
            await gateway.place_call("alice", from_="+1999")

    async def test_who_is_called_by_others_can_call(self, alice, bob, gateway):
        for number in range(2):
            await bob.place("alice", call_id=f"b{number}")
            await alice.expect("telnyx_rtc.invite")
        await bob.ask("telnyx_rtc.bye", dialogParams={"callID": "b0"})
        for number in range(2):
            await alice.place("echo", call_id=f"a{number}")
        assert (await alice.invite("echo", call_id="a2"))["error"]["message"] == "TOO MANY CALLS"

    async def test_nobody_answers(self, alice, bob):
        await alice.place("bob")
        assert (await alice.expect("telnyx_rtc.bye"))["params"]["cause"] == "NO_ANSWER"
        assert (await bob.expect("telnyx_rtc.bye"))["params"]["cause"] == "ORIGINATOR_CANCEL"

    async def test_nobody_ever_answers(self, alice):
        await alice.place("noanswer")
        bye = (await alice.expect("telnyx_rtc.bye"))["params"]
        assert (bye["cause"], bye["causeCode"], bye["sipCode"]) == ("NO_ANSWER", 19, 480)

    async def test_waiting_candidates_are_bounded(self, alice, gateway):
        await alice.place("noanswer")
        for _ in range(3):
            await alice.ask("telnyx_rtc.candidate", candidate=CANDIDATE, dialogParams={"callID": "Call-1"})
        assert gateway.counters.dropped_candidates == 1
