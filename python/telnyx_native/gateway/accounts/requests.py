"""What a client may ask about its session: login, registration, keep-alive, events, reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import SESSION_ERROR
from telnyx_native.gateway.accounts.failed_logins import TooManyGuesses
from telnyx_native.gateway.accounts.push import PushDevice, PushIntent
from telnyx_native.gateway.accounts.users import Guest, new_guest
from telnyx_native.gateway.faults.faults import RegistrationFault
from telnyx_native.gateway.limits import footprint
from telnyx_native.gateway.refusal import INTERNAL_ERROR, LoginRefused, RequestRefused

if TYPE_CHECKING:
    from telnyx_native.gateway.connection import Handler, Session
    from telnyx_native.signaling.envelope import Request

__all__ = ["HANDLERS"]

Answer = Mapping[str, Any] | None

REGISTERED = "REGED"
"""The state of a registration that stands."""


async def login(session: Session, request: Request) -> Answer:
    """Log in with user name and password, or with a token."""
    params, directory, guesses = request.params, session.host.directory, session.host.guesses
    await _take_turn(session, params.get("login"))
    if params.get("login_token") and not params.get("login"):
        user = directory.authenticate_token(params["login_token"])
    else:
        user = directory.authenticate(params.get("login"), params.get("passwd"))
    if user is None or session.host.faults.refuses_login(user.name):
        raise LoginRefused
    guesses.succeeded(user.name)
    if error := session.host.faults.login_error_of(user.name):
        raise error
    _check_room(session, user, params)
    session.log_in(user)
    session.intent = PushIntent.of_login(params)
    device = PushDevice.of_login(params)
    if device is not None:
        session.host.push.register(user.name, device)
    if session.intent is PushIntent.DECLINE:
        await session.decline_parked()
    return await _welcome(session, request)


async def anonymous_login(session: Session, request: Request) -> Answer:
    """Let a guest in who wants to talk to an assistant."""
    await _take_turn(session, None)
    guest = Guest.parse(request.params)
    if guest is None or guest.assistant not in session.host.assistants:
        raise LoginRefused("Login Incorrect: there is no such assistant")
    if footprint(guest.variables) > session.host.limits.kept_size:
        raise RequestRefused(SESSION_ERROR, "userVariables TOO BIG")
    _check_room(session, guest.assistant, request.params)
    session.log_in(new_guest(), guest)
    return await _welcome(session, request)


async def _take_turn(session: Session, name: object) -> None:
    """Wait as long as a login has to, after others have failed."""
    try:
        await session.host.guesses.wait(name, session.address)
    except TooManyGuesses:
        session.host.counters.refused_logins += 1
        raise RequestRefused(INTERNAL_ERROR, "Too many logins wait: try again later") from None


def _check_room(session: Session, account: object, params: Mapping[str, Any]) -> None:
    if not session.host.has_room_for(session, account, params.get("sessid")):
        session.host.counters.refused_logins += 1
        raise RequestRefused(SESSION_ERROR, "TOO MANY SESSIONS")


async def _welcome(session: Session, request: Request) -> Answer:
    """Tell the client that it is logged in, then that it may ask for its registration."""
    returned = session.host.admit(session, request.params.get("sessid"))
    if returned:
        await session.host.setups_of(session.account).keep(len(returned))
    await session.reply(request, {"message": "logged in", "sessid": session.sessid})
    session.take_back(returned)
    # Calls survive a second login, on the same socket or another; clients end those that are not listed.
    live = [leg.call_id for leg in session.legs.values()]
    await session.notify("telnyx_rtc.clientReady", {"reattached_sessions": live})
    return None


async def gateway_state(session: Session, request: Request) -> Answer:
    """Tell the state of the registration: whoever is logged in is registered, unless it is to fail."""
    fault = session.host.faults.registration_of(session.user_name)
    if fault is RegistrationFault.NO_ANSWER:
        return None
    report_id = session.host.call_reports.id_for(session.account, session.sessid)
    state = fault.value if fault else REGISTERED
    params = {"state": state, "call_report_id": report_id}
    await session.reply(request, {"params": params, "sessid": session.sessid})
    if state == REGISTERED:
        await session.registered()
    return None


async def ping(session: Session, request: Request) -> Answer:
    """Answer a keep-alive of the client, but not the echo of our own."""
    return None if session.is_ping_echo(request) else {"message": "PONG", "sessid": session.sessid}


async def acknowledge(session: Session, _request: Request) -> Answer:
    """Take note of something that has no effect here; clients wait for an answer all the same."""
    return {"sessid": session.sessid}


async def ai_conversation(session: Session, request: Request) -> Answer:
    """Pass on what the client says to an assistant; it names no call, so every call of the session hears it."""
    item = request.params.get("item")
    if isinstance(item, dict) and session.is_bearable(item, session.host.limits.frame_size):
        for leg in session.legs.values():
            leg.items.emit(item)
    return {"sessid": session.sessid}


async def attach_calls(session: Session, request: Request) -> Answer:
    """Let the calls ring that a notification has announced to the client."""
    await session.reply(request, {"sessid": session.sessid})
    await session.take_parked()
    return None


async def disable_push(session: Session, request: Request) -> Answer:
    """Announce no more calls to the client's device; the clients differ in what they call its token."""
    agent = request.params.get("User-Agent")
    named = agent if isinstance(agent, dict) else {}
    token = named.get("push_device_token", named.get("push_notification_token"))
    session.host.push.forget(session.user_name, token if isinstance(token, str) else None)
    return {"message": "disable push notification success", "sessid": session.sessid}


async def subscribe(_session: Session, request: Request) -> Answer:
    """Refuse every channel: there are no conferences."""
    channels = request.params.get("eventChannel") or []
    return {"subscribedChannels": [], "unauthorizedChannels": channels, "alreadySubscribedChannels": []}


async def unsubscribe(_session: Session, request: Request) -> Answer:
    """Nobody is subscribed to anything."""
    channels = request.params.get("eventChannel") or []
    return {"unsubscribedChannels": [], "notSubscribedChannels": channels}


HANDLERS: dict[str, Handler] = {
    "login": login,
    "anonymous_login": anonymous_login,
    "telnyx_rtc.gatewayState": gateway_state,
    "telnyx_rtc.ping": ping,
    "telnyx_rtc.subscribe": subscribe,
    "telnyx_rtc.unsubscribe": unsubscribe,
    "telnyx_rtc.broadcast": acknowledge,
    "telnyx_rtc.attachCalls": attach_calls,
    "telnyx_rtc.disable_push_notification": disable_push,
    "ai_conversation": ai_conversation,
    # The Telnyx JS SDK places no call before this is answered.
    "debug_report_start": acknowledge,
    "debug_report_data": acknowledge,
    "debug_report_stop": acknowledge,
}
"""What answers each method about the session."""
