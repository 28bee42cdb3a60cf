from __future__ import annotations

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import User
from telnyx_native.gateway.destinations import BUILT_IN, Echo, Refuse, RingOut, Tone
from telnyx_native.gateway.dialog import address_of, dialog_of_invite
from telnyx_native.gateway.reasons import reason_from_bye, reason_of
from telnyx_native.gateway.routing import Router
from telnyx_native.gateway.users import Directory
from telnyx_native.states import HangupCause

ALICE = User("alice", "secret", "+15550100")


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
    ],
)
def test_address_of_a_destination(destination, address):
    assert address_of(destination) == address


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("echo", Echo),
        ("ECHO", Echo),
        ("tone", Tone),
        ("tone:1000", Tone),
        ("busy", Refuse),
        ("noanswer", RingOut),
        ("nowhere", Refuse),
        ("tone:", Tone),
        ("tone:x", Refuse),
        ("tone:19", Refuse),
        ("tone:99999999999999999999", Refuse),
        ("tone:٣٠٠", Refuse),
    ],
)
def test_programs(address, kind):
    assert isinstance(Router(Directory([ALICE]), lambda user: user, BUILT_IN).route(address), kind)


@pytest.mark.parametrize("address", ["alice", "+15550100"])
def test_users_by_name_and_number(address):
    assert Router(Directory([ALICE]), lambda user: user, BUILT_IN).route(address) is ALICE


def test_users_come_before_programs():
    echo = User("echo", "x")
    assert Router(Directory([echo]), lambda user: user, BUILT_IN).route("echo") is echo


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
