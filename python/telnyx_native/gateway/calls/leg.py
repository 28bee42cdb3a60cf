"""One leg of a call: what the gateway and one client have with each other."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.gateway.calls.hangup import bye_fields, reason_from_bye, reason_of
from telnyx_native.gateway.limits import footprint
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_native.gateway.calls.call_info import Dialog, Headers
    from telnyx_native.gateway.calls.media import LegMedia
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.stream import AudioStream

__all__ = ["Leg", "LegState", "Wire"]

logger = logging.getLogger(__name__)

DTMF_KEYS = frozenset("0123456789*#ABCD")

PAUSES = {"w": 0.5, "W": 1.0}
"""Seconds to wait before the next key (FreeSWITCH, "send_dtmf")."""

MOST_KEYS_WAITING = 256
"""Keys and pauses that may stand behind a pause; more are left out."""

LONGEST_KEY_SEQUENCE = 64
"""DTMF keys taken from one message."""

MOST_UNREAD = 2 << 20
"""Bytes of texts, and of messages to an assistant, that a collector may fall behind before it loses the oldest."""


class LegState(enum.Enum):
    """How far a leg is."""

    NEW = "new"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class Wire(Protocol):
    """The socket of the client at the other end of a leg."""

    @property
    def user_name(self) -> str:
        """Who is logged in there."""

    @property
    def account(self) -> object:
        """On whose behalf the client is there: a user, or the assistant that a guest came for."""

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a request whose acknowledgement nobody waits for. Does nothing when the socket is gone."""


class Leg:
    """A call between the gateway and one client. Either side can end it, at any time, once.

    Attributes:
        dialog: Who calls whom.
        state: How far the leg is; its flow ends with the leg.
        held: Whether the client has put the call on hold; its flow ends with the leg.
        keys: The DTMF keys the client presses, one by one; the flow ends with the leg.
        texts: The text messages the client sends in the call: `from`, `to`, `body`; the flow ends with the leg.
        items: What the client says to an assistant beside the audio; the flow ends with the leg.
        remote_headers: SIP headers of the other side of the call, which the client is told.
        repeats_tools: Whether an assistant asks for each of the client's tools twice, on purpose.
        media: Its audio.
    """

    cause_before_answer = HangupCause.CALL_REJECTED
    """What it means that the client hangs up before the answer, if it does not say."""

    display_direction = "outbound"
    """Which way the call goes, seen from the gateway."""

    def __init__(self, wire: Wire, dialog: Dialog, media: LegMedia, on_end: Callable[[Leg], None]) -> None:
        self.dialog = dialog
        self.state: StateFlow[LegState] = StateFlow(LegState.NEW)
        self.held: StateFlow[bool] = StateFlow(False)
        self.keys: SharedFlow[str] = SharedFlow()
        self.texts: SharedFlow[Mapping[str, Any]] = SharedFlow(capacity=MOST_UNREAD, weigh=footprint)
        self.items: SharedFlow[Mapping[str, Any]] = SharedFlow(capacity=MOST_UNREAD, weigh=footprint)
        self.remote_headers: Headers = ()
        self.repeats_tools = False
        self.media = media
        media.renew = self._renew_media
        self._wire = wire
        self._on_end = on_end
        self._reason: CallTerminationReason | None = None
        self._keys_waiting: deque[str] = deque()
        self._pausing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        dialog = self.dialog
        return f"<{type(self).__name__} {dialog.caller.number} -> {dialog.callee.number}: {self.state}>"

    @property
    def call_id(self) -> str:
        """The id client and gateway share for the call."""
        return self.dialog.call_id

    @property
    def user_name(self) -> str:
        """Whose client it is."""
        return self._wire.user_name

    @property
    def account(self) -> object:
        """On whose behalf its client is there."""
        return self._wire.account

    @property
    def reason(self) -> CallTerminationReason | None:
        """Why the leg ended; `None` while it has not."""
        return self._reason

    @property
    def peer(self) -> Peer:
        """The media peer; a MediaError before the audio is there."""
        return self.media.peer

    @property
    def audio(self) -> AudioStream:
        """The audio: what is written is heard by the client, what it says can be read."""
        return self.media.peer.audio

    def fields(self) -> dict[str, Any]:
        """Return what `ringing`, `invite` and `attach` tell the client about the call."""
        return self.dialog.fields(self.remote_headers) | {"display_direction": self.display_direction}

    async def wait_ended(self, timeout: float | None = None) -> CallTerminationReason:
        """Wait until the leg is over, whoever ends it; return why.

        Raises:
            WaitTimeoutError: It is not over within `timeout` seconds.
        """
        await self.state.wait_for(LegState.ENDED, timeout=timeout)
        assert self._reason is not None  # noqa: S101 - set with the state
        return self._reason

    async def hang_up(self, cause: HangupCause = HangupCause.NORMAL_CLEARING) -> None:
        """End the call from the gateway's side."""
        await self.end(reason_of(cause))

    async def end(self, reason: CallTerminationReason) -> None:
        """End the call from the gateway's side, for `reason`. A leg that is over stays as it is."""
        if self._finish(reason):
            await self._wire.notify(
                "telnyx_rtc.bye",
                {
                    "callID": self.call_id,
                    **bye_fields(reason),
                    "sip_call_id": self.dialog.ids.leg_id,
                    "dialogParams": {"custom_headers": []},
                    **({"client_state": self.dialog.client_state} if self.dialog.client_state else {}),
                },
            )
        await self.media.close()

    def ended_by_client(self, params: dict[str, Any]) -> CallTerminationReason:
        """Take note that the client has ended the call; `close` is still due.

        Clients say USER_BUSY for a cancelled call as for a rejected one, and some for every call: before the
        answer the direction tells which it is, after it that cause has no meaning.
        """
        answered = self.state.value is LegState.ANSWERED
        reason = reason_from_bye(params, HangupCause.NORMAL_CLEARING if answered else self.cause_before_answer)
        if answered and reason.cause == HangupCause.USER_BUSY.name:
            reason = reason_of(HangupCause.NORMAL_CLEARING)
        self._finish(self._seen_from_outside(reason))
        return reason

    def hold(self, held: bool) -> None:
        """Take note that the client holds the call, or holds it no more: meanwhile it neither hears nor is heard."""
        if self.state.value is LegState.ANSWERED:
            self.audio.muted = held
            self.peer.hold(held)
        self.held.set(held)

    def receive_keys(self, keys: str) -> None:
        """Take DTMF keys of the client, and pauses between them (`w`, `W`); what is neither is left out."""
        for key in keys[:LONGEST_KEY_SEQUENCE]:
            if len(self._keys_waiting) < MOST_KEYS_WAITING:
                self._keys_waiting.append(key)
        if self._pausing is None or self._pausing.done():
            self._press_until_a_pause()

    def _press_until_a_pause(self) -> None:
        while self._keys_waiting:
            key = self._keys_waiting.popleft()
            if key in PAUSES:
                self._pausing = asyncio.create_task(self._pause(PAUSES[key]))
                return
            if key.upper() in DTMF_KEYS:
                self.keys.emit(key.upper())

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._press_until_a_pause()

    async def show_party(self, name: str, number: str) -> None:
        """Tell the client that somebody else is at the other end now, as after a transfer."""
        if self._reason is None:
            shown = {"callID": self.call_id, "display_name": name, "display_number": number}
            await self._notify("telnyx_rtc.display", shown | {"display_direction": self.display_direction})

    async def send_text(self, message: Mapping[str, Any]) -> None:
        """Send the client a text message in the call: `from`, `to`, `body`."""
        if self._reason is None:
            await self._notify("telnyx_rtc.info", {"callID": self.call_id, "msg": dict(message)})

    async def send_ai_message(self, params: Mapping[str, Any]) -> None:
        """Send what an assistant says beside the audio; nothing is said on a leg that is over."""
        if self._reason is None:
            await self._notify("ai_conversation", params)

    def adopt(self, wire: Wire, on_end: Callable[[Leg], None]) -> None:
        """Hand the call to another socket of its client; `move_media` brings its audio there.

        Args:
            wire: That socket.
            on_end: Called with the leg when it is over, instead of what was before.
        """
        self._wire, self._on_end = wire, on_end

    async def move_media(self, copies: int = 1) -> None:
        """Offer the client another address for the audio, which goes the old way until the new one stands.

        Args:
            copies: How often it is told so.

        Raises:
            MediaError: The audio cannot be offered.
        """
        sdp = await self.media.offer_anew()
        for _ in range(copies):
            await self.attach(sdp)

    async def attach(self, sdp: str) -> None:
        """Send the client an offer for audio that goes another way."""
        await self._notify("telnyx_rtc.attach", self.fields() | {"sdp": sdp, "variables": {}})

    async def _renew_media(self) -> None:
        if self.state.value is LegState.ANSWERED:
            logger.warning("DTLS has failed in a call of %s; another path is offered", self.user_name)
            await self.move_media()

    async def lost(self) -> None:
        """End the leg because the client's socket is gone."""
        self._finish(reason_of(HangupCause.DESTINATION_OUT_OF_ORDER))
        await self.media.close()

    async def close(self) -> None:
        """Free the audio of a leg that is over."""
        await self.media.close()

    async def _notify(self, method: str, params: Mapping[str, Any]) -> None:
        await self._wire.notify(method, params)

    def _be_answered(self) -> None:
        """Count a call that rings as answered."""
        if self.state.value is LegState.RINGING:
            self.state.set(LegState.ANSWERED)
            if self.held.value:
                self.hold(True)

    def _seen_from_outside(self, reason: CallTerminationReason) -> CallTerminationReason:
        """Return what the client's reason means to the other side of the call."""
        return reason

    def _finish(self, reason: CallTerminationReason) -> bool:
        """End the leg's life; return whether it had one."""
        if self._reason is not None:
            return False
        self._reason = reason
        logger.info("%s -> %s ended: %s", self.dialog.caller.number, self.dialog.callee.number, reason)
        self._keys_waiting.clear()
        if self._pausing is not None:
            self._pausing.cancel()
        self.state.set(LegState.ENDED)
        self.state.close()
        self.held.close()
        self.keys.close()
        self.texts.close()
        self.items.close()
        self._on_end(self)
        return True
