from __future__ import annotations

from dataclasses import replace

import pytest

from telnyx_native.config import AnonymousConfig, CredentialConfig, TokenConfig
from telnyx_native.errors import ConfigurationError
from telnyx_native.push import PushConfig, PushEnvironment, PushProvider
from telnyx_native.signaling.logins import Purpose, login_of
from telnyx_native.signaling.messages import Answer, AttachCalls, Dialog, DisablePush
from telnyx_native.version import USER_AGENT, __version__

CREDENTIALS = CredentialConfig("alice", "s3cret")
PUSH = PushConfig("f1rebase")


def test_credentials() -> None:
    login = login_of(CREDENTIALS)
    assert login.method.value == "login"
    assert not login.sticky
    assert login.params() == {
        "login": "alice",
        "passwd": "s3cret",
        "userVariables": {},
        "reconnection": False,
        "loginParams": {},
        "User-Agent": USER_AGENT,
    }
    assert (login.account, login.who) == ("alice", "'alice'")
    assert "s3cret" not in repr(login)


def test_token() -> None:
    login = login_of(TokenConfig("t0ken"))
    params = login.params()
    assert params["login_token"] == "t0ken"
    assert not {"login", "passwd"} & set(params)
    assert "t0ken" not in repr(login) + login.who + login.hint


def test_anonymous() -> None:
    login = login_of(AnonymousConfig("assistant-1", user_variables={"customer": "42"}))
    assert login.method.value == "anonymous_login"
    assert login.params() == {
        "target_type": "ai_assistant",
        "target_id": "assistant-1",
        "userVariables": {"customer": "42"},
        "reconnection": False,
        "User-Agent": {"sdkVersion": __version__, "data": USER_AGENT},
    }


def test_anonymous_with_everything() -> None:
    login = login_of(AnonymousConfig("a", target_version_id="v1", conversation_id="c1"))
    params = login.params()
    assert params["target_version_id"] == "v1"
    assert params["conversation_id"] == params["target_params"]["conversation_id"] == "c1"


def test_coming_back() -> None:
    params = replace(login_of(CREDENTIALS), reconnection=True, sessid="S1").params()
    assert (params["reconnection"], params["sessid"]) == (True, "S1")


@pytest.mark.parametrize(
    ("push", "variables"),
    [
        (
            PUSH,
            {
                "push_device_token": "f1rebase",
                "push_notification_provider": "android",
                "push_notification_environment": "production",
            },
        ),
        (
            PushConfig("apple", PushProvider.IOS, PushEnvironment.DEBUG, push_when_active=True),
            {
                "push_device_token": "apple",
                "push_notification_provider": "ios",
                "push_notification_environment": "debug",
                "push_when_active": True,
                "pn_late_fanout": True,
            },
        ),
    ],
)
def test_push(push: PushConfig, variables: dict[str, object]) -> None:
    for login in (login_of(CredentialConfig("u", "p", push=push)), login_of(TokenConfig("t", push=push))):
        assert login.params()["userVariables"] == variables
        assert push.push_device_token not in repr(login)


def test_missed_calls_are_told_to_who_wants_them() -> None:
    for config in (CredentialConfig("u", "p", push=PUSH), TokenConfig("t", push=replace(PUSH, missed_calls=True))):
        agent = f"Python-mpn-{__version__}" if config.push.missed_calls else f"Python-{__version__}"
        assert login_of(config).params()["User-Agent"] == agent


def test_purposes() -> None:
    answer, decline = (login_of(CREDENTIALS, purpose).params() for purpose in list(Purpose)[1:])
    assert (answer["loginParams"], answer["from_push"]) == ({"attach_call": "true"}, True)
    assert (decline["loginParams"], decline["from_push"]) == ({"decline_push": "true"}, True)


def test_attach_calls() -> None:
    assert AttachCalls(None).params() == {"userVariables": {}}
    assert AttachCalls(PUSH).params() == {
        "userVariables": {"push_notification_environment": "production", "push_notification_provider": "android"}
    }
    assert AttachCalls(replace(PUSH, provider=PushProvider.IOS)).params() == {
        "push_notification_provider": "ios",
        "loginParams": {},
        "userVariables": {"push_notification_environment": "production"},
    }


def test_disable_push() -> None:
    by_user = DisablePush.of(CredentialConfig("alice", "p", push=PUSH))
    assert by_user.params() == {
        "user": "alice",
        "User-Agent": {
            "push_device_token": "f1rebase",
            "push_notification_provider": "android",
            "push_notification_environment": "production",
        },
    }
    by_token = DisablePush.of(TokenConfig("t0ken", push=PUSH))
    assert by_token.params()["login_token"] == "t0ken"
    assert not {"t0ken", "f1rebase"} & set(repr(by_token).split("'"))
    for config in (None, CREDENTIALS, AnonymousConfig("a", push=PUSH)):
        with pytest.raises(ConfigurationError, match="no push"):
            DisablePush.of(config)


def test_answer_names_the_device() -> None:
    dialog = Dialog("C1", answered_device_token="f1rebase")
    assert "f1rebase" not in repr(dialog)
    assert Answer("S1", dialog, "v=0", "P").params()["answered_device_token"] == "f1rebase"
    assert "answered_device_token" not in Answer("S1", Dialog("C1"), "v=0", "P").params()
