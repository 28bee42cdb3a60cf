from __future__ import annotations

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import DialPlan, Gateway, Menu, User
from telnyx_native.gateway.accounts.users import Directory
from telnyx_native.gateway.destinations.built_in import (
    Echo,
    PlayEndlessly,
    Refuse,
    Rooms,
    built_in,
)
from telnyx_native.gateway.destinations.router import Router
from telnyx_native.gateway.destinations.sounds import SoundFolder

ALICE = User("alice", "secret", "+15550100")
BOB = User("bob", "secret")


def router(*users, plan=None):
    """A router whose users are told by their names."""
    plan = plan or DialPlan()
    programs = built_in(plan.menus, SoundFolder(plan.sounds), Rooms(None, 2))
    return Router(Directory(users or [ALICE, BOB]), plan, lambda called: [user.name for user in called], programs)


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
