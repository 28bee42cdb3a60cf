"""The gateway: a Telnyx-compatible server on this machine."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from telnyx_native.errors import CallError, ConfigurationError, WaitTimeoutError
from telnyx_native.gateway.accounts import requests as account_requests
from telnyx_native.gateway.accounts.failed_logins import Guesses
from telnyx_native.gateway.accounts.push import PushIntent, PushService
from telnyx_native.gateway.accounts.tokens import TokenMint
from telnyx_native.gateway.accounts.users import ASSISTANT, Directory, User
from telnyx_native.gateway.calls import requests as call_requests
from telnyx_native.gateway.calls.call_info import Dialog, Party, PlatformIds
from telnyx_native.gateway.calls.detached_calls import DetachedCalls
from telnyx_native.gateway.calls.hangup import CHANNEL_LIMIT_EXCEEDED, reason_of
from telnyx_native.gateway.calls.media import EngineLease, LegMedia, PeerSource
from telnyx_native.gateway.calls.parked_calls import ParkedCalls
from telnyx_native.gateway.calls.reports import CallReports
from telnyx_native.gateway.calls.switchboard import Switchboard
from telnyx_native.gateway.connection import Handler, Session
from telnyx_native.gateway.destinations.assistant import Assistant, Brain
from telnyx_native.gateway.destinations.conference import Rooms
from telnyx_native.gateway.destinations.ring_users import CallUsers, ring_until_answered
from telnyx_native.gateway.destinations.router import DialPlan, Router, built_in
from telnyx_native.gateway.destinations.sounds import SoundFolder
from telnyx_native.gateway.faults.faults import Faults
from telnyx_native.gateway.faults.scenarios import Scenarios
from telnyx_native.gateway.limits import Counters, Limits, Pace
from telnyx_native.gateway.monitor import Monitor
from telnyx_native.gateway.refusal import RequestRefused
from telnyx_native.gateway.web.origins import Origins
from telnyx_native.states import HangupCause
from telnyx_native.untrusted_text import is_call_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request as HttpRequest
    from websockets.http11 import Response as HttpResponse

    from telnyx_native.gateway.calls.callee_leg import CalleeLeg
    from telnyx_native.gateway.calls.caller_leg import CallerLeg
    from telnyx_native.gateway.calls.leg import Leg
    from telnyx_native.gateway.certificate import Certificate
    from telnyx_native.gateway.destinations.destination import Factory
    from telnyx_native.gateway.web.listener import Front
    from telnyx_native.gateway.web.socket import Door

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

    Raises:
        ConfigurationError: Two users share a name or a number, the plan leads to what there is not, or an origin or
            a name is none.

    Attributes:
        directory: The users.
        assistants: What the assistants say and do, by their id.
        limits: What bounds the gateway.
        counters: What has happened so far.
        guesses: The logins that failed.
        call_reports: The latest reports of clients about their calls.
        control_token: What lets a request to the HTTP API in.
        faults: What goes wrong on purpose.
        scenarios: Faults that follow one another, by name.
        monitor: What goes on, as events.
        push: The devices that calls are announced to, and the push notifications they would get.
        parked: The calls that were announced, and that no client has come for yet.
        programs: What can be called beside the users: groups, numbers, and the names of the destinations.
        peers: Where calls get their audio from.
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
        limits: Limits | None = None,
        token_secret: str | None = None,
        assistants: Mapping[str, Brain] | None = None,
        certificate: Certificate | None = None,
        control_token: str | None = None,
        origins: Iterable[str] = (),
        names: Iterable[str] = (),
    ) -> None:
        self.limits = limits or Limits()
        self._tokens = TokenMint(token_secret)
        self.directory = Directory(users, self._tokens)
        if len(self.directory) > self.limits.users:
            raise ConfigurationError(
                f"{len(self.directory)} users are more than `users` of the limits, {self.limits.users}"
            )
        self.assistants: Mapping[str, Brain] = assistants or {}
        self.counters = Counters()
        self.guesses = Guesses(self.limits)
        self.call_reports = CallReports(self.limits)
        self.handlers: Mapping[str, Handler] = account_requests.HANDLERS | call_requests.HANDLERS
        self.control_token = control_token or secrets.token_urlsafe(24)
        self._engine = EngineLease()
        self.peers: PeerSource = self._engine
        self._certificate = certificate
        self._host = host
        self._port = port
        self._front: Front | None = None
        self._changing_front = asyncio.Lock()
        self._closing = asyncio.Event()
        self._restarts: set[asyncio.Task[None]] = set()
        self._running = False
        self._detached = DetachedCalls(self.limits.detach_time)
        self._origins = Origins(tuple(origins), (*names, *_names_in(host)))
        self._sessions: dict[Session, None] = {}  # in the order of their coming, and then of their logins
        self._paces: dict[object, Pace] = {}
        self._setups: dict[object, Pace] = {}
        self.faults = Faults(self)
        self.scenarios = Scenarios(self)
        self.monitor = Monitor(lambda: self.calls)
        self.push = PushService(self.monitor.push_sent)
        self.parked = ParkedCalls(self.push, self.new_media, self.limits.ring_time)
        plan = plan or DialPlan()
        programs = {
            **built_in(plan.menus, SoundFolder(plan.sounds), Rooms(self.peers, self.limits.conference_members)),
            **({ASSISTANT: self._assistant_of} if self.assistants else {}),
            **(destinations or {}),
        }
        self.programs: Sequence[str] = (*plan.groups, *plan.numbers, *programs)
        self._plan = plan
        self._router = Router(self.directory, plan, self._destination_of, programs)
        self._switchboard = Switchboard(self._router)

    def __repr__(self) -> str:
        return f"<Gateway {len(self.sessions)} sessions, {len(self.calls)} calls>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            SocketConnectionError: The address is not to be had.
        """
        self._front = await self._open_front()
        self._running = True
        self.monitor.start()

    async def restart(self, pause: float = 0.0) -> None:
        """Go away as a server that dies, and be back on the same port after a time.

        Sockets are reset and nobody listens for `pause` seconds. Answered calls are kept as after any lost socket
        (`Limits.detach_time`), and their audio goes on, as at Telnyx, where other machines carry it; calls that
        were not answered end. Users, tokens, push devices, call reports and counters stay.

        Raises:
            ConfigurationError: The gateway is not running.
            SocketConnectionError: Somebody else has taken the port meanwhile.
        """
        if not self._running:
            raise ConfigurationError("the gateway is not running, so it cannot be restarted")
        restart = asyncio.create_task(self._restart(pause))
        self._restarts.add(restart)
        restart.add_done_callback(self._restarts.discard)
        await asyncio.shield(restart)  # who does not wait for its end does not prevent it

    async def _restart(self, pause: float) -> None:
        logger.warning("restarting: back in %g s", pause)
        for session in self._sessions:
            session.connection.reset()
        await self._close_front()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), pause)
        async with self._changing_front:
            if self._running and self._front is None:
                self._front = await self._open_front()

    async def close(self) -> None:
        """Hang up every call, close every socket, stop listening; bounded in time, and safe to repeat."""
        if not self._running:
            return
        self._running = False
        self._closing.set()
        await self.scenarios.close()
        await self.faults.close()
        reason = reason_of(HangupCause.NORMAL_CLEARING)
        await self._within_limit(asyncio.gather(*(leg.end(reason) for leg in self.calls)), "hanging up")
        await self._detached.close()
        await self.parked.close()
        await self._within_limit(self._switchboard.close(), "ending the calls")
        await self.monitor.close()
        self.push.close()
        await self._within_limit(self._close_front(), "closing the sockets")
        await asyncio.gather(*self._restarts, return_exceptions=True)
        await self._engine.close()

    async def _open_front(self) -> Front:
        from telnyx_native.gateway.web.listener import Front  # loads the HTTP server: not before it listens
        from telnyx_native.gateway.web.site import make_site

        front = Front(
            make_site(self),
            serve_socket=self._serve_socket,
            check_socket=self._check_socket,
            limits=self.limits,
            counters=self.counters,
            tls=self._certificate.server_context() if self._certificate else None,
        )
        self._port = await front.open(self._host, self._port)
        return front

    async def _close_front(self) -> None:
        async with self._changing_front:
            front, self._front = self._front, None
            if front is not None:
                await front.close()

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
    def sessions(self) -> Sequence[Session]:
        """The sockets on which somebody is logged in."""
        return [session for session in self._sessions if session.user is not None]

    @property
    def calls(self) -> Sequence[Leg]:
        """The legs of the calls that are going on."""
        return [leg for session in self._sessions for leg in session.legs.values()] + [
            *self._detached.legs,
            *self.parked.legs,
        ]

    def connect_hint(self) -> str:
        """Return the one line to copy for a first call."""
        user = next(iter(self.directory), None)
        login = f" --user {user.name}" if user else ""
        return f"telnyx-native call echo --server {self.url}{login}"

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
                    while not any(session.user == wanted for session in self._phones):
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

        Returns:
            The call, ringing.

        Raises:
            ConfigurationError: There is no such user.
            CallError: The user is not logged in, or has too many calls.
            MediaError: The audio cannot be offered.
        """
        callee = self.directory.find(self._router.led_to(user))
        if callee is None:
            raise ConfigurationError(f"the gateway has no user {user!r}")
        sessions = [session for session in self._phones if session.user == callee]
        announced = not sessions and self.push.reaches(callee.name, active=False)
        if not sessions and not announced:
            raise CallError(f"{callee.name} is not logged in; wait for the login before placing the call")
        dialog = Dialog(
            call_id=str(uuid4()),
            caller=Party(name or from_, from_),
            callee=Party("Outbound Call", callee.name),
            headers=tuple((headers or {}).items()),
            client_state=client_state,
        )
        if announced:
            return self._park(callee, dialog)
        try:
            leg = sessions[-1].open_callee_leg(dialog)
        except RequestRefused as refusal:
            raise CallError(f"{callee.name} cannot be called: {refusal}") from None
        try:
            await leg.invite()
        except BaseException:
            await leg.hang_up(HangupCause.NORMAL_TEMPORARY_FAILURE)
            raise
        return leg

    async def ring(
        self,
        address: str,
        *,
        from_: str,
        name: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> CalleeLeg:
        """Call whoever is at an address, as a caller from outside does: users ring, and the first has the call.

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
            CallError: Nobody is logged in, nobody answers within `Limits.ring_time`, or everybody refuses.
        """
        ids = PlatformIds()

        def dialog_for(user: str) -> Dialog:
            return Dialog(
                call_id=str(uuid4()),
                caller=Party(name or from_, from_),
                callee=Party("Outbound Call", user),
                headers=tuple((headers or {}).items()),
                ids=PlatformIds(session_id=ids.session_id),
            )

        phones = self._open_legs(self._router.users_at(address), dialog_for)
        if not phones:
            raise CallError(f"nobody at {address} is logged in; wait for the login before placing the call")
        return await ring_until_answered(phones, self.limits.ring_time)

    # What sessions need (the protocol `Host`)

    def has_room_for(self, session: Session, account: object, wanted_id: object) -> bool:
        """Whether an account may have one more socket; one of the same session makes room for it."""
        most = self.limits.sessions_per_user if isinstance(account, User) else self.limits.guests
        others = (other for other in self.sessions if other is not session and other.account == account)
        return sum(other.sessid != wanted_id for other in others) < most

    def pace_of(self, account: object) -> Pace:
        """Return how fast the sockets of an account may send, together."""
        return self._paces.setdefault(account, Pace(self.limits.messages_per_second))

    def setups_of(self, account: object) -> Pace:
        """Return how fast an account may ask for audio paths."""
        return self._setups.setdefault(account, Pace(self.limits.setups_per_second))

    def admit(self, session: Session, wanted_id: object) -> list[Leg]:
        """Take in a session that has logged in, under the session id that it wants if it can have that.

        Who logs in with the session id of another socket of the same user has come back: the other is dead,
        or soon will be. Its answered calls are returned.
        """
        self.counters.logins += 1
        self._sessions[session] = self._sessions.pop(session, None)  # calls ring at the last to log in
        logger.info("%s has logged in", session.user_name)
        self.monitor.session_changed(session, present=True)
        if not isinstance(wanted_id, str) or not is_call_id(wanted_id):
            return []
        others = [other for other in self._sessions if other is not session and other.sessid == wanted_id]
        if any(other.account != session.account for other in others):
            return []
        session.sessid = wanted_id
        returned = self._detached.take(session.account, wanted_id)
        for other in others:
            returned += other.give_away_legs()
            other.displace()
        return returned

    async def keep(self, session: Session) -> None:
        """Keep the answered calls of a session whose socket is gone, for when it comes back; end the others."""
        if self._running:
            self._detached.put(session.account, session.sessid, session.give_away_legs())
        await asyncio.gather(*(leg.lost() for leg in list(session.legs.values())))

    def new_media(self, user: str) -> LegMedia:
        """Make the audio of a call with a user, whose packets may have a hard time."""
        return LegMedia(self.peers, self.limits, self.counters, self.faults.media_of(user))

    def connect(self, leg: CallerLeg) -> None:
        """Lead a call to where it wants to go, unless the user's channels are all taken."""
        leg.describes_late = self.faults.describes_late(leg.user_name)
        if self.faults.exceeds_channels(leg.user_name):
            self._switchboard.refuse(leg, CHANNEL_LIMIT_EXCEEDED)
        else:
            self._switchboard.connect(leg)

    def _assistant_of(self, name: str) -> Assistant:
        """The destination of `assistant:ID`, or of `assistant` alone."""
        brain = self.assistants.get(name or ASSISTANT)
        if brain is None:
            raise ConfigurationError(f"there is no assistant {name or ASSISTANT!r}")
        return Assistant(brain)

    # Calls between users

    def _destination_of(self, users: Sequence[User]) -> CallUsers:
        return CallUsers(lambda caller: self._dial(users, caller))

    def _dial(self, users: Sequence[User], caller: CallerLeg) -> list[CalleeLeg]:
        if len(users) > 1:  # who calls a group does not ring
            users = [user for user in users if user.name != caller.user_name]
        return self._open_legs(users, lambda user: _dialog_from(caller, user))

    def _open_legs(self, users: Sequence[User], dialog_for: Callable[[str], Dialog]) -> list[CalleeLeg]:
        """Open a leg to the last phone of each user, or to each phone, as far as they can take one more call.

        For who has no phone there, but a device for push notifications, the leg waits for what the push brings.
        """
        legs: list[CalleeLeg] = []
        phones = [session for session in self._phones if session.user in users]
        ringing = phones if self._plan.ring == "all" else list({phone.user: phone for phone in phones}.values())
        for session in ringing[-self.limits.ringing_phones :]:
            try:
                legs.append(session.open_callee_leg(dialog_for(session.user_name)))
            except RequestRefused as refusal:
                logger.warning("%s does not ring: %s", session, refusal)
        there = {session.user_name for session in phones}
        announced = [user for user in users if self.push.reaches(user.name, active=user.name in there)]
        room = max(0, self.limits.calls - len(self.calls))
        return legs + [self._park(user, dialog_for(user.name)) for user in announced[:room]]

    def _park(self, user: User, dialog: Dialog) -> CalleeLeg:
        leg = self.parked.park(user, dialog)
        self.counters.calls += 1
        self.monitor.follow(leg)
        return leg

    @property
    def _phones(self) -> Iterator[Session]:
        """The sockets at which calls ring, the last to log in last; not that of who only came to decline one."""
        return (session for session in self.sessions if session.intent is not PushIntent.DECLINE)

    # The socket

    async def _serve_socket(self, socket: Door) -> None:
        session = Session(socket, self)
        self.counters.sessions += 1
        self._sessions[session] = None
        try:
            await session.run()
        finally:
            self._sessions.pop(session, None)
            if session.user is not None:
                logger.info("%s is gone", session.user_name)
                self.monitor.session_changed(session, present=False)

    def _check_socket(self, socket: ServerConnection, request: HttpRequest) -> HttpResponse | None:
        """Refuse sockets of foreign pages, and those that are too many."""
        origins = request.headers.get_all("Origin")
        # A browser names the origin of every page that opens a socket (RFC 6455, 4.1). What names none is no page, and
        # may know the gateway under any name.
        complaint = self.keep_out(request.headers.get_all("Host"), origins) if origins else None
        if complaint is not None:
            return socket.respond(HTTPStatus.FORBIDDEN, f"{complaint}\n")
        if len(self._sessions) >= self.limits.sessions:
            self.counters.refused_sessions += 1
            idle = next((session for session in self._sessions if session.dawdles), None)
            if idle is None:
                return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "The gateway has no room for more clients.\n")
            del self._sessions[idle]
            idle.connection.abort()
        return None

    def keep_out(self, hosts: Sequence[str], origins: Sequence[str]) -> str | None:
        """Return why a request with these `Host` and `Origin` headers is not taken, or `None` if it is."""
        complaint = self._origins.complaint(hosts, origins)
        if complaint is not None:
            self.counters.refused_origins += 1
            logger.warning("a request for %.80r from %.80r is refused: %s", hosts[:1], origins[:1], complaint)
        return complaint

    async def _within_limit(self, step: Awaitable[object], name: str) -> None:
        try:
            await asyncio.wait_for(step, self.limits.close_time)
        except TimeoutError:
            logger.warning("%s took more than %s s and was cut short", name, self.limits.close_time)


def _names_in(host: str) -> list[str]:
    """Return the name in the setting of an address to listen on, if it is one."""
    try:
        ip_address(host)
    except ValueError:
        return [host] if host else []
    return []


def _dialog_from(caller: CallerLeg, user: str) -> Dialog:
    """The other half of a call to a user."""
    return Dialog(
        call_id=str(uuid4()),
        caller=caller.dialog.caller,
        callee=Party("Outbound Call", user),
        headers=caller.dialog.headers,
        ids=PlatformIds(session_id=caller.dialog.ids.session_id),
    )
