from __future__ import annotations

import pytest

from telnyx_native.gateway import DialPlan
from telnyx_native.gateway.accounts.users import Directory
from telnyx_native.gateway.destinations.built_in import (
    EarlyMedia,
    Echo,
    HangUpAfter,
    JoinRoom,
    PlayEndlessly,
    PlayOnce,
    ReadBack,
    Refuse,
    RingOut,
    Rooms,
    Voicemail,
    built_in,
)
from telnyx_native.gateway.destinations.ivr import Ivr
from telnyx_native.gateway.destinations.router import Router
from telnyx_native.gateway.destinations.sounds import SoundFolder


@pytest.fixture(scope="module")
def router():
    programs = built_in({}, SoundFolder(None), Rooms(None, 2))
    return Router(Directory([]), DialPlan(), lambda called: None, programs)


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
        ("progress:busy", PlayEndlessly),
        ("progress:ringback:uk", PlayEndlessly),
        ("progress:sit", PlayEndlessly),
        ("progress:fax-ced:fr", PlayEndlessly),
        ("progress", Refuse),
        ("progress:engaged", Refuse),
        ("progress:busy:xx", Refuse),
        ("progress:congestion:mx", Refuse),
        ("progress:sit:uk", PlayEndlessly),
        ("voicemail", Voicemail),
        ("voicemail:greeting.wav", Refuse),
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
def test_programs(router, address, kind):
    assert isinstance(router.route(address), kind)
