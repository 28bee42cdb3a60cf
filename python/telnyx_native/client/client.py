"""The client: connects, logs in, places and receives calls."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from telnyx_native.assistant import AiAssistant
from telnyx_native.client.calls import Calls
from telnyx_native.client.connection import Connection, decline
from telnyx_native.client.context import Context
from telnyx_native.client.ringer import Ringer
from telnyx_native.config import (
    AnonymousConfig,
    AudioConfig,
    Limits,
    Timeouts,
    TokenConfig,
    TxServerConfiguration,
)
from telnyx_native.errors import CallError, ConfigurationError, ErrorCode, SocketConnectionError, TelnyxWarning
from telnyx_native.events import DisablePushResponse, SocketMethod, SocketStatus
from telnyx_native.logs import LogLevel, TxLogger
from telnyx_native.media.negotiation import MediaOptions
from telnyx_native.push import PushedCall, PushKind, PushMetaData
from telnyx_native.signaling.messages import DisablePush
from telnyx_native.states import CallNetworkChangeReason, ConnectionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from telnyx_native.assistant import TranscriptItem
    from telnyx_native.call import Call
    from telnyx_native.call_control import CallControl
    from telnyx_native.config import AudioCodec, CredentialConfig, TelnyxConfig
    from telnyx_native.events import SocketResponse
    from telnyx_native.flow import SharedFlow, StateFlow
    from telnyx_native.signaling.health import SocketConnectionMetrics
    from telnyx_native.signaling.logins import LoginTimings
    from telnyx_native.snapshot import SessionSnapshot

__all__ = ["TelnyxClient"]


class TelnyxClient:
    """A user of Telnyx WebRTC voice: one login, any number of calls.

    ```python
    async with TelnyxClient() as client:
        await client.connect(credential_config=CredentialConfig("user", "password"))
        call = await client.new_invite("+15551234567")
        await call.wait_active()
    ```

    Leaving the block hangs up all calls and disconnects.

    Args:
        timeouts: How long each step may take.
        limits: How many of something are allowed.
        call_control: What lets `Call.transfer` use Telnyx's Voice API.

    Attributes:
        incoming_calls: Inbound calls, ringing; collect before they can arrive.
        new_calls: Every call, inbound or outbound, when it begins.
        ai: The AI assistant at the other end, beside the audio.
    """

    def __init__(
        self,
        *,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        call_control: CallControl | None = None,
    ) -> None:
        context = Context(timeouts or Timeouts(), limits or Limits(), call_control=call_control)
        self._timeouts = context.timeouts
        self._publisher = context.publisher
        self._connection = Connection(context)
        self._session = self._connection.session
        self._calls = self._connection.listener = Calls(self._connection, context)
        self.incoming_calls: SharedFlow[Call] = self._calls.incoming
        self.new_calls: SharedFlow[Call] = self._calls.begun
        self.ai = AiAssistant(self._calls.conversation)

    def __repr__(self) -> str:
        return f"<TelnyxClient {self.connection_status_flow.value.name}, {len(self.calls)} calls>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @property
    def socket_response_flow(self) -> SharedFlow[SocketResponse]:
        """What happens on the connection: statuses, messages and errors."""
        return self._publisher.responses

    @property
    def warning_flow(self) -> SharedFlow[TelnyxWarning]:
        """Problems that are about to occur, such as a login token that is about to expire."""
        return self._publisher.warnings

    @property
    def connection_status_flow(self) -> StateFlow[ConnectionStatus]:
        """The state of the connection."""
        return self._connection.status

    @property
    def ws_message_flow(self) -> SharedFlow[str]:
        """Every message of the server as JSON; for messages that this SDK has no type for."""
        return self._session.messages

    @property
    def session_id(self) -> str:
        """The server's id of the latest login; empty before there was one."""
        return self._session.session_id

    @property
    def is_registered(self) -> bool:
        """Whether calls can be placed and received now."""
        return self.connection_status_flow.value is ConnectionStatus.CLIENT_READY

    @property
    def socket_connection_metrics_flow(self) -> StateFlow[SocketConnectionMetrics]:
        """The quality of the connection, measured by the server's pings."""
        return self._session.pings.metrics

    @property
    def login_timings(self) -> LoginTimings:
        """When the latest connection reached which step."""
        return self._session.timings

    @property
    def calls(self) -> Mapping[str, Call]:
        """The calls that are not over, by call id in lower case."""
        return MappingProxyType(self._calls.calls)

    @property
    def refused_calls(self) -> int:
        """Inbound calls that were refused with USER_BUSY, because of `Limits` or while draining."""
        return self._calls.refused

    async def connect(
        self,
        server_config: TxServerConfiguration | None = None,
        credential_config: CredentialConfig | None = None,
        *,
        token_config: TokenConfig | None = None,
        tx_push_meta_data: str | Mapping[str, Any] | None = None,
        auto_login: bool = True,
    ) -> None:
        """Connect to a server and log in; on return calls can be placed and received.

        A SIP registration that fails is retried, see `Limits.registrations`. After any other failure, or the last
        retry, the client is disconnected.

        Args:
            server_config: The server; Telnyx's production server by default.
            credential_config: The login, with its log level. Without a login, the client only connects.
            token_config: The same for a login with a token; give one of the two.
            tx_push_meta_data: The push notification that announced a call, if one did, as it came; see
                `PushMetaData.parse`. The call is that of `wait_for_pushed_call`.
            auto_login: Whether to log in at once; if not, `credential_login` or `token_login` does it later.

        Raises:
            ConfigurationError: There are two logins, or the push notification announces no call.
            SocketConnectionError: The server cannot be reached, or the connection ended too early.
            AuthenticationError: The server refused the login.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
        """
        if credential_config is not None and token_config is not None:
            message = "give credential_config or token_config, not both"
            raise ConfigurationError(message, kind=ErrorCode.INVALID_CREDENTIALS)
        push = None if tx_push_meta_data is None else PushMetaData.parse(tx_push_meta_data)
        await self._connect(server_config, credential_config or token_config, push, auto_login=auto_login)

    async def resume(
        self,
        snapshot: SessionSnapshot,
        config: CredentialConfig | TokenConfig,
        server_config: TxServerConfiguration | None = None,
        *,
        audio: AudioConfig | None = None,
    ) -> tuple[Call, ...]:
        """Go on with the session of another process, which is gone or gives way: log in, and take its calls over.

        The calls are RECONNECTING until the server has brought them back, see `Call.wait_active`; audio that is
        written meanwhile waits. Those that the server did not keep are over. The other process, if it lives, is
        disconnected, and hangs nothing up.

        Args:
            snapshot: What `session_snapshot` gave there. A server keeps calls for some 90 seconds.
            config: The login, of the same user.
            server_config: The server; Telnyx's production server by default.
            audio: How the audio of the calls is to be written and read.

        Returns:
            The calls of the snapshot, with `Call.resumed` set. One that was answered after it was taken comes in
            `new_calls`.

        Raises:
            ConfigurationError: The snapshot is of another user.
            SocketConnectionError: The client is connected, the server cannot be reached, or the connection ended.
            AuthenticationError: The server refused the login.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
        """
        server = server_config or TxServerConfiguration()
        self._connection.resume(snapshot, server, config)
        calls = self._calls.resume(snapshot, audio or AudioConfig())
        await self._connect(server, config, None, auto_login=True)
        return calls

    def session_snapshot(self) -> SessionSnapshot:
        """What another process needs to go on with the answered calls of this client, as it is now: see `resume`.

        Raises:
            SocketConnectionError: There is no session: the client was not logged in, or is disconnected.
        """
        snapshot = self._calls.take_snapshot()
        if snapshot is None:
            raise SocketConnectionError("the client has no session to go on with; connect first")
        return snapshot

    @property
    def session_snapshot_flow(self) -> StateFlow[SessionSnapshot | None]:
        """The latest snapshot: whenever calls come and go, are held, muted, or get another `application_state`.

        It is `None` while there is no session to go on with: before the login, and when the client is disconnected, or
        another process has taken the session over.
        """
        self._calls.take_snapshot()
        return self._calls.snapshot

    async def detach(self) -> SessionSnapshot:
        """Disconnect, and leave the answered calls to another process, which resumes the snapshot; others end.

        The server keeps them for some 90 seconds. Nobody hears them until then: let the other process `resume` first,
        if it can, and this client is disconnected by that.

        Raises:
            SocketConnectionError: There is no session: the client was not logged in, or is disconnected.
        """
        snapshot = self.session_snapshot()
        self._connection.leave()
        self._calls.detach()
        await self.disconnect()
        return snapshot

    async def connect_anonymously(
        self,
        target_id: str,
        target_type: str = "ai_assistant",
        target_version_id: str | None = None,
        user_variables: Mapping[str, Any] | None = None,
        conversation_id: str | None = None,
        *,
        server_config: TxServerConfiguration | None = None,
        log_level: LogLevel = LogLevel.NONE,
        custom_logger: TxLogger | None = None,
    ) -> None:
        """Connect without an account, to talk to one AI assistant: `new_invite` needs no destination then.

        Args:
            target_id: The id of the assistant.
            target_type: The kind of target.
            target_version_id: Its version; the current one by default.
            user_variables: Dynamic variables of the assistant.
            conversation_id: An earlier conversation to continue.
            server_config: The server; Telnyx's production server by default.
            log_level: The log level.
            custom_logger: Takes the log records; the standard `logging` tree by default.

        Raises:
            SocketConnectionError: The server cannot be reached, or the connection ended too early.
            AuthenticationError: There is no such assistant, or it does not take calls from everybody.
            GatewayRegistrationError: The server did not get ready.
            RequestTimeoutError: The server did not answer.
        """
        config = AnonymousConfig(
            target_id,
            target_type,
            target_version_id,
            dict(user_variables or {}),
            conversation_id,
            log_level=log_level,
            custom_logger=custom_logger,
        )
        await self._connect(server_config, config, None, auto_login=True)

    async def connect_with_decline_push(
        self,
        push_meta_data: str | Mapping[str, Any],
        config: CredentialConfig | TokenConfig,
        *,
        server_config: TxServerConfiguration | None = None,
    ) -> None:
        """Decline the call that a push notification announced, over a connection of its own.

        Args:
            push_meta_data: The notification as it came; see `PushMetaData.parse`.
            config: The login of the user who declines.
            server_config: The server; Telnyx's production server by default.

        Raises:
            ConfigurationError: The notification announces no call.
            SocketConnectionError: The server cannot be reached, or the connection ended too early.
            AuthenticationError: The server refused the login.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
        """
        meta = _require_incoming(PushMetaData.parse(push_meta_data))
        await decline(meta, config, server_config or TxServerConfiguration(), self._timeouts)

    async def credential_login(self, credential_config: CredentialConfig) -> None:
        """Log in on an open connection, and wait for the SIP registration.

        Raises:
            AuthenticationError: The server refused the credentials; the connection stays for another try.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
            SocketConnectionError: There is no connection, or it ended.
        """
        await self._log_in(credential_config)

    async def token_login(self, token_config: TokenConfig) -> None:
        """Log in with a token on an open connection; renewing the token does not affect calls.

        Raises:
            AuthenticationError: The server refused the token; the connection stays.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
            SocketConnectionError: There is no connection, or it ended.
        """
        await self._log_in(token_config)

    async def wait_for_pushed_call(self) -> Call:
        """Return the call that the push notification given to `connect` announced; accept or reject it.

        Raises:
            InviteTimeoutError: Its INVITE did not arrive within `Timeouts.push_invite` seconds of the login.
            SocketConnectionError: The connection ended first.
            CallError: No notification was given to `connect`.
        """
        if self._connection.pushed is None:
            raise CallError("no push notification has announced a call; give it to connect()")
        return await self._connection.pushed.wait()

    async def disable_push(self) -> DisablePushResponse:
        """Ask for no more notifications on the device that the login named.

        Raises:
            ConfigurationError: The login named no device.
            RequestError: The server refused.
            RequestTimeoutError: The server did not answer.
            SocketConnectionError: There is no connection, or it ended.
        """
        result = await self._session.request(DisablePush.of(self._connection.config))
        message = str(result.get("message") or "")
        response = DisablePushResponse("success" in message.lower(), message)
        self._publisher.publish(SocketMethod.DISABLE_PUSH.value, response)
        return response

    @property
    def transcript_update_flow(self) -> SharedFlow[tuple[TranscriptItem, ...]]:
        """What was said between user and AI assistant, after each change; see `AiAssistant`."""
        return self.ai.transcript_update_flow

    async def send_ai_assistant_message(self, text: str, images: Iterable[str | bytes] = ()) -> None:
        """Say something to the AI assistant in writing; see `AiAssistant.send_message`."""
        await self.ai.send_message(text, images)

    async def drain(self, timeout: float | None = None) -> int:
        """Take no more calls, wait until the current ones end, then disconnect.

        From now on inbound calls are refused with USER_BUSY and `new_invite` raises `DrainingError`; calls that ring
        already can still be accepted. When this returns the client is disconnected, and can be connected again.
        Cancelling stops the waiting, and the client still takes no more calls until it is disconnected.

        Args:
            timeout: Seconds after which calls that are still going on are hung up; `None` waits for ever.

        Returns:
            How many calls had to be hung up.
        """
        self._calls.draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await asyncio.gather(*(call.wait_done() for call in self.calls.values()))
        late = len(self.calls)
        await self.disconnect()
        return late

    def stop_reconnecting(self) -> None:
        """Let calls end with a connection that is lost from now on, instead of making it again.

        For a client whose login another one has taken over: Telnyx rings the client that logged in last, and to log
        in again would take the new calls away from the other. A reconnection that is going on is finished.
        """
        self._connection.stand_down()

    async def disconnect(self) -> None:
        """Hang up all calls, close the connection and release the media engine."""
        was_open = self._connection.is_open
        self._connection.leave()
        try:
            await self._calls.end()
        finally:
            try:
                await self._connection.close()
            finally:
                await self._calls.release()
        if was_open:
            self._publisher.announce(SocketStatus.DISCONNECT)

    async def close(self) -> None:
        """Disconnect and end all flows; the client cannot be used afterwards."""
        try:
            await self.disconnect()
        finally:
            self._calls.close()
            self._publisher.close()
            self.connection_status_flow.close()
            self.socket_connection_metrics_flow.close()
            self.ws_message_flow.close()

    async def new_invite(
        self,
        destination_number: str = "",
        caller_name: str | None = None,
        caller_number: str | None = None,
        client_state: str | None = None,
        *,
        custom_headers: Mapping[str, str] | None = None,
        audio: AudioConfig | None = None,
        muted: bool = False,
        use_trickle_ice: bool = False,
        preferred_codecs: Sequence[AudioCodec] = (),
        call_id: str | None = None,
    ) -> Call:
        """Place a call; returns when the server has accepted the INVITE.

        The call then proceeds by itself: see `Call.wait_active` and `Call.call_state_flow`. Cancelling
        this ends the call.

        Args:
            destination_number: A phone number, a SIP address or a user. Spaces, brackets, dots and dashes in a number
                are for the eye (RFC 3966, 5.1.1), and left out. After `connect_anonymously` the assistant is called,
                whatever it is.
            caller_name: What the called side sees; by default as the credentials say.
            caller_number: What the called side sees; by default as the credentials say.
            client_state: Any text for the application on Telnyx's side.
            custom_headers: SIP headers for the called side, by convention `X-…`.
            audio: How the audio is to be written and read.
            muted: Whether the call begins muted.
            use_trickle_ice: Whether to invite at once, and send network candidates as they are found.
            preferred_codecs: The codecs that the called side shall choose from first; by default as `audio` says.
            call_id: The id of the call, a UUID; by default a new one.

        Raises:
            SocketConnectionError: The client is not logged in, or the connection ended.
            ConfigurationError: The destination, a header, a codec or the id cannot work.
            CallLimitError: There are `Limits.max_concurrent_calls` calls.
            DrainingError: The client takes no more calls.
            RequestError: The server refused the INVITE.
            CallError: The call ended meanwhile.
        """
        config = self._connection.config
        if not destination_number and not isinstance(config, AnonymousConfig):
            raise ConfigurationError("destination_number is empty", kind=ErrorCode.INVALID_CALL_PARAMETERS)
        options = MediaOptions.of(audio, muted, use_trickle_ice, preferred_codecs)
        dialog = self._calls.dialog(
            destination_number,
            caller_name=caller_name,
            caller_number=caller_number,
            client_state=client_state,
            custom_headers=custom_headers,
            preferred_codecs=options.audio.preferred_codecs,
            call_id=call_id,
        )
        return await self._calls.place(dialog, options)

    async def hold_others(self, call: Call | None = None) -> None:
        """Put all active calls on hold except `call`: before one more is answered, for example.

        Raises:
            RequestError: The server refused; that call is as it was, the others are on hold.
        """
        await self._calls.hold_others(call)

    async def swap_to(self, call: Call) -> None:
        """Put all other active calls on hold, and take `call` off hold.

        Raises:
            CallError: `call` is neither active nor on hold.
            RequestError: The server refused.
        """
        await self.hold_others(call)
        await call.unhold()

    async def accept_call(
        self,
        call_id: str,
        *,
        custom_headers: Mapping[str, str] | None = None,
        audio: AudioConfig | None = None,
        muted: bool = False,
        use_trickle_ice: bool = False,
        preferred_codecs: Sequence[AudioCodec] = (),
    ) -> Call:
        """Answer an inbound call; see `Call.accept`.

        Raises:
            CallError: There is no such call, or it does not ring.
        """
        call = self._calls.require(call_id)
        await call.accept(
            custom_headers=custom_headers,
            audio=audio,
            muted=muted,
            use_trickle_ice=use_trickle_ice,
            preferred_codecs=preferred_codecs,
        )
        return call

    async def end_call(self, call_id: str) -> None:
        """Hang up, cancel or refuse a call; see `Call.end`.

        Raises:
            CallError: There is no such call.
        """
        await self._calls.require(call_id).end()

    async def _connect(
        self,
        server: TxServerConfiguration | None,
        config: TelnyxConfig | None,
        push: PushMetaData | None,
        *,
        auto_login: bool,
    ) -> None:
        pushed: PushedCall[Call] | None = (
            None if push is None else PushedCall(_require_incoming(push), self._timeouts.push_invite)
        )
        if config is not None and auto_login:
            await self._load_ringer(config)
        self._connection.require_disconnected()
        if isinstance(config, AnonymousConfig):
            self._calls.conversation.begin()
        try:
            await self._connection.connect(server or TxServerConfiguration(), config, pushed=pushed, log_in=auto_login)
        except BaseException:
            self._calls.drop(CallNetworkChangeReason.NETWORK_LOST)
            await self.disconnect()
            raise

    async def _log_in(self, config: TelnyxConfig) -> None:
        await self._load_ringer(config)
        await self._connection.log_in(config)

    async def _load_ringer(self, config: TelnyxConfig) -> None:
        self._calls.ringer = await Ringer.load(config, self._publisher.log_of("ringer", config))


def _require_incoming(meta: PushMetaData) -> PushMetaData:
    if meta.kind is not PushKind.INCOMING_CALL:
        raise ConfigurationError(f"the push notification announces no call: {meta.kind.value}")
    return meta
