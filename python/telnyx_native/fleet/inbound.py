"""Inbound calls of the fleet: what webhooks tell becomes requests for slots, and decisions become commands."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from telnyx_native.event_loop import Tasks
from telnyx_native.fleet.dispatch_terms import Action, Assign, Drop, Expire, Position, Refuse
from telnyx_native.untrusted_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.fleet.settings import VoiceApiSettings
    from telnyx_native.fleet.webhooks import CallWebhook

__all__ = ["Commands", "InboundCall", "InboundCalls"]

logger = logging.getLogger(__name__)

PARALLEL_COMMANDS = 50
"""Commands that are under way at the same time; more wait."""

NOT_THERE = frozenset({404, 422})
"""Status codes of commands to a call that has ended, or that makes no sense: no worker is to blame."""

ENDED = 10_000
"""Legs that have ended and are remembered, the latest: what tells of their beginning may come after it."""

CALLER_LEG = "X-Caller-Leg"
"""The SIP header in which a worker is told the `call_control_id` of its caller, see `Call.transfer`."""

KEPT = ("call_id", "control_id", "caller", "answered", "served")
"""What a control that follows needs to know of a call."""


class Commands(Protocol):
    """The commands of the Voice API: those of the `telnyx` package, which raise what it raises."""

    async def answer(self, call_control_id: str, **parameters: Any) -> Any:
        """Answer a call."""

    async def transfer(self, call_control_id: str, **parameters: Any) -> Any:
        """Have a call ring elsewhere, and connected when that answers."""

    async def start_playback(self, call_control_id: str, **parameters: Any) -> Any:
        """Play a sound to the caller."""

    async def reject(self, call_control_id: str, **parameters: Any) -> Any:
        """Refuse a call that was not answered."""

    async def hangup(self, call_control_id: str, **parameters: Any) -> Any:
        """End a call."""


class Dispatch(Protocol):
    """What gives calls to workers: `Dispatcher` with a clock, whose actions are carried out."""

    def request(self, call_id: str, caller: str) -> None:
        """Ask for a slot."""

    def confirm(self, call_id: str) -> None:
        """The call was answered by its worker."""

    def fail(self, call_id: str) -> None:
        """The worker did not take the call: another one shall, or it is refused."""

    def release(self, call_id: str) -> None:
        """The call has ended."""


@dataclass
class InboundCall:
    """A call that the network parked for the fleet.

    Attributes:
        call_id: Its session id, which its legs have in common.
        control_id: What commands about the caller's leg are sent to.
        caller: The number that calls.
        answered: Whether it was answered, so that its caller hears something while waiting.
        served: Whether it was connected with a worker.
        position: Its place in the queue; 0 if it does not wait.
        order: Lets its commands go out one after the other.
    """

    call_id: str
    control_id: str
    caller: str = field(repr=False)
    answered: bool = False
    served: bool = False
    position: int = 0
    order: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False, compare=False)


class InboundCalls:
    """Carries inbound calls between the network and the dispatcher.

    Args:
        settings: How inbound calls come.
        dispatch: Gives them to workers.
        commands: The Voice API.
        on_change: Called when a call is new, was changed, or is over; for who remembers them.

    Attributes:
        calls: Those that are not over, by call id.
        failed: Commands that failed so far.
    """

    def __init__(
        self,
        settings: VoiceApiSettings,
        dispatch: Dispatch,
        commands: Commands,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.calls: dict[str, InboundCall] = {}
        self.failed = 0
        self._settings = settings
        self._dispatch = dispatch
        self._commands = commands
        self._on_change = on_change
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._room = asyncio.Semaphore(PARALLEL_COMMANDS)
        self._tasks = Tasks()

    async def close(self) -> None:
        """Send no more commands."""
        await self._tasks.close()

    # What the network tells.

    def take(self, webhook: CallWebhook) -> None:
        """Take an event of a call."""
        call = self.calls.get(webhook.session_id)
        if webhook.type == "call.hangup":
            self._ended[webhook.control_id] = None
            if len(self._ended) > ENDED:
                self._ended.popitem(last=False)
        match webhook.type:
            case "call.initiated" if webhook.control_id in self._ended:
                logger.info("call %s: it was over before it began", webhook.session_id)
            case "call.initiated" if webhook.direction == "incoming" and call is None:
                call = self.calls[webhook.session_id] = InboundCall(
                    webhook.session_id, webhook.control_id, webhook.caller
                )
                self._on_change()
                self._dispatch.request(call.call_id, call.caller)
            case "call.bridged" if call is not None and not call.served:
                call.served = True
                self._on_change()
                self._dispatch.confirm(call.call_id)
            case "call.hangup" if call is not None and webhook.control_id == call.control_id:
                self._forget(call)
            case "call.hangup" if call is not None and not call.served:
                cause = one_line(str(webhook.payload.get("hangup_cause")))
                logger.info("call %s: worker did not take it: %s", call.call_id, cause)
                self._dispatch.fail(call.call_id)

    def remember(self, calls: list[dict[str, Any]]) -> None:
        """Go on with calls that an earlier process knew: those that were not connected ask for a slot again."""
        for values in calls:
            call = InboundCall(**values)
            self.calls[call.call_id] = call
            if not call.served:
                self._dispatch.request(call.call_id, call.caller)

    @property
    def queue(self) -> list[str]:
        """The ids of the calls that wait, the next one first."""
        waiting = sorted((call.position, call.call_id) for call in self.calls.values() if call.position)
        return [call_id for _, call_id in waiting]

    def memory(self) -> list[dict[str, Any]]:
        """What `remember` takes."""
        return [{name: getattr(call, name) for name in KEPT} for call in self.calls.values()]

    # What the dispatcher wants.

    def carry_out(self, action: Action) -> bool:
        """Do what the dispatcher wants; return whether it is about an inbound call."""
        call = self.calls.get(getattr(action, "call_id", ""))
        if call is None:
            return False
        match action:
            case Assign(worker=worker):
                call.position = 0
                self._tasks.start(self._transfer(call, worker.address))
            case Position(position=position):
                call.position = position
                if self._settings.waiting and not call.answered:
                    call.answered = True
                    self._on_change()
                    self._tasks.start(self._let_wait(call))
            case Refuse() | Expire() | Drop():
                self._tasks.start(self._end(call))
        return True

    async def _transfer(self, call: InboundCall, address: str) -> None:
        async with call.order:
            if self._is_over(call):
                return
            logger.info("call %s: to %s", call.call_id, address)
            error = await self._send(
                "transfer",
                call,
                to=f"sip:{address}",
                from_=call.caller,
                timeout_secs=self._settings.ring,
                custom_headers=[{"name": CALLER_LEG, "value": call.control_id}],
            )
        if error is None or self._is_over(call):
            return
        if getattr(error, "status_code", None) in NOT_THERE:
            await self._end(call)
        else:
            self._dispatch.fail(call.call_id)

    async def _let_wait(self, call: InboundCall) -> None:
        async with call.order:
            if not self._is_over(call) and await self._send("answer", call) is None:
                await self._send("start_playback", call, audio_url=self._settings.waiting, loop="infinity")

    async def _end(self, call: InboundCall) -> None:
        self._forget(call)
        async with call.order:
            if call.answered or call.served:
                await self._send("hangup", call)
            else:
                await self._send("reject", call, cause="USER_BUSY")

    def _is_over(self, call: InboundCall) -> bool:
        return self.calls.get(call.call_id) is not call

    async def _send(self, command: str, call: InboundCall, **parameters: Any) -> Exception | None:
        """Send a command; return why it failed, if it did, which is logged and counted: the call may be over."""
        async with self._room:
            try:
                await getattr(self._commands, command)(call.control_id, **parameters)
            except Exception as error:  # noqa: BLE001 - the package's, the network's, or a bug: one call is concerned
                self.failed += 1
                logger.warning("call %s: %s failed: %s", call.call_id, command, type(error).__name__)
                return error
        return None

    def _forget(self, call: InboundCall) -> None:
        if self.calls.pop(call.call_id, None) is not None:
            self._on_change()
            self._dispatch.release(call.call_id)
