"""One call under an application's control: what is known of it, and what the application is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from telnyx_native.flow import StateFlow
from telnyx_native.gateway.calls.call_info import headers_to_wire, reason_of
from telnyx_native.gateway.calls.leg import Leg, LegState
from telnyx_native.gateway.voice_api.events import Source, event, hangup_fields, moment
from telnyx_native.gateway.voice_api.playback import Playlist
from telnyx_native.gateway.voice_api.webhooks import Webhook
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.gateway.calls.call_info import Headers, Party, PlatformIds, Reason
    from telnyx_native.gateway.voice_api.applications import Application
    from telnyx_native.gateway.voice_api.call_events import CallEvents
    from telnyx_native.gateway.voice_api.commands import Command, StartPlayback
    from telnyx_native.gateway.voice_api.playback import PlaybackStatus
    from telnyx_native.gateway.voice_api.webhooks import Webhooks
    from telnyx_native.states import CallTerminationReason

__all__ = ["ControlledCall", "Direction"]

Direction = Literal["incoming", "outgoing"]
"""Whether a client of the gateway has placed the call, or the application has."""

_STATE_WHEN_INITIATED = {"incoming": "parked", "outgoing": "bridging"}


class ControlledCall:
    """A call between the gateway and one client that an application controls (Telnyx calls it a call leg).

    Its end is told once, and nothing after it.

    Attributes:
        application: Whose it is.
        ids: Its names; `ids.call_control_id` is the one that commands use.
        direction: Who has placed it.
        caller: Who calls.
        to: Whom.
        headers: SIP headers that came, or went, with it.
        client_state: What the application wants repeated.
        webhook_url: Where its webhooks go, if not to the address of the application.
        state: NEW, ANSWERED or ENDED; the flow ends with the call.
        leg: Its leg; of an outgoing call `None` until a phone has answered.
        parks: Whether it stays when the other side of its bridge goes.
        time_limit: Seconds that it may last.
        partner: The call that it is bridged with.
        talking: What keeps the bridge.
        connecting: What waits for another call to be answered, to bridge it with this one.
        ringing: What lets phones ring for an outgoing call.
        answering: Held while it is answered.
        active_at: When a command was last carried out, on the clock of the event loop.
        ended_by: Who ends it, if its client does not.
    """

    def __init__(
        self,
        application: Application,
        ids: PlatformIds,
        direction: Direction,
        caller: Party,
        to: str,
        headers: Headers,
        *,
        webhooks: Webhooks,
        events: CallEvents,
        on_end: Callable[[ControlledCall], None],
        client_state: str | None = None,
        webhook_url: str | None = None,
        leg: Leg | None = None,
    ) -> None:
        self.application = application
        self.ids = ids
        self.direction: Direction = direction
        self.caller = caller
        self.to = to
        self.headers = headers
        self.client_state = client_state
        self.webhook_url = webhook_url
        self.state: StateFlow[LegState] = StateFlow(LegState.NEW)
        self.leg = leg
        self.parks = False
        self.time_limit = 0
        self.partner: ControlledCall | None = None
        self.talking: asyncio.Task[None] | None = None
        self.connecting: asyncio.Task[None] | None = None
        self.ringing: asyncio.Task[None] | None = None
        self.answering = asyncio.Lock()
        self.active_at = asyncio.get_running_loop().time()
        self.ended_by: Source | None = None
        self._webhooks = webhooks
        self._events = events
        self._on_end = on_end
        self._playlist: Playlist | None = None
        self._begun = datetime.now(UTC)
        self._answered: datetime | None = None
        self._ended: datetime | None = None

    def __repr__(self) -> str:
        return f"<ControlledCall {self.direction} {self.caller.number} -> {self.to}: {self.state.value.value}>"

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state.value is LegState.ENDED or (self.leg is not None and self.leg.reason is not None)

    @property
    def answered(self) -> bool:
        """Whether it is answered, and not over."""
        return self.state.value is LegState.ANSWERED and not self.over

    @property
    def answered_leg(self) -> Leg:
        """Its leg, once it is answered."""
        assert self.leg is not None  # noqa: S101 - it is answered
        return self.leg

    @property
    def playlist(self) -> Playlist:
        """What it is played; of an answered call."""
        if self._playlist is None:
            self._playlist = Playlist(self.answered_leg, self._tell_playback)
        return self._playlist

    @property
    def hears_playback(self) -> bool:
        """Whether it is played something now."""
        return self._playlist is not None and self._playlist.active

    @property
    def source(self) -> Source:
        """Who has ended it."""
        return self.ended_by or ("caller" if self.direction == "incoming" else "callee")

    @property
    def remote(self) -> Source:
        """The party that is not its client."""
        return "callee" if self.direction == "incoming" else "caller"

    # What happens to it

    def tell_initiated(self) -> None:
        """Tell the application that the call has begun."""
        more = {"direction": self.direction, "state": _STATE_WHEN_INITIATED[self.direction]}
        self.tell("call.initiated", more | {"caller_id_name": self.caller.name} | self._headers_and_start())

    def mark_answered(self, leg: Leg) -> None:
        """Note that the client has answered, or was answered."""
        if self.state.value is LegState.NEW:
            self.leg = leg
            self._answered = datetime.now(UTC)
            self.state.set(LegState.ANSWERED)
            self.tell("call.answered", {"state": "answered"} | self._headers_and_start())

    def mark_ended(self, reason: CallTerminationReason) -> None:
        """Note that the call is over."""
        if self.state.value is LegState.ENDED:
            return
        if self._playlist is not None:
            self._playlist.end_with_the_call()
        more = {"state": "hangup"} | self._headers_and_start() | hangup_fields(reason, self.source)
        self.tell("call.hangup", more)
        self._ended = datetime.now(UTC)
        self.state.set(LegState.ENDED)
        self.state.close()
        self._on_end(self)

    async def wait_settled(self) -> None:
        """Wait until it is answered or over."""
        await self.state.wait_for(lambda state: state is not LegState.NEW)

    async def wait_over(self) -> None:
        """Wait until it is over."""
        await self.state.wait_for(LegState.ENDED)

    async def hang_up(self, reason: Reason = HangupCause.NORMAL_CLEARING, source: Source | None = None) -> None:
        """End the call from the gateway's side; one that is over stays as it is.

        Args:
            reason: Why.
            source: Which party has ended it; the one that is not its client, if nothing is said.
        """
        if self.over:
            return
        self.ended_by = source or self.remote
        if self.leg is None:
            if self.ringing is not None:
                self.ringing.cancel()
            self.mark_ended(reason_of(reason))
            return
        await self.leg.hang_up(reason)
        self.mark_ended(self.leg.reason or reason_of(reason))

    async def close(self) -> None:
        """End the tasks of a call that is over."""
        if self._playlist is not None:
            await self._playlist.close()

    # What the application says and is told

    def note(self, command: Command) -> None:
        """Take what a command says for later webhooks."""
        self.active_at = asyncio.get_running_loop().time()
        self.client_state = command.client_state or self.client_state
        self.webhook_url = command.webhook_url or self.webhook_url

    def tell(self, kind: str, more: dict[str, Any] | None = None) -> None:
        """Post a webhook; none after the last."""
        if self.state.value is LegState.ENDED:
            return
        payload = self.names() | {"from": self.caller.number, "to": self.to} | (more or {})
        urls = (self.webhook_url,) if self.webhook_url else self.application.urls
        told = event(kind, payload)
        self._events.add(told)
        self._webhooks.send(self.ids.session_id, Webhook(told, urls, self.application.webhook_timeout))

    def names(self) -> dict[str, Any]:
        """Return the ids that every webhook has."""
        return {
            "call_control_id": self.ids.call_control_id,
            "connection_id": self.application.name,
            "call_leg_id": self.ids.leg_id,
            "call_session_id": self.ids.session_id,
            "client_state": self.client_state,
        }

    def status(self) -> dict[str, Any]:
        """Return what a request for the status of the call is told."""
        fields = {name: value for name, value in self.names().items() if name != "connection_id"}
        fields |= {"record_type": "call", "is_alive": not self.over, "start_time": moment(self._begun)}
        until = self._ended or datetime.now(UTC)
        if self._answered is not None:
            fields["call_duration"] = round((until - self._answered).total_seconds())
        if self._ended is not None:
            fields["end_time"] = moment(self._ended)
        return fields

    def _headers_and_start(self) -> dict[str, Any]:
        return {"custom_headers": headers_to_wire(self.headers), "start_time": moment(self._begun)}

    def _tell_playback(self, command: StartPlayback, status: PlaybackStatus | None) -> None:
        more: dict[str, Any] = {"media_url": command.url, "overlay": False}
        if status is None:
            self.tell("call.playback.started", more)
        else:
            self.tell("call.playback.ended", more | {"status": status})
