from __future__ import annotations

import asyncio
import time
from uuid import UUID

import pytest

from support.limit import LIMIT
from telnyx_native.errors import CallError, ConfigurationError, MediaError, WaitTimeoutError
from telnyx_native.flow import StateFlow
from telnyx_native.gateway import DialPlan, Gateway, LegState, User
from telnyx_native.gateway.destinations.ring_users import ring_until_answered
from telnyx_native.states import HangupCause


class TestPlacedCalls:
    async def test_answered(self, alice, gateway, peers):
        call = await gateway.place_call(
            "alice", from_="+1999", name="Desk", headers={"X-Ticket": "9"}, client_state="aGk="
        )
        invite = (await alice.expect("telnyx_rtc.invite"))["params"]
        assert UUID(invite["callID"])
        assert invite["sdp"] == "v=0 complete"
        assert (invite["caller_id_name"], invite["caller_id_number"]) == ("Desk", "+1999")
        assert invite["callee_id_number"] == "alice"
        assert invite["display_direction"] == "outbound"
        assert invite["dialogParams"] == {"custom_headers": [{"name": "X-Ticket", "value": "9"}]}
        assert invite["client_state"] == "aGk="
        assert UUID(invite["telnyx_session_id"])
        assert UUID(invite["telnyx_leg_id"])
        assert call.state.value is LegState.RINGING
        answer = await alice.ask("telnyx_rtc.answer", sdp="v=0 mine", dialogParams={"callID": invite["callID"].upper()})
        assert answer["result"]["callID"] == invite["callID"]
        await call.wait_answered(LIMIT)
        assert ("set_answer", "v=0 mine") in peers[0].done
        await call.hang_up()
        bye = (await alice.expect("telnyx_rtc.bye"))["params"]
        assert (bye["cause"], bye["causeCode"], bye["sipCode"]) == ("NORMAL_CLEARING", 16, 200)

    async def test_rejected(self, alice, gateway):
        call = await gateway.place_call("+15550100", from_="+1999")
        call_id = (await alice.expect("telnyx_rtc.invite"))["params"]["callID"]
        await alice.ask("telnyx_rtc.bye", cause="USER_BUSY", causeCode=17, dialogParams={"callID": call_id})
        with pytest.raises(CallError, match="USER_BUSY 17, SIP 486 Busy Here"):
            await call.wait_answered(LIMIT)

    async def test_cancelled(self, alice, gateway):
        call = await gateway.place_call("alice", from_="+1999")
        await call.hang_up(HangupCause.ORIGINATOR_CANCEL)
        bye = (await alice.expect("telnyx_rtc.bye"))["params"]
        assert (bye["cause"], bye["sipCode"]) == ("ORIGINATOR_CANCEL", 487)
        late = await alice.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": bye["callID"]})
        assert late["error"]["code"] == -32002

    async def test_answered_with_something_unusable(self, alice, gateway):
        call = await gateway.place_call("alice", from_="+1999")
        call_id = (await alice.expect("telnyx_rtc.invite"))["params"]["callID"]
        answer = await alice.ask("telnyx_rtc.answer", sdp="bad", dialogParams={"callID": call_id})
        assert answer["error"] == {"code": -32002, "message": "CODEC ERROR"}
        assert (await call.wait_ended(LIMIT)).cause == "INCOMPATIBLE_DESTINATION"

    async def test_somebody_else_is_at_the_other_end(self, alice, gateway):
        call = await gateway.place_call("alice", from_="+1999")
        await call.send_display("The Shop", "+1888")
        shown = (await alice.expect("telnyx_rtc.display"))["params"]
        assert shown["callID"] == call.call_id
        assert (shown["display_name"], shown["display_number"]) == ("The Shop", "+1888")

    async def test_to_nobody(self, gateway):
        with pytest.raises(ConfigurationError):
            await gateway.place_call("carol", from_="+1999")
        with pytest.raises(CallError, match="not logged in"):
            await gateway.place_call("alice", from_="+1999")


class TestRingingFromOutside:
    @pytest.fixture
    async def gateway(self, peers, limits):
        users = [User("alice", "secret", "+15550100"), User("bob", "hidden")]
        plan = DialPlan(numbers={"+1800": "all", "+1801": "echo"}, groups={"all": ["alice", "bob"]})
        async with Gateway(users, plan=plan, limits=limits) as gateway:
            yield gateway

    async def answer(self, client):
        call_id = (await client.expect("telnyx_rtc.invite"))["params"]["callID"]
        await client.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": call_id})
        return call_id

    async def test_the_first_to_answer_has_the_call(self, alice, bob, gateway):
        ringing = asyncio.create_task(gateway.ring("+1800", from_="+1999", name="Desk", headers={"X-A": "1"}))
        invite = (await alice.expect("telnyx_rtc.invite"))["params"]
        assert (invite["caller_id_name"], invite["caller_id_number"]) == ("Desk", "+1999")
        assert invite["dialogParams"]["custom_headers"] == [{"name": "X-A", "value": "1"}]
        await self.answer(bob)
        call = await ringing
        assert (call.user_name, call.state.value) == ("bob", LegState.ANSWERED)
        bye = (await alice.expect("telnyx_rtc.bye"))["params"]
        assert (bye["cause"], bye["sipCode"], bye["sipReason"]) == ("LOSE_RACE", 200, "Call completed elsewhere")
        assert gateway.calls == [call]

    async def test_everybody_refuses(self, alice, bob, gateway):
        ringing = asyncio.create_task(gateway.ring("all", from_="+1999"))
        for client in (alice, bob):
            call_id = (await client.expect("telnyx_rtc.invite"))["params"]["callID"]
            await client.ask("telnyx_rtc.bye", cause="USER_BUSY", dialogParams={"callID": call_id})
        with pytest.raises(CallError, match="nobody has taken the call: USER_BUSY"):
            await ringing

    async def test_who_gives_up_ends_the_ringing(self, alice, bob, gateway):
        ringing = asyncio.create_task(gateway.ring("all", from_="+1999"))
        for client in (alice, bob):
            await client.expect("telnyx_rtc.invite")
        ringing.cancel()
        for client in (alice, bob):
            assert (await client.expect("telnyx_rtc.bye"))["params"]["cause"] == "ORIGINATOR_CANCEL"
        assert gateway.calls == []

    async def test_nobody(self, gateway, alice):
        with pytest.raises(CallError, match="nobody at bob is logged in"):
            await gateway.ring("bob", from_="+1999")
        for address in ("+1801", "carol", "echo"):
            with pytest.raises(ConfigurationError, match="there is no user or group"):
                await gateway.ring(address, from_="+1999")

    async def test_waiting_for_a_login(self, gateway, client):
        waiting = asyncio.create_task(gateway.wait_logged_in("+15550100"))
        await client.login()
        await asyncio.wait_for(waiting, 5)
        with pytest.raises(WaitTimeoutError, match=r"bob has not logged in within 0\.01 s"):
            await gateway.wait_logged_in("bob", timeout=0.01)
        with pytest.raises(ConfigurationError):
            await gateway.wait_logged_in("carol")


class TestBetweenUsers:
    async def ring(self, alice, bob, destination="bob"):
        await alice.place(destination)
        invite = (await bob.expect("telnyx_rtc.invite"))["params"]
        await alice.expect("telnyx_rtc.ringing")
        return invite

    async def test_answered_and_joined(self, alice, bob, peers, gateway, until):
        invite = await self.ring(alice, bob, "+15550101")
        assert invite["caller_id_number"] == "+15550100"
        assert not [frame for frame in alice.frames if frame.get("method") == "telnyx_rtc.answer"]
        await bob.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": invite["callID"]})
        await alice.expect("telnyx_rtc.answer")
        of_bob, of_alice = peers
        await until(lambda: "enter" in of_alice.done and "enter" in of_bob.done)
        assert {leg.info.ids.session_id for leg in gateway.calls} == {invite["telnyx_session_id"]}
        await bob.ask("telnyx_rtc.bye", cause="NORMAL_CLEARING", dialogParams={"callID": invite["callID"]})
        assert (await alice.expect("telnyx_rtc.bye"))["params"]["cause"] == "NORMAL_CLEARING"
        await until(lambda: of_bob.closed and of_alice.closed)

    async def test_either_may_hold(self, alice, bob, peers, until):
        invite = await self.ring(alice, bob)
        await bob.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": invite["callID"]})
        await alice.expect("telnyx_rtc.answer")
        of_bob, of_alice = peers
        await until(lambda: "enter" in of_alice.done and "enter" in of_bob.done)
        for client, call_id, peer in ((alice, "Call-1", of_alice), (bob, invite["callID"], of_bob)):
            for action, held in (("hold", True), ("unhold", False)):
                await client.ask("telnyx_rtc.modify", action=action, dialogParams={"callID": call_id})
                assert peer.done[-1] == ("hold", held)
                assert peer.audio.muted is held

    async def test_text_messages_pass(self, alice, bob):
        invite = await self.ring(alice, bob)
        await bob.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": invite["callID"]})
        await alice.expect("telnyx_rtc.answer")
        message = {"from": "alice", "to": "bob", "body": "hello"}
        await alice.ask("telnyx_rtc.info", msg=message, dialogParams={"callID": "Call-1"})
        assert (await bob.expect("telnyx_rtc.info"))["params"] == {"callID": invite["callID"], "msg": message}
        await bob.ask("telnyx_rtc.info", msg={"body": "hi"}, dialogParams={"callID": invite["callID"]})
        assert (await alice.expect("telnyx_rtc.info"))["params"] == {"callID": "Call-1", "msg": {"body": "hi"}}

    async def test_rejected(self, alice, bob):
        invite = await self.ring(alice, bob)
        await bob.ask("telnyx_rtc.bye", cause="CALL_REJECTED", dialogParams={"callID": invite["callID"]})
        bye = (await alice.expect("telnyx_rtc.bye"))["params"]
        assert (bye["cause"], bye["sipCode"]) == ("CALL_REJECTED", 603)

    async def test_cancel_is_no_reject_though_clients_say_busy_for_both(self, alice, bob):
        invite = await self.ring(alice, bob)
        await alice.ask("telnyx_rtc.bye", cause="USER_BUSY", causeCode=17, dialogParams={"callID": "Call-1"})
        bye = (await bob.expect("telnyx_rtc.bye"))["params"]
        assert (bye["callID"], bye["cause"], bye["sipCode"]) == (invite["callID"], "ORIGINATOR_CANCEL", 487)

    async def test_busy_in_the_middle_of_a_call_is_a_plain_hang_up(self, alice, bob):
        invite = await self.ring(alice, bob)
        await bob.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": invite["callID"]})
        await alice.expect("telnyx_rtc.answer")
        await alice.ask("telnyx_rtc.bye", cause="USER_BUSY", causeCode=17, dialogParams={"callID": "Call-1"})
        assert (await bob.expect("telnyx_rtc.bye"))["params"]["cause"] == "NORMAL_CLEARING"

    async def test_the_last_phone_to_log_in_rings(self, alice, bob, open_client, gateway):
        """As at Telnyx, where "the last client to register" with a credential gets the calls."""
        async with open_client() as second, open_client() as third:
            await third.login("bob", "hidden")
            await second.login("bob", "hidden")
            invite = await self.ring(alice, second)
            await second.ask("telnyx_rtc.bye", cause="USER_BUSY", dialogParams={"callID": invite["callID"]})
            assert (await alice.expect("telnyx_rtc.bye"))["params"]["cause"] == "USER_BUSY", "nobody else is tried"
            await bob.login("bob", "hidden")  # who logs in again is the last
            await alice.place("bob", call_id="Call-2")
            await bob.expect("telnyx_rtc.invite")
            placed = await gateway.place_call("bob", from_="+1999")
            assert (await bob.expect("telnyx_rtc.invite"))["params"]["callID"] == placed.call_id
            for other in (second, third):
                await other.ask("telnyx_rtc.ping")
                assert sum(frame.get("method") == "telnyx_rtc.invite" for frame in other.frames) == (other is second)

    async def test_headers_reach_the_other_side_and_no_side_its_own(self, alice, bob):
        own = [{"name": "Diversion", "value": "<sip:a@x>"}, {"name": "Diversion", "value": "<sip:b@x>"}]
        await alice.place("bob", custom_headers=[*own, {"name": "X-Count", "value": 7}])
        invite = (await bob.expect("telnyx_rtc.invite"))["params"]
        assert invite["dialogParams"] == {"custom_headers": [*own, {"name": "X-Count", "value": "7"}]}
        ringing = (await alice.expect("telnyx_rtc.ringing"))["params"]
        assert ringing["dialogParams"] == {"custom_headers": []}
        answered = {"callID": invite["callID"], "custom_headers": [{"name": "X-Agent", "value": "bob"}]}
        await bob.ask("telnyx_rtc.answer", sdp="v=0", dialogParams=answered)
        answer = (await alice.expect("telnyx_rtc.answer"))["params"]
        assert answer["dialogParams"] == {"custom_headers": [{"name": "X-Agent", "value": "bob"}]}

    @pytest.mark.timed
    async def test_pauses_between_keys(self, alice, bob, gateway):
        await alice.place("noanswer")
        (leg,) = gateway.calls
        with leg.keys.collect() as keys:
            begun = time.monotonic()
            call = {"callID": "Call-1"}
            await alice.ask("telnyx_rtc.info", dtmf="1w2W", dialogParams=call)
            await alice.ask("telnyx_rtc.info", dtmf="ad", dialogParams=call)  # behind the pauses, too
            pressed = [(await anext(keys), time.monotonic() - begun) for _ in range(4)]
        assert [key for key, _ in pressed] == ["1", "2", "A", "D"]
        times = [at for _, at in pressed]
        assert times[0] < 0.3 <= times[1] < 1.2 <= times[2], times
        await alice.ask("telnyx_rtc.info", dtmf="w" * 64, dialogParams=call)
        await alice.ask("telnyx_rtc.bye", dialogParams=call)

    async def test_lost_phone_ends_the_call(self, alice, open_client):
        async with open_client() as bob:
            await bob.login("bob", "hidden")
            await self.ring(alice, bob)
        bye = (await alice.expect("telnyx_rtc.bye"))["params"]
        assert bye["cause"] == "DESTINATION_OUT_OF_ORDER"

    async def test_phone_without_audio_is_out(self, alice, bob, monkeypatch, peers, fake_peer):
        async def fail(_peer, **options):
            raise MediaError("no offer")

        monkeypatch.setattr(fake_peer, "create_offer", fail)
        await alice.place("bob")
        assert (await alice.expect("telnyx_rtc.bye"))["params"]["cause"] == "NORMAL_TEMPORARY_FAILURE"
        assert not [frame for frame in bob.frames if frame.get("method") == "telnyx_rtc.invite"]


class TestAllPhonesOfAUser:
    """An option, and not Telnyx's way."""

    @pytest.fixture
    async def gateway(self, peers, limits):
        users = [User("alice", "secret", "+15550100"), User("bob", "hidden")]
        async with Gateway(users, plan=DialPlan(ring="all"), limits=limits) as gateway:
            yield gateway

    def test_it_is_the_last_or_all(self):
        with pytest.raises(ConfigurationError, match='ring: write "last" or "all"'):
            DialPlan(ring="first")

    ring = TestBetweenUsers.ring

    async def test_every_phone_rings_and_the_first_answer_wins(self, alice, bob, open_client):
        async with open_client() as second:
            await second.login("bob", "hidden")
            first_invite = await self.ring(alice, bob)
            second_invite = await second.expect("telnyx_rtc.invite")
            call_id = second_invite["params"]["callID"]
            await second.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": call_id})
            bye = (await bob.expect("telnyx_rtc.bye"))["params"]
            assert (bye["callID"], bye["cause"]) == (first_invite["callID"], "LOSE_RACE")
            await alice.expect("telnyx_rtc.answer")


class Phone:
    """A leg that answers at once, and takes its time to be hung up."""

    reason = None

    def __init__(self, state):
        self.state = StateFlow(state)
        self.ended = []
        self.is_ending = asyncio.Event()

    async def invite(self):
        pass

    async def wait_settled(self):
        await self.state.wait_for(LegState.ANSWERED)
        return self

    async def hang_up(self, reason):
        self.ended.append(reason)
        self.is_ending.set()
        await asyncio.sleep(0.01)


async def test_who_gives_up_between_the_answer_and_the_call_leaves_nobody_in_it():
    winner, loser = Phone(LegState.ANSWERED), Phone(LegState.RINGING)
    ringing = asyncio.create_task(ring_until_answered([winner, loser], LIMIT))
    await asyncio.wait_for(loser.is_ending.wait(), LIMIT)
    ringing.cancel()
    await asyncio.wait({ringing})
    assert ringing.cancelled()
    assert winner.ended == [HangupCause.ORIGINATOR_CANCEL]
