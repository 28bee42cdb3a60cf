"""The ways to log in: with a password, with a token, or anonymously to an AI assistant. And how long a login takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from telnyx_native.config import AnonymousConfig, CredentialConfig, TokenConfig
from telnyx_native.credentials import account_of
from telnyx_native.events import SocketMethod
from telnyx_native.signaling.messages import Message
from telnyx_native.version import USER_AGENT, __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.config import TelnyxConfig
    from telnyx_native.push import PushConfig

__all__ = [
    "AnonymousLogin",
    "CredentialLogin",
    "Login",
    "LoginMilestone",
    "LoginTimings",
    "Purpose",
    "TokenLogin",
    "login_of",
]


class Purpose(Enum):
    """What a login is for."""

    CALLS = "calls"
    ANSWER_PUSH = "answer a call that a push announced"
    DECLINE_PUSH = "decline a call that a push announced"


_LOGIN_PARAMS: dict[Purpose, dict[str, str]] = {
    Purpose.CALLS: {},
    Purpose.ANSWER_PUSH: {"attach_call": "true"},
    Purpose.DECLINE_PUSH: {"decline_push": "true"},
}
"""As in Telnyx's mobile SDKs."""


@dataclass(frozen=True, kw_only=True)
class Login(Message):
    """What all logins have in common.

    Attributes:
        user_variables: What the platform or the assistant is told about the client.
        reconnection: Whether this client was logged in before.
        sessid: The session to resume, if there is one.
    """

    method: ClassVar[SocketMethod] = SocketMethod.LOGIN
    hint: ClassVar[str]
    """What to check when the server refuses it."""

    user_variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reconnection: bool = False
    sessid: str | None = None

    @property
    def account(self) -> str:
        """The account, for comparing two logins."""
        raise NotImplementedError

    @property
    def who(self) -> str:
        """The account in words, without secrets."""
        raise NotImplementedError

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        params: dict[str, Any] = {
            **self._identity(),
            "userVariables": dict(self.user_variables),
            "reconnection": self.reconnection,
        }
        return params | ({"sessid": self.sessid} if self.sessid else {})

    def _identity(self) -> dict[str, Any]:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class _UserLogin(Login):
    """A login of a user, who can be called.

    Attributes:
        purpose: What it is for.
        early_sdp_answer: Whether outbound calls are described before they are answered.
        user_agent: Name and version of the client.
    """

    purpose: Purpose = Purpose.CALLS
    early_sdp_answer: bool = False
    user_agent: str = USER_AGENT

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        wanted: dict[str, Any] = {**_LOGIN_PARAMS[self.purpose]}
        if self.early_sdp_answer:
            wanted["early_sdp_answer"] = True
        params = super().params() | {"loginParams": wanted, "User-Agent": self.user_agent}
        return params | ({"from_push": True} if self.purpose is not Purpose.CALLS else {})


@dataclass(frozen=True, kw_only=True)
class CredentialLogin(_UserLogin):
    """Log in with SIP credentials.

    Attributes:
        user: The SIP user.
        password: The SIP password.
    """

    hint: ClassVar[str] = "check user and password"

    user: str
    password: str = field(repr=False)

    @property
    def account(self) -> str:
        """The SIP user."""
        return self.user

    @property
    def who(self) -> str:
        """The SIP user."""
        return repr(self.user)

    def _identity(self) -> dict[str, Any]:
        return {"login": self.user, "passwd": self.password}


@dataclass(frozen=True, kw_only=True)
class TokenLogin(_UserLogin):
    """Log in with a token.

    Attributes:
        token: The token.
    """

    hint: ClassVar[str] = "create a new token for the telephony credential"

    token: str = field(repr=False)

    @property
    def account(self) -> str:
        """The account that the token belongs to."""
        return account_of(self.token)

    @property
    def who(self) -> str:
        """Only the token knows."""
        return "the token's owner"

    def _identity(self) -> dict[str, Any]:
        return {"login_token": self.token}


@dataclass(frozen=True, kw_only=True)
class AnonymousLogin(Login):
    """Log in without an account, to talk to one assistant.

    Attributes:
        target_type: The kind of target.
        target_id: Its id.
        target_version_id: Its version.
        conversation_id: The conversation to continue.
    """

    method: ClassVar[SocketMethod] = SocketMethod.ANONYMOUS_LOGIN
    hint: ClassVar[str] = "check the id of the assistant, and that it takes calls from everybody"

    target_type: str
    target_id: str
    target_version_id: str | None = None
    conversation_id: str | None = None

    @property
    def account(self) -> str:
        """The assistant."""
        return f"{self.target_type}:{self.target_id}"

    @property
    def who(self) -> str:
        """A guest of the assistant."""
        return f"a guest of {self.target_id!r}"

    def _identity(self) -> dict[str, Any]:
        identity: dict[str, Any] = {
            "target_type": self.target_type,
            "target_id": self.target_id,
            "User-Agent": {"sdkVersion": __version__, "data": USER_AGENT},
        }
        if self.target_version_id:
            identity["target_version_id"] = self.target_version_id
        if self.conversation_id:
            # The Telnyx Android SDK puts it at the top, the JS SDK into target_params.
            identity["conversation_id"] = self.conversation_id
            identity["target_params"] = {"conversation_id": self.conversation_id}
        return identity


LoginMilestone = Literal["socket_open", "logged_in", "registered"]


@dataclass
class LoginTimings:
    """Milestones of a connection in seconds of `time.monotonic`; `None` for those not reached.

    Attributes:
        begun: The client started to connect.
        socket_open: The WebSocket was open.
        logged_in: The server accepted the login.
        registered: The SIP registration was complete: calls can be placed and received.
    """

    begun: float = field(default_factory=monotonic)
    socket_open: float | None = None
    logged_in: float | None = None
    registered: float | None = None

    def mark(self, milestone: LoginMilestone) -> None:
        """Record that `milestone` is reached now."""
        setattr(self, milestone, monotonic())

    def since_begun(self, milestone: LoginMilestone) -> float | None:
        """Seconds from the start to `milestone`; `None` if it was not reached."""
        reached: float | None = getattr(self, milestone)
        return None if reached is None else reached - self.begun


def login_of(config: TelnyxConfig, purpose: Purpose = Purpose.CALLS) -> Login:
    """The login that a configuration describes."""
    match config:
        case CredentialConfig():
            return CredentialLogin(
                user=config.sip_user,
                password=config.sip_password,
                user_variables=_push_variables(config.push),
                purpose=purpose,
                early_sdp_answer=config.early_sdp_answer,
                user_agent=_user_agent(config.push),
            )
        case TokenConfig():
            return TokenLogin(
                token=config.sip_token,
                user_variables=_push_variables(config.push),
                purpose=purpose,
                early_sdp_answer=config.early_sdp_answer,
                user_agent=_user_agent(config.push),
            )
        case AnonymousConfig():
            return AnonymousLogin(
                target_type=config.target_type,
                target_id=config.target_id,
                target_version_id=config.target_version_id,
                conversation_id=config.conversation_id,
                user_variables=config.user_variables,
            )
        case _:
            raise TypeError(f"a {type(config).__name__} is no way to log in")


def _user_agent(push: PushConfig | None) -> str:
    """Notifications of missed calls are requested in the user agent (Telnyx iOS SDK: `iOS-mpn-4.1.2`)."""
    return USER_AGENT.replace("-", "-mpn-", 1) if push is not None and push.missed_calls else USER_AGENT


def _push_variables(push: PushConfig | None) -> dict[str, Any]:
    if push is None:
        return {}
    variables: dict[str, Any] = {
        "push_device_token": push.push_device_token,
        "push_notification_provider": push.provider.value,
        "push_notification_environment": push.environment.value,
    }
    if push.push_when_active:
        # Telnyx's SDKs always set the two together.
        variables |= {"push_when_active": True, "pn_late_fanout": True}
    return variables
