"""All calls under the control of applications: how they come, and what commands do to them."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from telnyx_native.errors import ConfigurationError
from telnyx_native.event_loop import Tasks
from telnyx_native.gateway.calls.call_info import Party, PlatformIds, reason_of
from telnyx_native.gateway.calls.leg import CallerLeg, LegState
from telnyx_native.gateway.destinations.outgoing import infos_with
from telnyx_native.gateway.destinations.ring_users import UnansweredError, ring_until_answered
from telnyx_native.gateway.voice_api import commands
from telnyx_native.gateway.voice_api.applications import Application, Applications
from telnyx_native.gateway.voice_api.bridges import Bridges
from telnyx_native.gateway.voice_api.call_events import CallEvents
from telnyx_native.gateway.voice_api.client_transfers import ClientTransfers
from telnyx_native.gateway.voice_api.commands import LONGEST_CALL, Body
from telnyx_native.gateway.voice_api.controlled_call import ControlledCall
from telnyx_native.gateway.voice_api.playback import find_sound
from telnyx_native.gateway.voice_api.refusals import Refusal
from telnyx_native.gateway.voice_api.signing import WebhookKey
from telnyx_native.gateway.voice_api.webhooks import Webhooks
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_native.gateway.calls.call_info import Reason
    from telnyx_native.gateway.calls.conversations import Conversations
    from telnyx_native.gateway.calls.leg import Leg
    from telnyx_native.gateway.calls.registry import Calls
    from telnyx_native.gateway.context import GatewayContext
    from telnyx_native.gateway.destinations import Outcome
    from telnyx_native.gateway.destinations.outgoing import Outgoing
    from telnyx_native.gateway.destinations.router import Router
    from telnyx_native.gateway.destinations.sounds import SoundFolder
    from telnyx_native.gateway.voice_api.applications import VoiceApi

__all__ = ["CallControl"]

logger = logging.getLogger(__name__)

MOST_ENDED = 1000
"""Calls that are over and still known."""

MOST_COMMANDS = 10_000
"""Commands that are remembered, so that they are not carried out again."""

COMMAND_MEMORY = 60.0
"""Seconds for which they are, as at Telnyx."""

OK = {"data": {"result": "ok"}}
"""What a command is answered that is being carried out; what comes of it is told by webhooks."""


@dataclass(frozen=True)
class AskApplication:
    """An application as the destination of a call."""

    application: Application
    control: CallControl

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Leave the call to the application, until it is over."""
        return await self.control.take_over(leg, self.application)


class CallControl:
    """The Voice API of a gateway.

    Args:
        setup: The keys, and the first applications.
        context: What the gateway shares.
        legs: The legs of all calls.
        router: Where numbers lead.
        outgoing: Opens legs to where numbers lead.
        conversations: What clients say to each other, without an application.
        folder: The sounds that may be played by `file:NAME`.

    Raises:
        ConfigurationError: Two applications share a name or a number, or a number leads elsewhere already.

    Attributes:
        applications: Who gets calls.
        api_keys: What lets a request in.
        public_key: What webhooks are verified with.
    """

    def __init__(
        self,
        setup: VoiceApi,
        context: GatewayContext,
        legs: Calls,
        router: Router,
        outgoing: Outgoing,
        conversations: Conversations,
        folder: SoundFolder,
    ) -> None:
        self.applications = Applications()
        self.api_keys = setup.api_keys
        key = WebhookKey.parse(setup.webhook_key) if setup.webhook_key else WebhookKey.generate()
        self.public_key = key.public_key
        self._limits = context.limits
        self._counters = context.counters
        self._legs = legs
        self._router = router
        self._folder = folder
        self._events = CallEvents()
        self._outgoing = outgoing
        self._webhooks = Webhooks(key, context.counters)
        self._tasks = Tasks()
        self._bridges = Bridges(self._tasks)
        self._client_transfers = ClientTransfers(
            legs, conversations, self._outgoing, self._events, ring_time=context.limits.ring_time
        )
        self._closing = False
        self._calls: dict[str, ControlledCall] = {}
        self._ended: OrderedDict[str, Mapping[str, Any]] = OrderedDict()  # what is told of calls that are over
        self._done: OrderedDict[tuple[str, str], tuple[float, Mapping[str, Any]]] = OrderedDict()
        self._commands: dict[str, tuple[type[commands.Command], Callable[[ControlledCall, Any], None]]] = {
            "answer": (commands.Answer, self._answer),
            "reject": (commands.Reject, self._reject),
            "hangup": (commands.Hangup, self._hang_up),
            "transfer": (commands.Transfer, self._transfer),
            "bridge": (commands.Bridge, self._bridge),
            "playback_start": (commands.StartPlayback, self._start_playback),
            "playback_stop": (commands.StopPlayback, self._stop_playback),
        }
        for application in setup.applications:
            self.add(application)

    def add(self, application: Application) -> None:
        """Take in an application.

        Raises:
            ConfigurationError: Its name or a number of it is another's, or a number leads elsewhere already.
        """
        for number in application.numbers:
            if self.applications.at(number) is None and self._router.leads_somewhere(number):
                raise ConfigurationError(
                    f"applications.{application.name}: {number!r} is a user, a number, a group or a destination already"
                )
        self.applications.add(application)

    def put(self, application: Application) -> None:
        """Take in an application, in the place of one of that name.

        Raises:
            ConfigurationError: A number of it is another's, or leads elsewhere already; then nothing changes.
        """
        before = self.applications.named(application.name)
        if before is not None:
            self.applications.remove(before.name)
        try:
            self.add(application)
        except ConfigurationError:
            if before is not None:
                self.applications.add(before)
            raise

    def destination_at(self, address: str) -> AskApplication | None:
        """Return the application that a number belongs to, as a destination; `None` if it belongs to none."""
        application = self.applications.at(address)
        return AskApplication(application, self) if application else None

    async def close(self) -> None:
        """Hang up the calls, post what there is to tell, and end every task; bounded in time."""
        self._closing = True
        await self._client_transfers.close()
        await asyncio.gather(*(call.hang_up() for call in list(self._calls.values())))
        with suppress(TimeoutError):  # what hangs up shall get to its end
            async with asyncio.timeout(self._limits.close_time / 4):
                await self._tasks.wait()
        await self._webhooks.close(self._limits.close_time / 2)
        await self._tasks.close()

    # How calls come

    async def take_over(self, leg: CallerLeg, application: Application) -> Reason:
        """Leave a call that a client has placed to an application; return why it is over."""
        if self._closing:
            return HangupCause.NORMAL_TEMPORARY_FAILURE
        info = leg.info
        call = ControlledCall(
            application,
            info.ids,
            "incoming",
            info.caller,
            info.callee.number,
            info.headers,
            webhooks=self._webhooks,
            events=self._events,
            on_end=self._forget,
            leg=leg,
        )
        call.time_limit = LONGEST_CALL
        self._calls[info.ids.call_control_id] = call
        call.tell_initiated()
        self._tasks.start(self._follow(call, leg))
        await leg.ring()
        if not await self._is_cared_for(call):
            call.ended_by = call.remote
            return HangupCause.NO_ANSWER
        return await leg.wait_ended()

    async def _is_cared_for(self, call: ControlledCall) -> bool:
        """Return `True` when a call is answered or over, `False` when its application has done nothing for too long."""
        patience, loop = call.application.first_command_timeout, asyncio.get_running_loop()
        while call.state.value is LegState.NEW:
            if call.connecting is not None:
                call.active_at = loop.time()
            left = call.active_at + patience - loop.time()
            if left <= 0:
                logger.warning("%s has done nothing about a call for %g s", call.application.name, patience)
                return False
            try:
                async with asyncio.timeout(left):
                    await call.wait_settled()
            except TimeoutError:
                continue
        return True

    async def _follow(self, call: ControlledCall, leg: Leg) -> None:
        """Note what becomes of a leg; end it when it has lasted too long."""
        try:
            async with asyncio.timeout(None) as limit:
                async for state in leg.state:
                    if state is LegState.ANSWERED:
                        call.mark_answered(leg)
                        limit.reschedule(asyncio.get_running_loop().time() + call.time_limit)
        except TimeoutError:
            await call.hang_up(HangupCause.ALLOTTED_TIMEOUT, "unknown")
        call.mark_ended(leg.reason or reason_of(HangupCause.NORMAL_UNSPECIFIED))

    def _forget(self, call: ControlledCall) -> None:
        name = call.ids.call_control_id
        self._calls.pop(name, None)
        self._ended[name] = call.status()
        if len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)
        self._tasks.start(call.close())

    def _place(
        self,
        command: commands.NewLeg,
        application: Application,
        caller: Party,
        session_id: str,
        *,
        client_state: str | None,
        webhook_url: str | None,
    ) -> ControlledCall:
        """Begin a call that an application places."""
        if self._closing or max(len(self._calls), len(self._legs.legs)) >= self._limits.calls:
            self._counters.refused_calls += 1
            raise Refusal.too_many("This gateway has as many calls as it may have, or is about to close.")
        call = ControlledCall(
            application,
            PlatformIds(session_id=session_id),
            "outgoing",
            caller,
            command.to,
            command.headers,
            webhooks=self._webhooks,
            events=self._events,
            on_end=self._forget,
            client_state=client_state,
            webhook_url=webhook_url,
        )
        call.time_limit = command.time_limit
        self._calls[call.ids.call_control_id] = call
        call.tell_initiated()
        call.ringing = self._tasks.start(self._ring(call, min(command.ring_time, self._limits.ring_time)))
        return call

    async def _ring(self, call: ControlledCall, ring_time: float) -> None:
        """Let phones ring for an outgoing call, and follow the one that answers."""
        infos = infos_with(call.ids, call.caller, call.headers, call.client_state)
        phones = self._outgoing.open(call.to, infos)
        if isinstance(phones, HangupCause):
            return call.mark_ended(reason_of(phones))
        try:
            phone = await ring_until_answered(phones, ring_time)
        except UnansweredError as nobody:
            return call.mark_ended(nobody.reason)
        call.mark_answered(phone)
        self._tasks.start(self._follow(call, phone))
        return None

    # What commands do

    def dial(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Place a call; return what the request is answered.

        Raises:
            Refusal: A parameter is missing or not what it must be, or there are too many calls.
        """
        command = commands.Dial.read(Body(values))
        application = self.applications.named(command.application)
        if application is None:
            raise Refusal.invalid("connection_id", "there is no such application")
        self._check_url(command)
        if (answer := self._recall("", command)) is not None:
            return answer
        linked = self._other_call(command.link_to, "link_to") if command.link_to else None
        call = self._place(
            command,
            application,
            Party(command.caller_name or command.caller, command.caller),
            linked.ids.session_id if linked else str(uuid4()),
            client_state=command.client_state,
            webhook_url=command.webhook_url,
        )
        call.parks = command.parks
        if linked is not None and command.bridges:
            self._bridges.connect(linked, call, owned=True)
        answer = {"data": call.status() | {"is_alive": False}}
        self._remember("", command, answer)
        return answer

    def carry_out(self, call_control_id: str, name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Begin to carry out a command about a call; return what the request is answered.

        Raises:
            Refusal: There is no such call or command, the call is over or in another state, or a parameter is missing
                or not what it must be.
        """
        kind, handler = self._commands.get(name) or (None, None)
        call, leg = self._calls.get(call_control_id), None
        if call is None and kind in (commands.Transfer, commands.Bridge):
            leg = self._client_transfers.leg_named(call_control_id)
        if kind is None or handler is None or (call is None and leg is None and call_control_id not in self._ended):
            raise Refusal.not_found()
        command = kind.read(Body(values))
        self._check_url(command)
        if (answer := self._recall(call_control_id, command)) is not None:
            return answer
        if leg is not None:
            self._apply_to_client(leg, command)
        else:
            self._apply(call, command, handler)
        self._remember(call_control_id, command, OK)
        return OK

    def _apply(
        self, call: ControlledCall | None, command: commands.Command, handler: Callable[[ControlledCall, Any], None]
    ) -> None:
        """Begin to carry out a command; one that is refused changes nothing."""
        if call is None or call.over:
            raise Refusal.ended()
        before = call.client_state, call.webhook_url
        call.note(command)
        try:
            handler(call, command)
        except Refusal:
            call.client_state, call.webhook_url = before
            raise

    def events(self, session_id: str) -> Mapping[str, Any]:
        """Return what has happened in a session, as the API lists it."""
        return self._events.listed(session_id)

    def status(self, call_control_id: str) -> Mapping[str, Any]:
        """Return what is known of a call, which may be over.

        Raises:
            Refusal: There is no such call.
        """
        call = self._calls.get(call_control_id)
        status = call.status() if call else self._ended.get(call_control_id)
        if status is None:
            raise Refusal.not_found()
        return {"data": status}

    def _answer(self, call: ControlledCall, command: commands.Answer) -> None:
        leg = _require_unanswered(call)
        leg.remote_headers = command.headers
        self._tasks.start(self._bridges.answer(call))

    def _reject(self, call: ControlledCall, command: commands.Reject) -> None:
        _require_unanswered(call)
        self._tasks.start(call.hang_up(command.cause))

    def _hang_up(self, call: ControlledCall, _command: commands.Hangup) -> None:
        cancelled = call.direction == "outgoing" and not call.answered
        self._tasks.start(call.hang_up(HangupCause.ORIGINATOR_CANCEL if cancelled else HangupCause.NORMAL_CLEARING))

    def _transfer(self, call: ControlledCall, command: commands.Transfer) -> None:
        _require_reachable(call, "transfer")
        number = command.caller or call.to  # as Telnyx's API says
        new = self._place(
            command,
            call.application,
            Party(command.caller_name or number, number),
            call.ids.session_id,
            client_state=command.target_state,
            webhook_url=call.webhook_url,
        )
        call.parks = command.parks
        self._bridges.connect(call, new, owned=True)

    def _apply_to_client(self, leg: Leg, command: commands.Command) -> None:
        """Begin to carry out a command about a leg that no application controls."""
        if self._closing:
            raise Refusal.too_many("This gateway is about to close.")
        match command:
            case commands.Transfer():
                self._client_transfers.begin(leg, command)
            case commands.Bridge(other=name):
                other = self._client_transfers.leg_named(name)
                if other is None:
                    raise Refusal.invalid_call("call_control_id")
                self._client_transfers.bridge(leg, other)

    def _bridge(self, call: ControlledCall, command: commands.Bridge) -> None:
        _require_reachable(call, "bridge")
        other = self._other_call(command.other, "call_control_id")
        if other is call:
            raise Refusal.invalid("call_control_id", "a call cannot be bridged with itself")
        if command.prevents_double_bridge and other.partner is not None:
            raise Refusal.wrong_state("The call to bridge with is bridged already.")
        call.parks = command.parks
        self._bridges.connect(call, other, owned=False)

    def _start_playback(self, call: ControlledCall, command: commands.StartPlayback) -> None:
        if not call.answered:
            raise Refusal.not_answered("playback_start")
        call.playlist.add(command, find_sound(command, self._folder))

    def _stop_playback(self, call: ControlledCall, command: commands.StopPlayback) -> None:
        if not call.answered:
            raise Refusal.not_answered("playback_stop")
        call.playlist.stop(everything=command.stop == "all")

    def _other_call(self, call_control_id: str, name: str) -> ControlledCall:
        """Return the call that a parameter names."""
        call = self._calls.get(call_control_id)
        if call is None or call.over:
            raise Refusal.invalid_call(name)
        return call

    def _check_url(self, command: commands.Command) -> None:
        if command.webhook_url is not None and not self.applications.allows(command.webhook_url):
            what = "this gateway posts to addresses on this machine, and to those of applications"
            raise Refusal.invalid_url("webhook_url", what)

    def _recall(self, call_control_id: str, command: commands.Command) -> Mapping[str, Any] | None:
        """Return what a command was answered that has been carried out already."""
        answered = self._done.get((call_control_id, command.command_id)) if command.command_id else None
        recent = answered is not None and asyncio.get_running_loop().time() - answered[0] < COMMAND_MEMORY
        return answered[1] if answered is not None and recent else None

    def _remember(self, call_control_id: str, command: commands.Command, answer: Mapping[str, Any]) -> None:
        if command.command_id:
            self._done.pop((call_control_id, command.command_id), None)
            self._done[call_control_id, command.command_id] = asyncio.get_running_loop().time(), answer
            if len(self._done) > MOST_COMMANDS:
                self._done.popitem(last=False)


def _require_unanswered(call: ControlledCall) -> CallerLeg:
    """Return the leg of an inbound call that is not answered."""
    if not isinstance(call.leg, CallerLeg):
        raise Refusal.wrong_state("Only an incoming call can be answered or rejected.")
    if call.answered:
        raise Refusal.wrong_state("This call has been answered already.")
    return call.leg


def _require_reachable(call: ControlledCall, command: str) -> None:
    """Check that there is somebody to connect with: an outgoing call must be answered first."""
    if call.direction == "outgoing" and not call.answered:
        raise Refusal.not_answered(command)
