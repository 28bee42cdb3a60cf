from __future__ import annotations

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import DialPlan, Gateway, Menu, User
from telnyx_native.gateway.accounts.users import Directory, address_of
from telnyx_native.gateway.calls.call_info import dialog_of_invite
from telnyx_native.gateway.calls.hangup import reason_from_bye, reason_of
from telnyx_native.gateway.destinations.conference import JoinRoom, Rooms
from telnyx_native.gateway.destinations.echo import Echo, ReadBack
from telnyx_native.gateway.destinations.ivr import Ivr
from telnyx_native.gateway.destinations.playing import PlayEndlessly, PlayOnce
from telnyx_native.gateway.destinations.progress import EarlyMedia, HangUpAfter, Refuse, RingOut
from telnyx_native.gateway.destinations.router import Router, built_in
from telnyx_native.gateway.destinations.sounds import SoundFolder
from telnyx_native.sip_headers import joined_headers
from telnyx_native.states import HangupCause

ALICE = User("alice", "secret", "+15550100")
BOB = User("bob", "secret")


def router(*users, plan=None):
    """A router whose users are told by their names."""
    plan = plan or DialPlan()
    programs = built_in(plan.menus, SoundFolder(plan.sounds), Rooms(None, 2))
    return Router(Directory(users or [ALICE, BOB]), plan, lambda called: [user.name for user in called], programs)


@pytest.mark.parametrize(
    ("destination", "address"),
    [
        ("echo", "echo"),
        (" echo ", "echo"),
        ("sip:echo@example.com", "echo"),
        ("SIPS:+15550100@host;transport=tls", "+15550100"),
        ("sip:", ""),
        ("tone:440", "tone:440"),
        ("", ""),
        # RFC 3261, section 19.1.4, and RFC 3966, section 5.1.1
        ("sip:%2B15550100@sip.telnyx.com", "+15550100"),
        ("sip:+1-555-0100@host;user=phone", "+15550100"),
        ("sip:%61lice@host", "alice"),
        ("tel:+15550100", "+15550100"),
        ("TEL:+1-555-0100;ext=7", "+15550100"),
        ('"Alice" <sip:%2B15550100@host>;tag=1', "+15550100"),
        ("<tel:+15550100>", "+15550100"),
        # what people paste
        ("+1 (555) 0100", "+15550100"),
        ("+1.555.0100", "+15550100"),
        ("555/0100", "5550100"),
        ("\u202a+1\u00a0555\u20110100\u202c", "+15550100"),
        ("*21#", "*21#"),
        # what is no number stays
        ("sales-team (north)", "sales-team (north)"),
        ("file:music/a-b.wav", "file:music/a-b.wav"),
        ("1-2", "1-2"),
        ("+1 555 EXTRA", "+1 555 EXTRA"),
        ("sip:%1b[31m%00@host", "%1b[31m%00"),
    ],
)
def test_address_of_a_destination(destination, address):
    assert address_of(destination) == address


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("echo", Echo),
        ("ECHO", Echo),
        ("tone", PlayEndlessly),
        ("tone:1000", PlayEndlessly),
        ("busy", Refuse),
        ("noanswer", RingOut),
        ("nowhere", Refuse),
        ("tone:", PlayEndlessly),
        ("tone:x", Refuse),
        ("tone:19", Refuse),
        ("tone:99999999999999999999", Refuse),
        ("tone:٣٠٠", Refuse),
        ("music", PlayEndlessly),
        ("file", PlayOnce),
        ("file:/etc/passwd", Refuse),
        ("dtmf", ReadBack),
        ("early", EarlyMedia),
        ("early:0.5", EarlyMedia),
        ("early:-1", Refuse),
        ("hangup-after", HangUpAfter),
        ("hangup-after:3", HangUpAfter),
        ("hangup-after:nan", Refuse),
        ("hangup-after:soon", Refuse),
        ("ivr", Ivr),
        ("ivr:main", Ivr),
        ("ivr:other", Refuse),
        ("conference", JoinRoom),
        ("conference:room", JoinRoom),
        ("conference:" + "x" * 65, Refuse),
    ],
)
def test_programs(address, kind):
    assert isinstance(router().route(address), kind)


@pytest.mark.parametrize("address", ["alice", "+15550100"])
def test_users_by_name_and_number(address):
    assert router().route(address) == ["alice"]


def test_users_come_before_programs():
    assert router(User("echo", "x")).route("echo") == ["echo"]


def test_numbers_and_groups():
    plan = DialPlan(numbers={"+1800": "sales", "+1801": "tone:300", "+1802": "bob"}, groups={"sales": ["alice", "bob"]})
    routes = router(plan=plan)
    assert routes.route("sales") == routes.route("+1800") == ["alice", "bob"]
    assert isinstance(routes.route("+1801"), PlayEndlessly)
    assert routes.route("+1802") == ["bob"]
    assert isinstance(routes.route("+1803"), Refuse)


def test_what_can_be_called_is_listed():
    plan = DialPlan(numbers={"+1800": "sales"}, groups={"sales": ["alice"]})
    assert Gateway([ALICE], plan=plan).programs[:3] == ("sales", "+1800", "echo")


@pytest.mark.parametrize(
    ("plan", "complaint"),
    [
        (DialPlan(numbers={"+1": "salse"}, groups={"sales": ["bob"]}), "numbers.\"\\+1\": .* did you mean 'sales'"),
        (DialPlan(numbers={"+1": "+2", "+2": "echo"}), "no destination '\\+2'"),
        (DialPlan(numbers={"+15550100": "echo"}), "is a user already"),
        (DialPlan(groups={"alice": ["bob"]}), "is a user already"),
        (DialPlan(groups={"echo": ["bob"]}), "groups.echo: that is a destination already"),
        (DialPlan(groups={"sales": ["bop"]}), "groups.sales: there is no user 'bop'; did you mean 'bob'"),
        (DialPlan(groups={"sales": []}), "groups.sales: .* name users"),
        (DialPlan(numbers={"+1": "tone:5"}), 'numbers."\\+1": a tone is between'),
        (DialPlan(numbers={"+1": "ivr:x"}, menus={"main": Menu({})}), "there is no menu 'x'; there are: main"),
        (DialPlan(menus={"main": Menu({"1": "nowhere"})}), "menus.main.keys.1: there is no destination 'nowhere'"),
        (DialPlan(menus={"main": Menu({}, otherwise="x")}), "menus.main.otherwise: "),
        (DialPlan(menus={"main": Menu({}, prompt=["la la"])}), "menus.main: 'la la' is no sound"),
        (DialPlan(menus={"main": Menu({}, prompt=["file:a.wav"])}), "menus.main: no folder of sounds"),
    ],
)
def test_a_plan_that_leads_nowhere(plan, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        router(plan=plan)


@pytest.mark.parametrize(
    "users",
    [
        [User("a", "x"), User("a", "y")],
        [User("a", "x", "+1"), User("b", "y", "+1")],
        [User("a", "x"), User("b", "y", "a")],
    ],
)
def test_users_must_be_told_apart(users):
    with pytest.raises(ConfigurationError):
        Directory(users)


@pytest.mark.parametrize(("name", "password"), [("", "x"), ("x", "")])
def test_user_needs_name_and_password(name, password):
    with pytest.raises(ConfigurationError):
        User(name, password)


def test_dialog_fills_in_what_the_client_leaves_out():
    dialog = dialog_of_invite("c", {"destination_number": 7, "custom_headers": "x", "clientState": 1}, ALICE)
    assert (dialog.caller.name, dialog.caller.number) == ("alice", "+15550100")
    assert dialog.callee.number == ""
    assert dialog.custom_headers == {}
    assert dialog.client_state is None


@pytest.mark.parametrize("cause", list(HangupCause))
def test_every_cause_has_a_sip_reason(cause):
    reason = reason_of(cause)
    assert reason.sip_code
    assert reason.sip_reason


@pytest.mark.parametrize("params", [{}, {"cause": None}, {"cause": 17}, {"cause": "NONSENSE"}, {"cause": []}])
def test_cause_that_is_not_known(params):
    assert reason_from_bye(params, HangupCause.NORMAL_CLEARING).cause == "NORMAL_CLEARING"


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
    headers = dialog_of_invite("c", {"custom_headers": wire}, ALICE).headers
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


@pytest.mark.parametrize("dialled", ["+1 (555) 0100", "tel:+1-555-0100", "sip:%2B15550100@host", "+15550100"])
def test_however_a_number_is_written_it_is_the_same(dialled):
    carol = User("carol", "secret", "+1 555-0102")
    plan = DialPlan(numbers={"+1-555-0198": "carol", "(555) 0150": "echo"})
    found = router(ALICE, carol, plan=plan)
    assert found.route(dialled) == ["alice"]
    assert found.route("tel:+15550102") == found.route("+1.555.0198") == ["carol"]
    assert isinstance(found.route("5550150"), Echo)
    with pytest.raises(ConfigurationError, match="two users are reached at"):
        Directory([ALICE, User("dave", "secret", "+1 555 01-00")])
