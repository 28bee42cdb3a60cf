"""The calls of a client: made, led what concerns them, kept through the loss of a connection, and ended."""

# ruff: noqa: SLF001 - the keeper leads its calls by what leads each of them

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.ai.conversation import Conversation
from telnyx_native.call import Call
from telnyx_native.call.driver import CallDriver
from telnyx_native.call.observation import Observers
from telnyx_native.client.admission import Admission
from telnyx_native.client.call_reports import CallReports
from telnyx_native.client.connection import Connection
from telnyx_native.client.recovery import Recovery
from telnyx_native.codes import ErrorCode, TelnyxWarning, WarningCode
from telnyx_native.config import PeerConfig
from telnyx_native.errors import (
    GATEWAY_REGISTRATION_FAILED,
    CallError,
    NetworkChangedError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.events import (
    AiConversationResponse,
    AttachResponse,
    CallEvent,
    GatewayStateResponse,
    InviteResponse,
    SocketResponse,
    SocketStatus,
)
from telnyx_native.flow import SharedFlow
from telnyx_native.signaling.messages import Bye, Dialog
from telnyx_native.signaling.registration import LOST_REGISTRATION
from telnyx_native.signaling.session import Session
from telnyx_native.states import (
    CallDirection,
    CallNetworkChangeReason,
    CallState,
    CallTerminationReason,
    HangupCause,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from telnyx_native.client.ringer import Ringer
    from telnyx_native.config import AudioConfig, Limits, Timeouts
    from telnyx_native.events import ReceivedResult
    from telnyx_native.media.engine import MediaEngine
    from telnyx_native.media.negotiation import MediaOptions
    from telnyx_native.media.peer import Peer
    from telnyx_native.states import GatewayState

__all__ = ["CallKeeper"]


class CallKeeper:
    """Stands between a session and its calls: hears the session, and is the host of the calls.

    Args:
        timeouts: How long each step may take.
        limits: How much of something there may be.

    Attributes:
        session: The session at the server.
        connection: The way there.
        recovery: Makes a lost connection again.
        conversation: With an AI assistant, beside the audio.
        calls: The calls that are not over, by call id in lower case.
        admission: Whether there may be one more.
        begun: Every call, when it begins.
        incoming: Inbound calls, ringing.
        refused: Inbound calls that were told that the client is busy.
        ringer: What is heard while calls ring, if anything is.
        leaving: Whether all this is being ended; nothing new is begun then.
    """

    def __init__(self, timeouts: Timeouts, limits: Limits) -> None:
        self.session = Session(timeouts, limits, self)
        self.connection = Connection(self.session, retries=limits.registrations, pause=timeouts.gateway_poll)
        self.recovery = Recovery(self.connection, self.session, self)
        self.conversation = Conversation(self.session)
        self.calls: dict[str, Call] = {}
        self.admission = Admission(self.calls, limits)
        self.begun: SharedFlow[Call] = SharedFlow()
        self.incoming: SharedFlow[Call] = SharedFlow()
        self.refused = 0
        self.ringer: Ringer | None = None
        self.leaving = False
        self._timeouts = timeouts
        self._limits = limits
        self._reports = CallReports(self.connection, self.session)
        self._background: set[asyncio.Task[None]] = set()
        self._engine: MediaEngine | None = None

    def find(self, call_id: str) -> Call | None:
        """The call of that id, if there is one; the call of a push also goes by the id in the notification."""
        pushed = self.connection.pushed
        return self.calls.get(call_id.lower()) or (pushed.known_as(call_id) if pushed else None)

    async def place(self, dialog: Dialog, options: MediaOptions) -> Call:
        """Place a call; returns when the server has taken the invitation."""
        call = self._begin(dialog, CallDirection.OUTBOUND)
        await call._driver.place(options)
        return call

    async def leave(self) -> None:
        """Hang up all calls, close the connection and free the media."""
        self.leaving = True
        self.connection.end()
        try:
            await self._end_calls()
            await self.conversation.stop(self._timeouts.close)
            if self._background:
                await asyncio.wait(self._background)
            await self._reports.wait_delivered(self._timeouts.report)
        finally:
            try:
                await self.session.close()
            finally:
                self.leaving = False
                self.admission.draining = False
                await self._release_engine()

    # What the session and the calls tell.

    def on_message(self, method: str, result: ReceivedResult | None) -> bool:
        """Take a message of the server: publish it and lead it to its call."""
        self.connection.publish(method, result)
        match result:
            case AttachResponse():
                return self._reattach(result)
            case InviteResponse() if not self.leaving:
                return self._ring(result)
            case GatewayStateResponse(state=state) if state in LOST_REGISTRATION:
                self._lose_registration(state)
            case AiConversationResponse():
                self.conversation.hear(result, self.connection.log.child("ai"))
            case CallEvent(call_id=call_id) if call := self.calls.get(call_id.lower()):
                call._driver.handle(result)
                return True
            case CallEvent():
                self.connection.log.debug(f"{method} for a call that is not known: {result.call_id}")
        return False

    def on_lost(self, error: SocketConnectionError) -> bool:
        """The connection is gone. If it is to be made again, answered calls wait for that; if not, they are over."""
        self.connection.end()
        self.connection.report(error)
        recovering = not self.leaving and self.recovery.start()
        reason = _network_change(error)
        for call in list(self.calls.values()):
            if recovering:
                call._driver.await_reattachment(reason)
                self._reports.flush(call)
            else:
                call._driver.drop(reason)
        if recovering:
            self.connection.warn(TelnyxWarning.of(WarningCode.SIGNALING_RECOVERY_REQUIRED, str(error)))
        elif not self.leaving:
            self.conversation.on_lost()
            self.connection.warn(TelnyxWarning.of(WarningCode.RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT))
        self.connection.responses.emit(SocketResponse(SocketStatus.DISCONNECT))
        return recovering

    def on_set_back(self) -> None:
        """The server was reached, but would not register: calls that it had brought back already wait again."""
        for call in list(self.calls.values()):
            if not isinstance(call.state, CallState.RECONNECTING):
                call._driver.await_reattachment(CallNetworkChangeReason.SERVER_ERROR)

    def on_login_lost(self) -> None:
        """The server wants a login before it takes anything else."""
        message = "the server does not know any more who is logged in"
        self._renew_login(SocketConnectionError(message, kind=ErrorCode.AUTHENTICATION_REQUIRED))

    def on_punt(self) -> None:
        """The session goes on elsewhere: with it the calls."""
        self.connection.end()
        self.connection.report(SocketConnectionError("the server gave the session to another connection"))
        self.on_unrecoverable()
        self.connection.responses.emit(SocketResponse(SocketStatus.DISCONNECT))

    def on_unrecoverable(self) -> None:
        """The connection will not be made again: the calls are over."""
        self.conversation.on_lost()
        for call in list(self.calls.values()):
            call._driver.drop(CallNetworkChangeReason.SERVER_ERROR)

    def on_recovered(self) -> None:
        """The client is logged in again; calls that the server did not keep are over."""
        kept = self.session.kept_calls
        if kept is None:
            return
        known = {call_id.lower() for call_id in kept}
        for call in list(self.calls.values()):
            if isinstance(call.state, CallState.RECONNECTING) and call.call_id.lower() not in known:
                message = f"the server did not keep call {call.call_id} while the connection was lost"
                self.connection.report(CallError(message, kind=ErrorCode.SESSION_NOT_REATTACHED))
                call._driver.drop(CallNetworkChangeReason.SERVER_ERROR)

    @property
    def has_calls(self) -> bool:
        """Whether calls wait for the connection."""
        return bool(self.calls)

    @property
    def asks_servers(self) -> bool:
        """Whether STUN or TURN servers are asked for addresses of this machine."""
        return bool(self.connection.server.ice_servers)

    def create_peer(self, audio: AudioConfig) -> Peer:
        """Make the media end of a call; the first one starts the media engine."""
        if self._engine is None:
            from telnyx_native.media.engine import MediaEngine

            self._engine = MediaEngine.acquire()
        return self._engine.create_peer(self._peer_config(), audio)

    def _peer_config(self) -> PeerConfig:
        server, config = self.connection.server, self.connection.config
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
        """Make a media end that is to go on with the audio of `peer`."""
        assert self._engine is not None  # noqa: S101 - `peer` is one of its peers
        return self._engine.create_successor(peer, self._peer_config())

    def on_call_ended(self, call_id: str, teardown: asyncio.Task[None]) -> None:
        """Forget a call, but see to its end."""
        call = self.calls.pop(call_id.lower())
        self.conversation.on_call_ended()
        self._reports.close(call)
        self._wait_for(teardown)

    def _begin(self, dialog: Dialog, direction: CallDirection) -> Call:
        driver = CallDriver(
            dialog,
            direction,
            host=self,
            signaling=self.session,
            timeouts=self._timeouts,
            limits=self._limits,
            observers=Observers(
                self.connection.warnings,
                self.connection.warn,
                self._reports.open(dialog.call_id),
                debug=self.connection.debug,
            ),
            log=self.connection.log.child("call", call_id=dialog.call_id),
        )
        call = self.calls[dialog.call_id.lower()] = Call(driver)
        if self.ringer is not None:
            self._see_to(self.ringer.accompany(call), "ringer")
        self.begun.emit(call)
        return call

    def _see_to(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._wait_for(asyncio.create_task(work, name=f"telnyx-{name}"))

    def _wait_for(self, task: asyncio.Task[None]) -> None:
        """Do not leave before `task` is done."""
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _tell(self, bye: Bye) -> None:
        try:
            await self.session.tell(bye)
        except TelnyxError as error:
            self.connection.log.debug(f"no good-bye: {error}")

    async def _end_calls(self) -> None:
        try:
            await self.recovery.stop()
        finally:
            for call in list(self.calls.values()):
                call.hang_up()

    async def _release_engine(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.release()

    def _ring(self, invite: InviteResponse) -> bool:
        if invite.call_id.lower() in self.calls:
            self.connection.log.debug(f"the invitation of call {invite.call_id} came twice")
            return True
        config = self.connection.config
        push = config.push if config else None
        dialog = Dialog(
            call_id=invite.call_id,
            destination_number=invite.callee_id_number,
            caller_name=invite.caller_id_name,
            caller_number=invite.caller_id_number,
            client_state=invite.client_state,
            answered_device_token=push.push_device_token if push else None,
        )
        has_room = self.admission.has_room_to_ring()
        call = self._begin(dialog, CallDirection.INBOUND)
        call._driver.handle(invite)
        if isinstance(call.state, CallState.DONE):
            return True
        if not has_room:
            self.refused += 1
            call.hang_up(HangupCause.USER_BUSY)
            return True
        if self.connection.pushed is not None:
            self.connection.pushed.take(call)
        self.incoming.emit(call)
        return True

    def _reattach(self, attach: AttachResponse) -> bool:
        call = self.calls.get(attach.call_id.lower())
        if call is None:
            # It ended here while nobody could be told: without a word, the other side would listen to silence.
            self.connection.warn(TelnyxWarning.of(WarningCode.UNKNOWN_REATTACHED_SESSION, attach.call_id))
            reason = CallTerminationReason.of(HangupCause.NORMAL_CLEARING)
            bye = Bye(self.session.session_id, Dialog(attach.call_id), reason)
            self._see_to(self._tell(bye), "bye")
            return False
        call._driver.handle(attach)
        return True

    def _lose_registration(self, state: GatewayState) -> None:
        """The SIP registration behind the login is gone: another server instance may have a better one."""
        if not self.calls:  # which only the instance that has them can bring back
            self.session.forget_instance()
        message = f"the SIP registration was lost: the gateway says {state.value}"
        error = SocketConnectionError(message, code=GATEWAY_REGISTRATION_FAILED, kind=ErrorCode.GATEWAY_FAILED)
        self._renew_login(error)

    def _renew_login(self, error: SocketConnectionError) -> None:
        if self.connection.reconnects:
            self.session.break_off(error)
        else:
            self.connection.report(error)


def _network_change(error: SocketConnectionError) -> CallNetworkChangeReason:
    if isinstance(error, NetworkChangedError):
        return CallNetworkChangeReason.NETWORK_SWITCH
    if error.kind in (ErrorCode.GATEWAY_FAILED, ErrorCode.AUTHENTICATION_REQUIRED):
        return CallNetworkChangeReason.SERVER_ERROR
    return CallNetworkChangeReason.NETWORK_LOST
