"""Legs of calls: one between the gateway and each client, the caller's and the callee's."""

from __future__ import annotations

import asyncio
import enum
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from telnyx_native.errors import CallError
from telnyx_native.event_loop import running
from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.gateway.calls.call_info import Party, bye_fields, headers_to_wire, reason_from_bye, reason_of
from telnyx_native.gateway.calls.dtmf import SignalledKeys
from telnyx_native.gateway.destinations.sounds import NetworkTone, rendered
from telnyx_native.gateway.limits import memory_size
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from telnyx_native.gateway.calls.call_info import CallInfo, Headers, Reason
    from telnyx_native.gateway.calls.media import LegMedia
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.stream import AudioStream

__all__ = ["CalleeLeg", "CallerLeg", "Client", "Leg", "LegState"]

logger = logging.getLogger(__name__)

MOST_UNREAD = 2 << 20
"""Bytes of texts, and of messages to an assistant, that a collector may fall behind before it loses the oldest."""


class LegState(enum.Enum):
    """How far a leg is."""

    NEW = "new"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class Client(Protocol):
    """The client at the other end of a leg."""

    @property
    def user_name(self) -> str:
        """The user that is logged in."""

    @property
    def account(self) -> object:
        """On whose behalf the client is connected: a user, or the assistant that a guest came for."""

    @property
    def early_description(self) -> bool:
        """Whether it wants the audio of its calls described while they ring."""
        return False

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a request whose acknowledgement nobody waits for. Does nothing when the connection is gone."""


class Leg:
    """A call between the gateway and one client. Either side can end it, at any time, once.

    Attributes:
        info: Caller, callee and the ids of the call.
        state: How far the leg is; its flow ends with the leg.
        held: Whether the client has put the call on hold; its flow ends with the leg.
        keys: The DTMF keys the client presses, one by one; the flow ends with the leg.
        texts: The text messages the client sends in the call: `from`, `to`, `body`; the flow ends with the leg.
        items: What the client says to an assistant beside the audio; the flow ends with the leg.
        remote_headers: SIP headers of the other side of the call, which the client is told.
        follows_assistant: Whether the client wants to be told of an assistant's audio before it is played.
        repeats_tools: Whether an assistant asks for each of the client's tools twice, on purpose.
        media: Its audio.
    """

    cause_before_answer = HangupCause.CALL_REJECTED
    """What it means that the client hangs up before the answer, if it does not say."""

    display_direction = "outbound"
    """Which way the call goes, seen from the gateway."""

    def __init__(self, client: Client, info: CallInfo, media: LegMedia, on_end: Callable[[Leg], None]) -> None:
        self.info = info
        self._signalled = SignalledKeys()
        self.state: StateFlow[LegState] = StateFlow(LegState.NEW)
        self.held: StateFlow[bool] = StateFlow(False)
        self.keys = self._signalled.flow
        self.texts: SharedFlow[Mapping[str, Any]] = SharedFlow(capacity=MOST_UNREAD, weigh=memory_size)
        self.items: SharedFlow[Mapping[str, Any]] = SharedFlow(capacity=MOST_UNREAD, weigh=memory_size)
        self.remote_headers: Headers = ()
        self.repeats_tools = False
        self.follows_assistant = False
        self.media = media
        media.renew = self._renew_media
        self._client = client
        self._on_end = on_end
        self._reason: CallTerminationReason | None = None

    def __repr__(self) -> str:
        info = self.info
        return f"<{type(self).__name__} {info.caller.number} -> {info.callee.number}: {self.state}>"

    @property
    def call_id(self) -> str:
        """The id client and gateway share for the call."""
        return self.info.call_id

    @property
    def user_name(self) -> str:
        """Whose client it is."""
        return self._client.user_name

    @property
    def party(self) -> Party:
        """Who its client is, as the other side sees it."""
        return Party(self.user_name, self.info.callee.number)

    @property
    def account(self) -> object:
        """On whose behalf its client is connected."""
        return self._client.account

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
        return self.info.fields(self.remote_headers) | {"display_direction": self.display_direction}

    async def wait_ended(self, timeout: float | None = None) -> CallTerminationReason:
        """Wait until the leg is over; return why.

        Raises:
            WaitTimeoutError: It is not over within `timeout` seconds.
        """
        await self.state.wait_for(LegState.ENDED, timeout=timeout)
        assert self._reason is not None  # noqa: S101 - set with the state
        return self._reason

    async def hang_up(self, reason: Reason = HangupCause.NORMAL_CLEARING) -> None:
        """End the call from the gateway's side. A leg that is over stays as it is."""
        if self._finish(reason := reason_of(reason)):
            await self._client.notify(
                "telnyx_rtc.bye",
                {
                    "callID": self.call_id,
                    **bye_fields(reason),
                    "sip_call_id": self.info.ids.leg_id,
                    "dialogParams": {"custom_headers": []},
                    **({"client_state": self.info.client_state} if self.info.client_state else {}),
                },
            )
        await self.media.close()

    def ended_by_client(self, params: dict[str, Any]) -> CallTerminationReason:
        """End the leg, since the client has hung up; `close` is still due.

        Clients say USER_BUSY for a cancelled call as for a rejected one, and some for every call: before the
        answer the direction tells which it is, after it that cause has no meaning.
        """
        answered = self.state.value is LegState.ANSWERED
        reason = reason_from_bye(params, HangupCause.NORMAL_CLEARING if answered else self.cause_before_answer)
        if answered and reason.cause == HangupCause.USER_BUSY.name:
            reason = reason_of(HangupCause.NORMAL_CLEARING)
        self._finish(self._reason_for_others(reason))
        return reason

    def hold(self, held: bool) -> None:
        """Put the call on hold, or resume it, as the client asks: on hold the client neither hears nor is heard."""
        if self.state.value is LegState.ANSWERED:
            self.audio.muted = held
            self.peer.hold(held)
        self.held.set(held)

    def receive_keys(self, keys: str) -> None:
        """Take DTMF keys of the client, and pauses between them (`w`, `W`); what is neither is left out."""
        self._signalled.receive(keys)

    async def send_display(self, name: str, number: str) -> None:
        """Show the client another remote party, as after a transfer."""
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

    def reattach(self, client: Client, on_end: Callable[[Leg], None]) -> None:
        """Hand the call to another connection of its client; `move_media` brings its audio there.

        Args:
            client: That connection.
            on_end: Called with the leg when it is over, instead of what was before.
        """
        self._client, self._on_end = client, on_end

    async def move_media(self, copies: int = 1) -> None:
        """Offer the client another address for the audio, which goes the old way until the new one stands.

        Args:
            copies: How often it is told so.

        Raises:
            MediaError: The audio cannot be offered.
        """
        sdp = await self.media.offer_new_path()
        for _ in range(copies):
            await self.send_attach(sdp)

    async def send_attach(self, sdp: str) -> None:
        """Send the client an offer for audio that goes another way."""
        await self._notify("telnyx_rtc.attach", self.fields() | {"sdp": sdp, "variables": {}})

    async def _renew_media(self) -> None:
        if self.state.value is LegState.ANSWERED:
            logger.warning("DTLS has failed in a call of %s; another path is offered", self.user_name)
            await self.move_media()

    async def abort(self) -> None:
        """End the leg at once, without telling the client: its connection is gone."""
        self._finish(reason_of(HangupCause.DESTINATION_OUT_OF_ORDER))
        await self.media.close()

    async def close(self) -> None:
        """Free the audio of a leg that is over."""
        await self.media.close()

    async def _notify(self, method: str, params: Mapping[str, Any]) -> None:
        await self._client.notify(method, params)

    def mark_answered(self) -> None:
        """Mark a ringing call as answered."""
        if self.state.value is LegState.RINGING:
            self.state.set(LegState.ANSWERED)
            if self.held.value:
                self.hold(True)

    def _reason_for_others(self, reason: CallTerminationReason) -> CallTerminationReason:
        """Return what the client's reason means to the other side of the call."""
        return reason

    def _finish(self, reason: CallTerminationReason) -> bool:
        """End the leg; return whether it was not over yet."""
        if self._reason is not None:
            return False
        self._reason = reason
        logger.info("%s -> %s ended: %s", self.info.caller.number, self.info.callee.number, reason)
        self.state.set(LegState.ENDED)
        self.state.close()
        self.held.close()
        self._signalled.close()
        self.texts.close()
        self.items.close()
        self._on_end(self)
        return True


DESCRIPTION_DELAY = 0.5
"""Seconds between an answer and its description, where that comes late on purpose."""


class CallerLeg(Leg):
    """A call that a client places: the gateway lets it ring, answers it or ends it.

    Attributes:
        describes_late: Whether it is answered without a description, which follows, on purpose.
    """

    cause_before_answer = HangupCause.ORIGINATOR_CANCEL
    display_direction = "inbound"

    def __init__(
        self, client: Client, info: CallInfo, media: LegMedia, on_end: Callable[[Leg], None], *, offer: str
    ) -> None:
        super().__init__(client, info, media, on_end)
        self._offer = offer
        self._has_early_media = False
        self.describes_late = False

    async def ring(self) -> None:
        """Tell the client that the called side is being alerted. Once, and not after the answer.

        Raises:
            MediaError: The client wants its audio described now, and its offer cannot be used.
        """
        if self.state.value is LegState.NEW:
            self.state.set(LegState.RINGING)
            await self._notify("telnyx_rtc.ringing", self.fields())
            if self._client.early_description:
                await self.begin_early_media()

    async def begin_early_media(self) -> None:
        """Let the client hear something before the answer; rings first if the call does not ring yet.

        Does nothing when it hears something already.

        Raises:
            MediaError: The client's offer cannot be used, or the leg is over.
        """
        if self._has_early_media or self.state.value is LegState.ANSWERED:
            return
        await self.ring()
        sdp = await self._answer_offer()
        self._has_early_media = True
        await self._notify_of_audio("telnyx_rtc.media", {"sdp": sdp})

    async def answer(self) -> None:
        """Answer the call; audio flows as soon as it is connected. Does nothing when it is answered.

        Rings first if the call does not ring yet: clients learn the ids of the call from that.

        Raises:
            MediaError: The client's offer cannot be used, or the leg is over.
        """
        if self.state.value is LegState.ANSWERED:
            return
        await self.ring()
        # After early media, the client has our description already.
        description = {} if self._has_early_media else {"sdp": await self._answer_offer()}
        late = self.describes_late and bool(description)
        await self._notify_of_audio("telnyx_rtc.answer", {} if late else description)
        if late:
            await asyncio.sleep(DESCRIPTION_DELAY)
            await self._notify_of_audio("telnyx_rtc.media", description)
        self.mark_answered()

    async def _answer_offer(self) -> str:
        offer, self._offer = self._offer, ""  # nobody needs it a second time
        return await self.media.answer(offer)

    @property
    def party(self) -> Party:
        """Who its client is, as the other side sees it."""
        return self.info.caller

    @asynccontextmanager
    async def ringback(self) -> AsyncIterator[None]:
        """Let the client hear a ringback tone, if it can hear anything yet, until the context ends."""
        if not self._has_early_media and self.state.value is not LegState.ANSWERED:
            yield
            return
        try:
            async with running(self._ring_audibly()):
                yield
        finally:
            self.audio.clear()

    async def _ring_audibly(self) -> None:
        period = await rendered(NetworkTone(), self.audio.sample_rate)
        while True:
            await self.audio.write(period.data)

    async def _notify_of_audio(self, method: str, description: Mapping[str, str]) -> None:
        if self.state.value is LegState.RINGING:
            await self._notify(
                method,
                {
                    "callID": self.call_id,
                    **description,
                    "dialogParams": {"custom_headers": headers_to_wire(self.remote_headers)},
                    "variables": {},
                    **self.info.ids.fields(),
                },
            )

    def _reason_for_others(self, reason: CallTerminationReason) -> CallTerminationReason:
        # Whatever cause the client gives, a caller who leaves before the answer has cancelled.
        return reason if self.state.value is LegState.ANSWERED else reason_of(HangupCause.ORIGINATOR_CANCEL)


class CalleeLeg(Leg):
    """A call that the gateway places to a client: the client answers it or rejects it.

    Attributes:
        answer_headers: SIP headers that the client has sent with its answer.
    """

    def __init__(self, client: Client, info: CallInfo, media: LegMedia, on_end: Callable[[Leg], None]) -> None:
        super().__init__(client, info, media, on_end)
        self.remote_headers = info.headers
        self.answer_headers: Headers = ()

    async def invite(self) -> None:
        """Offer the call to the client, which begins to ring.

        Raises:
            MediaError: The audio cannot be offered.
        """
        sdp = await self.media.offer()
        if self.state.value is LegState.NEW:
            self.state.set(LegState.RINGING)
            await self._notify(
                "telnyx_rtc.invite",
                self.fields() | {"sdp": sdp, "variables": {}},
            )

    async def accept(self, sdp: str, headers: Headers = ()) -> None:
        """Take the client's answer.

        Args:
            sdp: Its description.
            headers: SIP headers that it comes with.

        Raises:
            CallError: The call does not ring.
            MediaError: The answer cannot be used.
        """
        if self.state.value is not LegState.RINGING:
            raise CallError(f"the call cannot be answered: it is {self.state.value.value}")
        await self.media.accept(sdp)
        self.answer_headers = headers

    async def wait_settled(self) -> CalleeLeg:
        """Wait until the client has answered or the leg is over; return the leg."""
        await self.state.wait_for(lambda state: state in {LegState.ANSWERED, LegState.ENDED})
        return self

    async def wait_answered(self, timeout: float = 30.0) -> None:
        """Wait until the client has answered and audio flows.

        Args:
            timeout: Limit in seconds.

        Raises:
            CallError: The call ended instead; the message says why.
            WaitTimeoutError: The client has not answered in time.
            MediaError: The client answered, but the audio was not connected in time.
        """
        await self.state.wait_for(lambda state: state in {LegState.ANSWERED, LegState.ENDED}, timeout=timeout)
        if self.reason is not None:
            raise CallError(f"the call was not answered: {self.reason}")
        await self.peer.wait_connected(timeout)
