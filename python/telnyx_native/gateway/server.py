"""The gateway: a Telnyx-compatible server on this machine."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from telnyx_native.errors import CallError, ConfigurationError, WaitTimeoutError
from telnyx_native.event_loop import Tasks
from telnyx_native.gateway.accounts.failed_logins import FailedLogins
from telnyx_native.gateway.accounts.push import PushService
from telnyx_native.gateway.accounts.requests import AccountRequests
from telnyx_native.gateway.accounts.users import Directory, TokenMint, User
from telnyx_native.gateway.calls.call_info import Party, PlatformIds, call_info_to
from telnyx_native.gateway.calls.conversations import Conversations
from telnyx_native.gateway.calls.media import EngineLease
from telnyx_native.gateway.calls.registry import Calls
from telnyx_native.gateway.calls.reports import CallReports
from telnyx_native.gateway.calls.requests import CallRequests
from telnyx_native.gateway.connection import Connection, Connections, Handler
from telnyx_native.gateway.context import GatewayContext
from telnyx_native.gateway.destinations.assistant import ASSISTANT, Brain, assistant_of
from telnyx_native.gateway.destinations.built_in import Refuse, Rooms, built_in
from telnyx_native.gateway.destinations.outgoing import Outgoing, infos_with
from telnyx_native.gateway.destinations.ring_users import RingUsers, UnansweredError, ring_until_answered
from telnyx_native.gateway.destinations.router import DialPlan, Router, Switchboard
from telnyx_native.gateway.destinations.sounds import SoundFolder
from telnyx_native.gateway.faults import LastingFaults
from telnyx_native.gateway.faults.faults import Faults
from telnyx_native.gateway.faults.scenarios import Scenarios
from telnyx_native.gateway.limits import Counters, GatewayLimits, RateLimits
from telnyx_native.gateway.monitor import Monitor
from telnyx_native.gateway.voice_api.call_control import CallControl
from telnyx_native.gateway.web.port import Origins, names_in
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request as HttpRequest
    from websockets.http11 import Response as HttpResponse

    from telnyx_native.gateway.calls.leg import CalleeLeg, Leg
    from telnyx_native.gateway.certificate import Certificate
    from telnyx_native.gateway.destinations import Destination, Factory
    from telnyx_native.gateway.voice_api.applications import Application, VoiceApi
    from telnyx_native.gateway.web.api import ApiContext
    from telnyx_native.gateway.web.port import ClientSocket, WebServer

__all__ = ["Gateway"]

logger = logging.getLogger(__name__)


class Gateway:
    """A server that Telnyx's clients log in to and place calls through, without an account or the internet.

    Use it as an async context manager: it listens from entry to exit, and after the exit every call is over,
    every socket closed and every task done.

    Args:
        users: Who may log in.
        host: Address to listen on. Anything but loopback lets others on the network in.
        port: Port to listen on; 0 takes a free one.
        plan: Where numbers lead, groups, menus, and the folder of sounds.
        destinations: Programs that calls can reach, by name, beside and before the built-in ones.
        limits: What bounds the gateway.
        token_secret: The key that login tokens are signed with; a random one by default, so that they end with
            the gateway.
        assistants: What the assistants say and do, by the id under which guests log in to them; users call
            `assistant:ID`. Without it there are neither assistants nor guests; `scripted_brain` is one to begin with.
        certificate: What to encrypt with: `Certificate.self_signed()` makes one. Plain text without it.
        control_token: What lets a request to the HTTP API in, and opens the console; a random one by default.
        origins: Origins of web pages that may use the gateway, such as `"https://app.example.com"`, beside its own and
            those of this machine (`http://localhost:5173`).
        names: Names of hosts under which it is reached, beside `localhost`, `host`, and every IP address: requests for
            another one are refused, for it may be that of a page which pretends to be here.
        voice_api: Whether and how it plays Telnyx's Voice API; not at all by default.

    Raises:
        ConfigurationError: Two users share a name or a number, the plan names something that does not exist, or an
            origin or a name is malformed.

    Attributes:
        directory: The users.
        assistants: What the assistants say and do, by their id.
        limits: What bounds the gateway.
        counters: What has happened so far.
        failed_logins: The logins that failed.
        call_reports: The latest reports of clients about their calls.
        control_token: What lets a request to the HTTP API in.
        faults: Faults, for tests.
        scenarios: Courses of faults, by name.
        monitor: What goes on, as events.
        push: The devices that calls are announced to, and the push notifications they would get.
        programs: What can be called beside the users: groups, numbers, and the names of the destinations.
        handlers: What answers each method.
    """

    def __init__(
        self,
        users: Iterable[User] = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        plan: DialPlan | None = None,
        destinations: Mapping[str, Factory] | None = None,
        limits: GatewayLimits | None = None,
        token_secret: str | None = None,
        assistants: Mapping[str, Brain] | None = None,
        certificate: Certificate | None = None,
        control_token: str | None = None,
        origins: Iterable[str] = (),
        names: Iterable[str] = (),
        voice_api: VoiceApi | None = None,
    ) -> None:
        self.limits = limits or GatewayLimits()
        self._tokens = TokenMint(token_secret)
        self.directory = Directory(users, self._tokens)
        if len(self.directory) > self.limits.users:
            raise ConfigurationError(
                f"{len(self.directory)} users are more than `users` of the limits, {self.limits.users}"
            )
        self.assistants: Mapping[str, Brain] = assistants or {}
        self.counters = Counters()
        self.failed_logins = FailedLogins(self.limits)
        self.call_reports = CallReports(self.limits)
        self.control_token = control_token or secrets.token_urlsafe(24)
        self.monitor = Monitor(lambda: self.calls)
        self.push = PushService(self.monitor.push_sent)
        self._certificate = certificate
        self._host = host
        self._port = port
        self._origins = Origins(tuple(origins), (*names, *names_in(host)))
        self._web_server: WebServer | None = None
        self._changing_web_server = asyncio.Lock()
        self._closing = asyncio.Event()
        self._restarts: set[asyncio.Task[None]] = set()
        self._running = False
        self._context = GatewayContext(
            limits=self.limits,
            counters=self.counters,
            directory=self.directory,
            failed_logins=self.failed_logins,
            faults=LastingFaults(),
            monitor=self.monitor,
            push=self.push,
            call_reports=self.call_reports,
            frame_rates=RateLimits(self.limits.messages_per_second),
            setup_rates=RateLimits(self.limits.setups_per_second),
        )
        plan = plan or DialPlan()
        self._engine = EngineLease()
        self._connections = Connections(self.limits)
        self._calls = Calls(self._context, self._connections, self._engine, ring_all=plan.ring == "all")
        self.faults = Faults(self._context, self._connections, self._calls, self.restart)
        self.scenarios = Scenarios(self.faults)
        sounds = SoundFolder(plan.sounds)
        programs = {
            **built_in(plan.menus, sounds, Rooms(self._engine, self.limits.conference_members)),
            **({ASSISTANT: assistant_of(self.assistants)} if self.assistants else {}),
            **(destinations or {}),
        }
        self.programs: Sequence[str] = (*plan.groups, *plan.numbers, *programs)
        self._conversations = Conversations()
        self._call_control: CallControl | None = None
        self._router = Router(
            self.directory,
            plan,
            lambda called: RingUsers(called, self._calls, self._conversations),
            programs,
            self._application_at,
        )
        self._switchboard = Switchboard(self._router)
        self._outgoing = Outgoing(self._router, self._calls, self._switchboard)
        self._leading = Tasks()
        if voice_api is not None:
            self._call_control = CallControl(
                voice_api, self._context, self._calls, self._router, self._outgoing, self._conversations, sounds
            )
        self.handlers: dict[str, Handler] = {
            **AccountRequests(self._context, self._connections, self._calls, self.assistants).handlers,
            **CallRequests(self._context, self._calls, self._switchboard).handlers,
        }

    def __repr__(self) -> str:
        return f"<Gateway {len(self.connections)} connections, {len(self.calls)} calls>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            SocketConnectionError: The address cannot be bound.
        """
        self._web_server = await self._listen()
        self._running = True
        self.monitor.start()

    async def restart(self, pause: float = 0.0) -> None:
        """Stop like a server that dies, and listen on the same port again after a time.

        Sockets are reset and the port is closed for `pause` seconds. Answered calls are kept as after any lost socket
        (`GatewayLimits.detach_time`), and their audio goes on, as at Telnyx, where other machines carry it; calls that
        were not answered end. Users, tokens, push devices, call reports and counters stay.

        Raises:
            ConfigurationError: The gateway is not running.
            SocketConnectionError: Another program has taken the port meanwhile.
        """
        if not self._running:
            raise ConfigurationError("the gateway is not running, so it cannot be restarted")
        restart = asyncio.create_task(self._restart(pause))
        self._restarts.add(restart)
        restart.add_done_callback(self._restarts.discard)
        await asyncio.shield(restart)  # a caller that does not wait for the end does not prevent it

    async def _restart(self, pause: float) -> None:
        logger.warning("restarting: back in %g s", pause)
        for connection in self._connections:
            connection.socket.reset()
        await self._stop_listening()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), pause)
        async with self._changing_web_server:
            if self._running and self._web_server is None:
                self._web_server = await self._listen()

    async def close(self) -> None:
        """Hang up every call, close every socket, stop listening; bounded in time, and safe to repeat."""
        if not self._running:
            return
        self._running = False
        self._closing.set()
        await self.scenarios.close()
        await self.faults.close()
        if self._call_control is not None:
            await self._within_limit(self._call_control.close(), "ending the calls of applications")
        await self._within_limit(asyncio.gather(*(leg.hang_up() for leg in self.calls)), "hanging up")
        await self._calls.close()
        await self._within_limit(self._leading.close(), "ending the calls that are led somewhere")
        await self._within_limit(self._switchboard.close(), "ending the calls")
        await self._within_limit(self._conversations.close(), "ending the conversations")
        await self.monitor.close()
        self.push.close()
        await self._within_limit(self._stop_listening(), "closing the sockets")
        await asyncio.gather(*self._restarts, return_exceptions=True)
        await self._engine.close()

    async def _listen(self) -> WebServer:
        from telnyx_native.gateway.web.port import WebServer  # loads the HTTP server: not before it listens
        from telnyx_native.gateway.web.site import make_site

        web_server = WebServer(
            make_site(self._api(), check_origin=self._check_origin, welcome=self._welcome),
            serve_socket=self._serve_socket,
            check_socket=self._check_socket,
            limits=self.limits,
            counters=self.counters,
            tls=self._certificate.server_context() if self._certificate else None,
        )
        self._port = await web_server.open(self._host, self._port)
        return web_server

    def _api(self) -> ApiContext:
        from telnyx_native.gateway.web.api import ApiContext

        return ApiContext(
            gateway=self._context,
            connections=self._connections,
            calls=self._calls,
            faults=self.faults,
            scenarios=self.scenarios,
            programs=self.programs,
            call_control=self._call_control,
            control_token=self.control_token,
            place_call=self.place_call,
            mint_token=self.mint_token,
        )

    async def _stop_listening(self) -> None:
        async with self._changing_web_server:
            web_server, self._web_server = self._web_server, None
            if web_server is not None:
                await web_server.close()

    @property
    def url(self) -> str:
        """The address for clients, such as `"ws://127.0.0.1:8899"`; `wss://` with a certificate."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'wss' if self._certificate else 'ws'}://{host}:{self._port}"

    @property
    def console_url(self) -> str:
        """The address of the console, for a browser; it contains the `control_token`, so show it to nobody else."""
        # A browser does not send the part behind the "#" anywhere.
        return f"http{self.url.removeprefix('ws')}/#token={self.control_token}"

    @property
    def connections(self) -> Sequence[Connection]:
        """The connections on which somebody is logged in."""
        return self._connections.logged_in

    @property
    def calls(self) -> Sequence[Leg]:
        """The legs of the calls that are going on."""
        return self._calls.legs

    def connect_hint(self) -> str:
        """Return the one line to copy for a first call."""
        user = next(iter(self.directory), None)
        login = f" --user {user.name}" if user else ""
        return f"telnyx-native call echo --server {self.url}{login}"

    def _welcome(self) -> str:
        """Return the text of `/` for programs that are no browsers."""
        return (
            f"This is telnyx-native's gateway. It speaks WebSocket: point a Telnyx client at {self.url}\n"
            f"or try:  {self.connect_hint()}\n"
        )

    def mint_token(self, user: str, lifetime: float = 86_400.0) -> str:
        """Make a login token of a user that is good for `lifetime` seconds (Telnyx's are good for a day).

        Raises:
            ConfigurationError: There is no such user.
        """
        if user not in {known.name for known in self.directory}:
            raise ConfigurationError(f"the gateway has no user {user!r}")
        return self._tokens.mint(user, lifetime)

    async def wait_logged_in(self, user: str, timeout: float = 10.0) -> None:
        """Return as soon as a user is logged in and can be called.

        Args:
            user: The user's name or number.
            timeout: Limit in seconds.

        Raises:
            ConfigurationError: There is no such user.
            WaitTimeoutError: The user does not log in in time.
        """
        wanted = self.directory.find(user)
        if wanted is None:
            raise ConfigurationError(f"the gateway has no user {user!r}")
        with self.monitor.events.collect() as events:
            try:
                async with asyncio.timeout(timeout):
                    while not any(connection.user == wanted for connection in self._connections.phones):
                        await anext(events)
            except TimeoutError:
                raise WaitTimeoutError(f"{wanted.name} has not logged in within {timeout:g} s") from None

    async def place_call(
        self,
        user: str,
        *,
        from_: str,
        name: str = "",
        headers: Mapping[str, str] | None = None,
        client_state: str | None = None,
        destination: str | None = None,
    ) -> CalleeLeg:
        """Call a user; it rings at the phone that logged in last. For groups, see `ring`.

        A user who is not logged in, but has a device for push notifications, is sent one (`Gateway.push`). The
        call rings as soon as a client comes for it.

        Args:
            user: The user's name or number.
            from_: The number the user sees.
            name: The name the user sees; the number by default.
            headers: SIP headers that travel with the call.
            client_state: What else travels with it (base64).
            destination: With whom the user is connected on answering, as if a client had called it: `"echo"`,
                `"file:NAME"`, another user. By default with nobody: what is said is up to who has placed the call.

        Returns:
            The call, ringing.

        Raises:
            ConfigurationError: There is no such user or destination.
            CallError: The user is not logged in, or has too many calls.
            MediaError: The audio cannot be offered.
        """
        callee = self.directory.find(self._router.resolve_number(user))
        if callee is None:
            raise ConfigurationError(f"the gateway has no user {user!r}")
        if destination is not None and self._router.route(destination) == Refuse(HangupCause.UNALLOCATED_NUMBER):
            raise ConfigurationError(f"the gateway has no destination {destination!r}")
        caller, sent = Party(name or from_, from_), tuple((headers or {}).items())
        leg = await self._calls.place(callee, call_info_to(callee.name, caller, sent, client_state=client_state))
        if destination is not None:
            self._leading.start(self._lead(leg, destination))
        return leg

    async def _lead(self, leg: CalleeLeg, destination: str) -> None:
        """Connect a call with a destination, once it is answered."""
        await leg.wait_settled()
        ids = PlatformIds(session_id=leg.info.ids.session_id)
        phones = self._outgoing.open(destination, infos_with(ids, leg.party, (), None))
        if isinstance(phones, HangupCause):
            await leg.hang_up(phones)
            return
        try:
            phone = await ring_until_answered(phones, self.limits.ring_time)
        except UnansweredError as nobody:
            await leg.hang_up(nobody.reason)
            return
        await self._conversations.hold(leg, phone)

    async def ring(
        self,
        address: str,
        *,
        from_: str,
        name: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> CalleeLeg:
        """Call an address, as a caller from outside does: its users ring, and the first to answer has the call.

        Each rings at the phone that logged in last, or at all (`DialPlan.ring`). The others are told that the call was
        answered elsewhere. Cancelling this ends the ringing.

        Args:
            address: A user, a group, or a number that leads to one.
            from_: The number the users see.
            name: The name the users see; the number by default.
            headers: SIP headers that travel with the call.

        Returns:
            The call, answered; `CalleeLeg.wait_answered` waits for its audio.

        Raises:
            ConfigurationError: There is nobody at the address.
            CallError: Nobody is logged in, nobody answers within `GatewayLimits.ring_time`, or everybody refuses.
        """
        caller, sent, session_id = Party(name or from_, from_), tuple((headers or {}).items()), str(uuid4())
        phones = self._calls.open_callee_legs(
            self._router.users_at(address), lambda user: call_info_to(user, caller, sent, session_id=session_id)
        )
        if not phones:
            raise CallError(f"nobody at {address} is logged in; wait for the login before placing the call")
        return await ring_until_answered(phones, self.limits.ring_time)

    # The Voice API

    @property
    def voice_api_url(self) -> str:
        """The address of the Voice API, as `base_url` of the `telnyx` package takes it.

        Raises:
            ConfigurationError: The Voice API is off.
        """
        self._require_call_control()
        return f"http{self.url.removeprefix('ws')}/v2"

    @property
    def public_key(self) -> str:
        """What webhooks are verified with: the public half of an Ed25519 key in base64, as Telnyx's portal shows it.

        Raises:
            ConfigurationError: The Voice API is off.
        """
        return self._require_call_control().public_key

    @property
    def applications(self) -> Sequence[Application]:
        """The applications that calls can belong to; none while the Voice API is off."""
        return tuple(self._call_control.applications) if self._call_control else ()

    def add_application(self, application: Application) -> None:
        """Let an application take the calls to its numbers, from now on.

        Raises:
            ConfigurationError: The Voice API is off; or the name or a number of the application is taken.
        """
        self._require_call_control().add(application)

    def remove_application(self, name: str) -> None:
        """Let an application take no more calls; those that it has stay its own.

        Raises:
            ConfigurationError: The Voice API is off, or there is no such application.
        """
        self._require_call_control().applications.remove(name)

    def _require_call_control(self) -> CallControl:
        if self._call_control is None:
            raise ConfigurationError('the Voice API is off; switch it on with Gateway(voice_api=VoiceApi(["KEY…"]))')
        return self._call_control

    def _application_at(self, address: str) -> Destination | None:
        return self._call_control.destination_at(address) if self._call_control else None

    # Sockets

    async def _serve_socket(self, socket: ClientSocket) -> None:
        connection = Connection(socket, self._context, self.handlers)
        self.counters.connections += 1
        self._connections.add(connection)
        try:
            await connection.serve()
        finally:
            await (self._calls.detach(connection) if self._running else self._calls.abort(connection))
            self._connections.remove(connection)
            if connection.user is not None:
                logger.info("%s is gone", connection.user_name)
                self.monitor.user_changed(connection.user_name, connection.sessid, present=False)

    def _check_socket(self, socket: ServerConnection, request: HttpRequest) -> HttpResponse | None:
        """Refuse sockets of foreign pages, and those that are too many."""
        origins = request.headers.get_all("Origin")
        # A browser names the origin of every page that opens a socket (RFC 6455, 4.1). What names none is no page, and
        # may know the gateway under any name.
        refusal = self._check_origin(request.headers.get_all("Host"), origins) if origins else None
        if refusal is not None:
            return socket.respond(HTTPStatus.FORBIDDEN, f"{refusal}\n")
        if self._connections.full:
            self.counters.refused_connections += 1
            if self._connections.make_room():
                return None
            return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "The gateway has no room for more clients.\n")
        return None

    def _check_origin(self, hosts: Sequence[str], origins: Sequence[str]) -> str | None:
        """Return why a request with these `Host` and `Origin` headers is not taken, or `None` if it is."""
        refusal = self._origins.refusal(hosts, origins)
        if refusal is not None:
            self.counters.refused_origins += 1
            logger.warning("a request for %.80r from %.80r is refused: %s", hosts[:1], origins[:1], refusal)
        return refusal

    async def _within_limit(self, step: Awaitable[object], name: str) -> None:
        try:
            await asyncio.wait_for(step, self.limits.close_time)
        except TimeoutError:
            logger.warning("%s took more than %s s and was cut short", name, self.limits.close_time)
