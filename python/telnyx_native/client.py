"""The client: connects, logs in, places and receives calls."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from telnyx_native.call import Call
from telnyx_native.config import AudioConfig, PeerConfig, Timeouts, TxServerConfiguration
from telnyx_native.errors import CallError, ConfigurationError, SocketConnectionError, TelnyxError
from telnyx_native.events import (
    CallEvent,
    ClientReadyResponse,
    InviteResponse,
    LoginResponse,
    ReceivedMessageBody,
    ReceivedResult,
    SocketMethod,
    SocketResponse,
    SocketStatus,
)
from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.logs import Log
from telnyx_native.signaling.envelope import new_id
from telnyx_native.signaling.messages import Dialog
from telnyx_native.signaling.session import Session
from telnyx_native.states import CallDirection, CallNetworkChangeReason, ConnectionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.config import CredentialConfig
    from telnyx_native.media.engine import MediaEngine
    from telnyx_native.media.peer import Peer

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

    Attributes:
        incoming_calls: Inbound calls, ringing; collect before they can arrive.
        socket_response_flow: Everything that happens on the connection.
    """

    def __init__(self, *, timeouts: Timeouts | None = None) -> None:
        self.incoming_calls: SharedFlow[Call] = SharedFlow()
        self.socket_response_flow: SharedFlow[SocketResponse] = SharedFlow()
        self._timeouts = timeouts or Timeouts()
        self._session = Session(self._timeouts, self)
        self._calls: dict[str, Call] = {}
        self._burials: set[asyncio.Task[None]] = set()
        self._server = TxServerConfiguration()
        self._credentials: CredentialConfig | None = None
        self._engine: MediaEngine | None = None
        self._log = Log("client")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @property
    def connection_status_flow(self) -> StateFlow[ConnectionStatus]:
        """How far the client is with its server."""
        return self._session.status

    @property
    def calls(self) -> Mapping[str, Call]:
        """The calls that are not over, by call id in lower case."""
        return MappingProxyType(self._calls)

    async def connect(
        self,
        server_config: TxServerConfiguration | None = None,
        credential_config: CredentialConfig | None = None,
        *,
        auto_login: bool = True,
    ) -> None:
        """Connect to a server and log in; on return calls can be placed and received.

        If it fails, nothing of it is left.

        Args:
            server_config: The server; Telnyx's production server by default.
            credential_config: Who logs in, and what is logged. Without it, only the connection is made.
            auto_login: Whether to log in at once; if not, `credential_login` does it later.

        Raises:
            SocketConnectionError: The server cannot be reached, or the connection ended too early.
            AuthenticationError: The server refused the credentials.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
        """
        if self._session.is_open:
            raise SocketConnectionError("the client is connected already; disconnect first")
        self._server = server_config or TxServerConfiguration()
        if credential_config is not None:
            self._log = Log("client", credential_config.log_level, credential_config.custom_logger)
        try:
            await self._open()
            if credential_config is not None and auto_login:
                await self.credential_login(credential_config)
        except BaseException:
            await self.disconnect()
            raise

    async def credential_login(self, credential_config: CredentialConfig) -> None:
        """Log in on a connection that stands, and wait for the SIP registration.

        Raises:
            AuthenticationError: The server refused the credentials; the connection stays for another try.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
            SocketConnectionError: There is no connection, or it ended.
        """
        self._log = Log("client", credential_config.log_level, credential_config.custom_logger)
        try:
            await self._session.login(credential_config)
        except TelnyxError as error:
            if self._session.is_open:  # a lost connection was reported by `on_lost`
                self._report(error)
            raise
        self._credentials = credential_config
        self._log.info(f"logged in as {credential_config.sip_user}")
        self._publish(SocketMethod.LOGIN.value, LoginResponse(self._session.session_id))
        self._publish(SocketMethod.CLIENT_READY.value, ClientReadyResponse())

    async def disconnect(self) -> None:
        """Hang up all calls, close the connection and free the media. Does nothing when there is nothing."""
        was_open = self._session.is_open
        for call in list(self._calls.values()):
            call.hang_up()
        try:
            if self._burials:
                await asyncio.wait(self._burials)
        finally:
            try:
                await self._session.close()
            finally:
                await self._release_engine()
        if was_open:
            self.socket_response_flow.emit(SocketResponse(SocketStatus.DISCONNECT))

    async def close(self) -> None:
        """Disconnect and end all flows; the client is of no use afterwards."""
        try:
            await self.disconnect()
        finally:
            self.incoming_calls.close()
            self.socket_response_flow.close()
            self.connection_status_flow.close()

    async def new_invite(
        self,
        destination_number: str,
        caller_name: str | None = None,
        caller_number: str | None = None,
        client_state: str | None = None,
        *,
        custom_headers: Mapping[str, str] | None = None,
        audio: AudioConfig | None = None,
    ) -> Call:
        """Place a call; returns when the server has taken the invitation.

        The call goes on from there by itself: see `Call.wait_active` and `Call.call_state_flow`. Cancelling
        this ends the call.

        Args:
            destination_number: A phone number, a SIP address or a user.
            caller_name: What the called side sees; by default as the credentials say.
            caller_number: What the called side sees; by default as the credentials say.
            client_state: Any text for the application on Telnyx's side.
            custom_headers: SIP headers for the called side, by convention `X-…`.
            audio: How the audio is to be written and read.

        Raises:
            SocketConnectionError: The client is not logged in, or the connection ended.
            ConfigurationError: The destination or a header cannot work.
            RequestError: The server refused the invitation.
            CallError: The call ended meanwhile.
        """
        if self.connection_status_flow.value is not ConnectionStatus.CLIENT_READY:
            raise SocketConnectionError("the client is not logged in; connect first")
        if not destination_number:
            raise ConfigurationError("destination_number is empty")
        dialog = Dialog(
            call_id=new_id(),
            destination_number=destination_number,
            caller_name=self._caller(caller_name, "sip_caller_id_name"),
            caller_number=self._caller(caller_number, "sip_caller_id_number"),
            client_state=client_state,
            custom_headers=dict(custom_headers or {}),
        )
        call = self._add_call(dialog, CallDirection.OUTBOUND)
        await call.place(audio or AudioConfig())
        return call

    async def accept_call(
        self,
        call_id: str,
        *,
        custom_headers: Mapping[str, str] | None = None,
        audio: AudioConfig | None = None,
    ) -> Call:
        """Answer an inbound call; see `Call.accept`.

        Raises:
            CallError: There is no such call, or it does not ring.
        """
        call = self._require_call(call_id)
        await call.accept(custom_headers=custom_headers, audio=audio)
        return call

    async def end_call(self, call_id: str) -> None:
        """Hang up, cancel or refuse a call; see `Call.end`.

        Raises:
            CallError: There is no such call.
        """
        await self._require_call(call_id).end()

    # What the session and the calls tell the client.

    def on_message(self, method: str, result: ReceivedResult | None) -> bool:
        """Take a message of the server: publish it and lead it to its call."""
        self._publish(method, result)
        match result:
            case InviteResponse():
                return self._ring(result)
            case CallEvent(call_id=call_id) if call := self._calls.get(call_id.lower()):
                call.handle(result)
                return True
            case CallEvent():
                self._log.debug(f"{method} for a call that is not known: {result.call_id}")
        return False

    def on_lost(self, error: SocketConnectionError) -> None:
        """The connection is gone: so are the calls."""
        self._report(error)
        for call in list(self._calls.values()):
            call.lose_network(CallNetworkChangeReason.NETWORK_LOST)
        self.socket_response_flow.emit(SocketResponse(SocketStatus.DISCONNECT))

    def create_peer(self, audio: AudioConfig) -> Peer:
        """Make the media end of a call; the first one starts the media engine."""
        if self._engine is None:
            from telnyx_native.media.engine import MediaEngine

            self._engine = MediaEngine.acquire()
        config = PeerConfig(self._server.ice_servers, loopback=self._server.is_local)
        return self._engine.create_peer(config, audio)

    def on_call_ended(self, call: Call, burial: asyncio.Task[None]) -> None:
        """Forget a call, but see to its end."""
        self._calls.pop(call.call_id.lower(), None)
        self._burials.add(burial)
        burial.add_done_callback(self._burials.discard)

    async def _open(self) -> None:
        self.socket_response_flow.emit(SocketResponse(SocketStatus.LOADING))
        try:
            await self._session.open(self._server, self._log.child("socket"))
        except TelnyxError as error:
            self._report(error)
            raise
        self._log.info(f"connected to {self._server.url}")
        self.socket_response_flow.emit(SocketResponse(SocketStatus.ESTABLISHED))

    async def _release_engine(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.release()

    def _ring(self, invite: InviteResponse) -> bool:
        if invite.call_id.lower() in self._calls:
            self._log.debug(f"the invitation of call {invite.call_id} came twice")
            return True
        dialog = Dialog(
            call_id=invite.call_id,
            destination_number=invite.callee_id_number,
            caller_name=invite.caller_id_name,
            caller_number=invite.caller_id_number,
            client_state=invite.client_state,
        )
        call = self._add_call(dialog, CallDirection.INBOUND)
        call.handle(invite)
        call.ring(invite.sdp)
        self.incoming_calls.emit(call)
        return True

    def _add_call(self, dialog: Dialog, direction: CallDirection) -> Call:
        call = Call(
            dialog,
            direction,
            host=self,
            signaling=self._session,
            timeouts=self._timeouts,
            log=self._log.child("call"),
        )
        self._calls[dialog.call_id.lower()] = call
        return call

    def _require_call(self, call_id: str) -> Call:
        call = self._calls.get(call_id.lower())
        if call is None:
            raise CallError(f"there is no call {call_id}, or it is over")
        return call

    def _caller(self, given: str | None, default: str) -> str:
        return given if given is not None else getattr(self._credentials, default, None) or ""

    def _publish(self, method: str, result: ReceivedResult | None) -> None:
        body = ReceivedMessageBody(method, result)
        self.socket_response_flow.emit(SocketResponse(SocketStatus.MESSAGERECEIVED, body))

    def _report(self, error: TelnyxError) -> None:
        self._log.error(str(error))
        self.socket_response_flow.emit(
            SocketResponse(SocketStatus.ERROR, error_message=str(error), error_code=error.code)
        )
