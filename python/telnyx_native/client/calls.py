"""The calls of a client: admitted, given their messages, kept through lost connections, ended."""

# ruff: noqa: SLF001 - a call is controlled through its CallDriver

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from telnyx_native.assistant import AssistantChannel
from telnyx_native.call import Call
from telnyx_native.call.driver import CallDriver
from telnyx_native.call.observation import Observers
from telnyx_native.client.connection import ConnectionListener
from telnyx_native.client.report_delivery import ReportDelivery
from telnyx_native.config import PeerConfig
from telnyx_native.errors import (
    CallError,
    CallLimitError,
    ConfigurationError,
    DrainingError,
    ErrorCode,
    TelnyxError,
    TelnyxWarning,
    WarningCode,
)
from telnyx_native.events import AiConversationResponse, AttachResponse, CallEvent, InviteResponse
from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.media.negotiation import MediaOptions
from telnyx_native.signaling.envelope import new_id
from telnyx_native.signaling.messages import Bye, Dialog
from telnyx_native.snapshot import CallSnapshot, SessionSnapshot
from telnyx_native.states import (
    CallDirection,
    CallNetworkChangeReason,
    CallState,
    CallTerminationReason,
    HangupCause,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from typing import Any

    from telnyx_native.client.connection import Connection
    from telnyx_native.client.context import Context
    from telnyx_native.client.ringer import Ringer
    from telnyx_native.config import AudioCodec, AudioConfig
    from telnyx_native.events import ReceivedResult
    from telnyx_native.media.engine import MediaEngine
    from telnyx_native.media.peer import Peer

__all__ = ["Calls"]


_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

_NUMBER = re.compile(r"\+?[0-9]{7,15}")
"""What may have been written for the eye: a number of E.164, which has 15 digits at most."""

_VISUAL_SEPARATORS = re.compile(r"[-.()\s\u2010-\u2015\u200e\u202a-\u202c]+")
"""RFC 3966, 5.1.1, and what comes along when numbers are pasted: typographic dashes, and marks of direction."""


class Calls(ConnectionListener):
    """Admits calls, routes the server's messages to them, and owns the media engine.

    Args:
        connection: The connection to the server.
        context: Timeouts, limits and the publisher.

    Attributes:
        calls: The calls that are not over, by call id in lower case.
        begun: Every call, inbound or outbound, when it begins.
        incoming: Inbound calls, ringing.
        refused: Inbound calls that were refused with USER_BUSY.
        draining: Whether all new calls are refused.
        ringer: Plays ringtone and ringback tone, if the login has any.
        conversation: The messages to and from an AI assistant.
        snapshot: The session with its answered calls, kept up to date while somebody collects it.
    """

    def __init__(self, connection: Connection, context: Context) -> None:
        self.calls: dict[str, Call] = {}
        self.begun: SharedFlow[Call] = SharedFlow()
        self.incoming: SharedFlow[Call] = SharedFlow()
        self.refused = 0
        self.draining = False
        self.ringer: Ringer | None = None
        self.conversation = AssistantChannel(connection.session)
        self._connection = connection
        self._session = connection.session
        self._timeouts = context.timeouts
        self._limits = context.limits
        self._call_control = context.call_control
        self._publisher = context.publisher
        self._reports = ReportDelivery(connection, context.publisher)
        self.snapshot: StateFlow[SessionSnapshot | None] = StateFlow(None)
        self._background: set[asyncio.Task[None]] = set()
        self._taking: asyncio.Handle | None = None
        self._resumed_audio: AudioConfig | None = None
        self._engine: MediaEngine | None = None
        self._warned = False

    def require(self, call_id: str) -> Call:
        """Return the call with this id; a pushed call is also found by its id in the notification.

        Raises:
            CallError: There is no such call.
        """
        pushed = self._connection.pushed
        call = self.calls.get(call_id.lower()) or (pushed.known_as(call_id) if pushed else None)
        if call is None:
            raise CallError(f"there is no call {call_id}, or it is over")
        return call

    def require_room(self) -> None:
        """Check that one more call is allowed.

        Raises:
            DrainingError: The client takes no more calls.
            CallLimitError: There are as many calls as there may be.
        """
        if self.draining:
            raise DrainingError("the client is draining: it takes no more calls until it has been disconnected")
        most = self._limits.max_concurrent_calls
        if most is not None and len(self.calls) >= most:
            message = f"there are {len(self.calls)} calls, as many as Limits.max_concurrent_calls allows; end one first"
            raise CallLimitError(message)

    async def place(self, dialog: Dialog, options: MediaOptions) -> Call:
        """Place a call; returns when the server has accepted the INVITE. See `TelnyxClient.new_invite`."""
        self._connection.require_ready()
        self.require_room()
        self._require_unused(dialog.call_id)
        dialog = replace(dialog, destination_number=_as_dialled(dialog.destination_number))
        call = self._begin(dialog, CallDirection.OUTBOUND)
        await call._driver.place(options)
        return call

    async def place_another(
        self, destination: str, caller: str | None, headers: Mapping[str, str], audio: AudioConfig
    ) -> Call:
        """Place a call that belongs to another one: that of a consultation."""
        dialog = self.dialog(destination, caller_number=caller, custom_headers=headers)
        return await self.place(dialog, MediaOptions(audio))

    def dialog(
        self,
        destination: str,
        *,
        caller_name: str | None = None,
        caller_number: str | None = None,
        client_state: str | None = None,
        custom_headers: Mapping[str, str] | None = None,
        preferred_codecs: Sequence[AudioCodec] = (),
        call_id: str | None = None,
    ) -> Dialog:
        """What an outbound call says of itself; what is not given is as the login says."""
        config = self._connection.config
        name, number = getattr(config, "sip_caller_id_name", None), getattr(config, "sip_caller_id_number", None)
        return Dialog(
            call_id=new_id() if call_id is None else call_id,
            destination_number=destination,
            caller_name=(name if caller_name is None else caller_name) or "",
            caller_number=(number if caller_number is None else caller_number) or "",
            client_state=client_state,
            custom_headers=dict(custom_headers or {}),
            preferred_codecs=tuple(preferred_codecs),
        )

    def resume(self, snapshot: SessionSnapshot, audio: AudioConfig) -> tuple[Call, ...]:
        """Have the calls of a snapshot, which wait for the server to bring them back.

        Raises:
            ConfigurationError: A call is in it twice.
        """
        ids = [kept.call_id.lower() for kept in snapshot.calls]
        if len(set(ids)) < len(ids):
            raise ConfigurationError("the snapshot has a call twice")
        self._resumed_audio = audio
        return tuple(self._restore(kept, audio) for kept in snapshot.calls)

    def take_snapshot(self) -> SessionSnapshot | None:
        """The session with its answered calls as they are now; `None` if there is no session to resume."""
        session = self._connection.snapshot
        kept = (call._driver.snapshot() for call in self.calls.values())
        snapshot = session and replace(session, calls=tuple(call for call in kept if call is not None))
        self.snapshot.set(snapshot)
        return snapshot

    def detach(self) -> None:
        """Let go of the answered calls, which go on at the server."""
        for call in list(self.calls.values()):
            call._driver.detach()

    async def hold_others(self, call: Call | None) -> None:
        """Put all active calls on hold except `call`.

        Raises:
            RequestError: The server refused one; the others are on hold nevertheless.
        """
        active = [other for other in self.calls.values() if other is not call and other.state == CallState.ACTIVE]
        outcomes = await asyncio.gather(*(_hold_unless_over(other) for other in active), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def end(self) -> None:
        """Hang up all calls, and wait until their BYEs, tools and reports are done."""
        for call in list(self.calls.values()):
            call.hang_up()
        self.on_call_changed()
        await self.conversation.stop(self._timeouts.close)
        if self._background:
            await asyncio.wait(self._background)
        await self._reports.wait_delivered(self._timeouts.report)

    async def release(self) -> None:
        """Release the media engine, and stop draining."""
        self.draining = False
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.release()

    def close(self) -> None:
        """End all flows."""
        self.incoming.close()
        self.begun.close()
        self.snapshot.close()
        self.conversation.close()

    # What the connection tells.

    @property
    def has_calls(self) -> bool:
        """Whether calls wait for the connection."""
        return bool(self.calls)

    def on_message(self, method: str, result: ReceivedResult | None) -> bool:
        """Route a message of the server to its call."""
        match result:
            case AttachResponse():
                return self._reattach(result)
            case InviteResponse() if not self._connection.is_leaving:
                return self._ring(result)
            case AiConversationResponse():
                self.conversation.hear(result, self._publisher.log.child("ai"))
            case CallEvent(call_id=call_id) if call := self.calls.get(call_id.lower()):
                call._driver.handle(result)
                return True
            case CallEvent():
                self._publisher.log.debug(f"{method} for an unknown call: {result.call_id}")
        return False

    def suspend(self, reason: CallNetworkChangeReason) -> None:
        """Let answered calls wait for the new connection; the others end."""
        self._resumed_audio = None
        for call in list(self.calls.values()):
            waits = isinstance(call.state, CallState.RECONNECTING)
            if waits and reason is CallNetworkChangeReason.SERVER_ERROR:
                continue  # it waits already
            call._driver.await_reattachment(reason)
            self._reports.flush(call)

    def drop(self, reason: CallNetworkChangeReason) -> None:
        """There will be no new connection: the calls end."""
        self.conversation.on_lost()
        self.on_call_changed()
        for call in list(self.calls.values()):
            call._driver.drop(reason)

    def restore(self) -> None:
        """The client is logged in again: calls that the server did not keep end."""
        self.on_call_changed()
        kept = self._session.kept_calls
        if kept is None:
            return
        known = {call_id.lower() for call_id in kept}
        for call in list(self.calls.values()):
            if isinstance(call.state, CallState.RECONNECTING) and call.call_id.lower() not in known:
                message = f"the server did not keep call {call.call_id} while the connection was lost"
                self._publisher.report(CallError(message, kind=ErrorCode.SESSION_NOT_REATTACHED))
                call._driver.drop(CallNetworkChangeReason.SERVER_ERROR)

    # What the calls need.

    @property
    def asks_servers(self) -> bool:
        """Whether STUN or TURN servers are used."""
        return bool(self._connection.server.ice_servers)

    def create_peer(self, audio: AudioConfig) -> Peer:
        """Create the peer of a call; the first one starts the media engine."""
        if self._engine is None:
            from telnyx_native.media.engine import MediaEngine

            self._engine = MediaEngine.acquire()
        return self._engine.create_peer(self._peer_config(), audio)

    def _peer_config(self) -> PeerConfig:
        server, config = self._connection.server, self._connection.login
        relay_only = config is not None and config.force_relay_candidate
        return PeerConfig(
            server.ice_servers,
            relay_only=relay_only,
            loopback=server.is_local,
            udp_ports=server.udp_ports,
            interfaces=server.interfaces,
            ipv6=server.ipv6,
        )

    def create_successor(self, peer: Peer) -> Peer:
        """Create a peer that will take over the audio of `peer`."""
        assert self._engine is not None  # noqa: S101 - `peer` is one of its peers
        return self._engine.create_successor(peer, self._peer_config())

    def on_call_changed(self) -> None:
        """Take a snapshot soon, if somebody collects them."""
        if self._taking is None and self.snapshot.collected:
            self._taking = asyncio.get_running_loop().call_soon(self._take_snapshot)

    def _take_snapshot(self) -> None:
        self._taking = None
        self.take_snapshot()

    def on_call_ended(self, call_id: str, teardown: asyncio.Task[None]) -> None:
        """Remove a call; `teardown` is waited for when the client leaves."""
        call = self.calls.pop(call_id.lower())
        self.conversation.on_call_ended()
        self._reports.close(call)
        self._track(teardown)
        self.on_call_changed()

    def _begin(self, dialog: Dialog, direction: CallDirection) -> Call:
        config = self._connection.config
        driver = CallDriver(
            dialog,
            direction,
            host=self,
            signaling=self._session,
            timeouts=self._timeouts,
            limits=self._limits,
            observers=Observers(
                self._publisher.warnings,
                self._publisher.warn,
                self._reports.open(dialog.call_id),
                turns=config is not None and config.call_report_directory is not None,
                debug=config is not None and config.debug,
            ),
            log=self._publisher.log.child("call", call_id=dialog.call_id),
            call_control=self._call_control,
        )
        if self.calls and self._limits.max_concurrent_calls is None and not self._warned:
            self._warned = True
            detail = "if that is wanted, say how many there may be: Limits.max_concurrent_calls"
            self._publisher.warn(TelnyxWarning.of(WarningCode.MULTIPLE_ACTIVE_CALLS_DETECTED, detail))
        call = self.calls[dialog.call_id.lower()] = Call(driver, self.place_another)
        if self.ringer is not None:
            self._spawn(self.ringer.ring_for(call), "ringer")
        self.begun.emit(call)
        return call

    def _restore(self, kept: CallSnapshot, audio: AudioConfig) -> Call:
        dialog = Dialog(
            call_id=kept.call_id,
            destination_number=kept.destination_number,
            caller_name=kept.caller_name,
            caller_number=kept.caller_number,
            client_state=kept.client_state,
            custom_headers=kept.custom_headers,
        )
        call = self._begin(dialog, kept.direction)
        call._driver.restore(kept, MediaOptions(audio, kept.muted))
        return call

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._track(asyncio.create_task(work, name=f"telnyx-{name}"))

    def _track(self, task: asyncio.Task[None]) -> None:
        """Let `end` wait for `task`."""
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _send_bye(self, bye: Bye) -> None:
        try:
            await self._session.tell(bye)
        except TelnyxError as error:
            self._publisher.log.debug(f"no BYE was sent: {error}")

    def _ring(self, invite: InviteResponse) -> bool:
        if invite.call_id.lower() in self.calls:
            self._publisher.log.debug(f"a second INVITE for call {invite.call_id}")
            return True
        config = self._connection.config
        push = config.push if config else None
        dialog = Dialog(
            call_id=invite.call_id,
            destination_number=invite.callee_id_number,
            caller_name=invite.caller_id_name,
            caller_number=invite.caller_id_number,
            client_state=invite.client_state,
            answered_device_token=push.push_device_token if push else None,
        )
        has_room = self._has_room_to_ring()
        call = self._begin(dialog, CallDirection.INBOUND)
        call._driver.handle(invite)
        if isinstance(call.state, CallState.DONE):
            return True
        if not has_room:
            self.refused += 1
            call.hang_up(HangupCause.USER_BUSY)
            return True
        if self._connection.pushed is not None:
            self._connection.pushed.take(call)
        self.incoming.emit(call)
        return True

    def _require_unused(self, call_id: str) -> None:
        if not _UUID.fullmatch(call_id):
            message = f"{call_id!r} is no call id: Telnyx's mobile SDKs take nothing but UUIDs"
            raise ConfigurationError(message, kind=ErrorCode.INVALID_CALL_PARAMETERS)
        if call_id.lower() in self.calls:
            message = f"there is a call {call_id} already"
            raise ConfigurationError(message, kind=ErrorCode.INVALID_CALL_PARAMETERS)

    def _has_room_to_ring(self) -> bool:
        try:
            self.require_room()
        except (DrainingError, CallLimitError):
            return False
        return sum(map(_rings_here, self.calls.values())) < self._limits.ringing_calls

    def _reattach(self, attach: AttachResponse) -> bool:
        call = self.calls.get(attach.call_id.lower())
        if call is None and self._resumed_audio is not None:
            # It was answered between the latest snapshot and the end of the other process.
            kept = CallSnapshot(
                attach.call_id,
                CallDirection.INBOUND,
                attach.callee_id_number,
                attach.caller_id_name,
                attach.caller_id_number,
                attach.caller_id_name,
                attach.caller_id_number,
                attach.client_state,
            )
            call = self._restore(kept, self._resumed_audio)
        if call is None:
            # It ended while the connection was lost. Without a BYE, the remote would wait in silence.
            self._publisher.warn(TelnyxWarning.of(WarningCode.UNKNOWN_REATTACHED_SESSION, attach.call_id))
            reason = CallTerminationReason.of(HangupCause.NORMAL_CLEARING)
            bye = Bye(self._session.session_id, Dialog(attach.call_id), reason)
            self._spawn(self._send_bye(bye), "bye")
            return False
        call._driver.handle(attach)
        return True


def _as_dialled(destination: str) -> str:
    """A number without visual separators; anything else is left as it is."""
    bare = _VISUAL_SEPARATORS.sub("", destination)
    return bare if _NUMBER.fullmatch(bare) else destination


def _rings_here(call: Call) -> bool:
    return call.direction is CallDirection.INBOUND and call.state == CallState.RINGING


async def _hold_unless_over(call: Call) -> None:
    try:
        await call.hold()
    except CallError:
        if not isinstance(call.state, CallState.DONE):
            raise
