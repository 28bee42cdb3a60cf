"""Requests about accounts and sessions: login, registration, keep-alive, push, events, debug reports."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import SESSION_ERROR
from telnyx_native.gateway.accounts.failed_logins import TooManyLogins
from telnyx_native.gateway.accounts.push import PushDevice, PushIntent
from telnyx_native.gateway.accounts.users import Guest, new_guest
from telnyx_native.gateway.connection import INTERNAL_ERROR, LoginRefused, RequestRefused
from telnyx_native.gateway.faults import RegistrationFault
from telnyx_native.gateway.limits import memory_size
from telnyx_native.untrusted_text import is_call_id

if TYPE_CHECKING:
    from collections.abc import Container

    from telnyx_native.gateway.accounts.users import Account
    from telnyx_native.gateway.calls.leg import Leg
    from telnyx_native.gateway.calls.registry import Calls
    from telnyx_native.gateway.connection import Connection, Connections, Handler
    from telnyx_native.gateway.context import GatewayContext
    from telnyx_native.signaling.envelope import Request

__all__ = ["AccountRequests"]

logger = logging.getLogger(__name__)

Answer = Mapping[str, Any] | None

REGISTERED = "REGED"
"""The state of a registration that stands."""


class AccountRequests:
    """Answers the requests of clients that are about no call."""

    def __init__(
        self, context: GatewayContext, connections: Connections, calls: Calls, assistants: Container[str]
    ) -> None:
        self._context = context
        self._connections = connections
        self._calls = calls
        self._assistants = assistants

    @property
    def handlers(self) -> dict[str, Handler]:
        """What answers each method."""
        return {
            "login": self._login,
            "anonymous_login": self._anonymous_login,
            "telnyx_rtc.gatewayState": self._gateway_state,
            "telnyx_rtc.ping": self._ping,
            "telnyx_rtc.subscribe": self._subscribe,
            "telnyx_rtc.unsubscribe": self._unsubscribe,
            "telnyx_rtc.broadcast": self._acknowledge,
            "telnyx_rtc.attachCalls": self._attach_calls,
            "telnyx_rtc.disable_push_notification": self._disable_push,
            # The Telnyx JS SDK places no call before this is answered.
            "debug_report_start": self._acknowledge,
            "debug_report_data": self._acknowledge,
            "debug_report_stop": self._acknowledge,
        }

    async def _login(self, connection: Connection, request: Request) -> Answer:
        """Log in with user name and password, or with a token."""
        params, context = request.params, self._context
        await self._wait_after_failures(connection, params.get("login"))
        if params.get("login_token") and not params.get("login"):
            user = context.directory.authenticate_token(params["login_token"])
        else:
            user = context.directory.authenticate(params.get("login"), params.get("passwd"))
        if user is None or context.faults.refuses_login(user.name):
            raise LoginRefused
        context.failed_logins.succeeded(user.name)
        if error := context.faults.login_error(user.name):
            raise RequestRefused(error.code, "Service Unavailable")
        self._check_room(connection, user, params)
        connection.log_in(user)
        connection.intent = PushIntent.of_login(params)
        wanted = params.get("loginParams")
        connection.early_description = isinstance(wanted, dict) and wanted.get("early_sdp_answer") is True
        device = PushDevice.of_login(params)
        if device is not None:
            context.push.register(user.name, device)
        if connection.intent is PushIntent.DECLINE:
            await self._calls.decline_parked(connection)
        return await self._welcome(connection, request)

    async def _anonymous_login(self, connection: Connection, request: Request) -> Answer:
        """Log in a guest, who may call one assistant."""
        await self._wait_after_failures(connection, None)
        guest = Guest.parse(request.params)
        if guest is None or guest.assistant not in self._assistants:
            raise LoginRefused("Login Incorrect: there is no such assistant")
        if memory_size(guest.variables) > self._context.limits.kept_size:
            raise RequestRefused(SESSION_ERROR, "userVariables TOO BIG")
        self._check_room(connection, guest.assistant, request.params)
        connection.log_in(new_guest(), guest)
        return await self._welcome(connection, request)

    async def _wait_after_failures(self, connection: Connection, name: object) -> None:
        """Wait as long as a login has to, after others have failed."""
        try:
            await self._context.failed_logins.wait(name, connection.address)
        except TooManyLogins:
            self._context.counters.refused_logins += 1
            raise RequestRefused(INTERNAL_ERROR, "Too many logins wait: try again later") from None

    def _check_room(self, connection: Connection, account: Account, params: Mapping[str, Any]) -> None:
        if not self._connections.has_room_for(account, connection, params.get("sessid")):
            self._context.counters.refused_logins += 1
            raise RequestRefused(SESSION_ERROR, "TOO MANY SESSIONS")

    async def _welcome(self, connection: Connection, request: Request) -> Answer:
        """Tell the client that it is logged in, then that it may ask for its registration."""
        returned = self._admit(connection, request.params.get("sessid"))
        if returned:
            await self._context.setup_rates.of(connection.account).wait(len(returned))
        await connection.reply(request, {"message": "logged in", "sessid": connection.sessid})
        self._calls.reattach(connection, returned)
        # Calls survive a second login, on the same connection or another; clients end those that are not listed.
        live = [leg.call_id for leg in connection.legs.values()]
        await connection.notify("telnyx_rtc.clientReady", {"reattached_sessions": live})
        return None

    def _admit(self, connection: Connection, wanted_id: object) -> list[Leg]:
        """Take in a connection that has logged in, under the session id that it wants if it can have that.

        A client that logs in with the session id of another connection of the same account has come back: the other is
        dead, or soon will be. Its answered calls are returned.
        """
        self._context.counters.logins += 1
        self._connections.add(connection)  # calls ring at the last to log in
        logger.info("%s has logged in", connection.user_name)
        self._context.monitor.user_changed(connection.user_name, connection.sessid, present=True)
        if not isinstance(wanted_id, str) or not is_call_id(wanted_id):
            return []
        others = self._connections.of_session(wanted_id, but=connection)
        if any(other.account != connection.account for other in others):
            return []
        connection.sessid = wanted_id
        returned = self._calls.take_detached(connection, others)
        for other in others:
            other.punt()
        return returned

    async def _gateway_state(self, connection: Connection, request: Request) -> Answer:
        """Tell the state of the registration: a client that is logged in is registered, unless that is to fail."""
        fault = self._context.faults.registration_fault(connection.user_name)
        if fault is RegistrationFault.NO_ANSWER:
            return None
        report_id = self._context.call_reports.id_for(connection.account, connection.sessid)
        state = fault.value if fault else REGISTERED
        params = {"state": state, "call_report_id": report_id}
        await connection.reply(request, {"params": params, "sessid": connection.sessid})
        if state == REGISTERED:
            await self._calls.offer_reattached(connection)
            if connection.intent is PushIntent.TAKE:
                await self._calls.deliver_parked(connection)
        return None

    async def _ping(self, connection: Connection, request: Request) -> Answer:
        """Answer a keep-alive of the client, but not the echo of our own."""
        return None if connection.is_ping_echo(request) else {"message": "PONG", "sessid": connection.sessid}

    async def _acknowledge(self, connection: Connection, _request: Request) -> Answer:
        """Acknowledge a request that has no effect here; clients wait for an answer all the same."""
        return {"sessid": connection.sessid}

    async def _attach_calls(self, connection: Connection, request: Request) -> Answer:
        """Let the calls ring that a notification has announced to the client."""
        await connection.reply(request, {"sessid": connection.sessid})
        await self._calls.deliver_parked(connection)
        return None

    async def _disable_push(self, connection: Connection, request: Request) -> Answer:
        """Announce no more calls to the client's device; the clients differ in what they call its token."""
        agent = request.params.get("User-Agent")
        named = agent if isinstance(agent, dict) else {}
        token = named.get("push_device_token", named.get("push_notification_token"))
        self._context.push.forget(connection.user_name, token if isinstance(token, str) else None)
        return {"message": "disable push notification success", "sessid": connection.sessid}

    async def _subscribe(self, _connection: Connection, request: Request) -> Answer:
        """Refuse every channel: there are no conferences."""
        channels = request.params.get("eventChannel") or []
        return {"subscribedChannels": [], "unauthorizedChannels": channels, "alreadySubscribedChannels": []}

    async def _unsubscribe(self, _connection: Connection, request: Request) -> Answer:
        """Tell that the client was not subscribed: nobody is."""
        channels = request.params.get("eventChannel") or []
        return {"unsubscribedChannels": [], "notSubscribedChannels": channels}
