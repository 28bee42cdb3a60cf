"""Inbound calls between the network and the real dispatcher; of the Voice API there is a stand-in, which can fail."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import telnyx

from support.limit import LIMIT
from telnyx_native.fleet import inbound as inbound_module
from telnyx_native.fleet.dispatch import Dispatcher
from telnyx_native.fleet.dispatch_terms import Kind, Rules, WorkerInfo, WorkerState
from telnyx_native.fleet.inbound import InboundCalls
from telnyx_native.fleet.settings import VoiceApiSettings
from telnyx_native.fleet.webhooks import CallWebhook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from telnyx_native.fleet.dispatch_terms import Action

Command = tuple[str, str, dict[str, Any]]

SOUND = "http://127.0.0.1/wait.wav"


class VoiceApi:
    """Takes commands.

    Attributes:
        sent: All commands, also those that failed.
        failures: What the next commands of a name raise, in this order.
        answers: Commands of a name wait for its event, if there is one.
    """

    def __init__(self) -> None:
        self.sent: list[Command] = []
        self.failures: dict[str, list[BaseException]] = defaultdict(list)
        self.answers: dict[str, asyncio.Event] = {}

    async def _take(self, name: str, control_id: str, parameters: dict[str, Any]) -> None:
        self.sent.append((name, control_id, parameters))
        if name in self.answers:
            await self.answers[name].wait()
        if self.failures[name]:
            raise self.failures[name].pop(0)

    async def answer(self, call_control_id: str, **parameters: Any) -> None:
        await self._take("answer", call_control_id, parameters)

    async def transfer(self, call_control_id: str, **parameters: Any) -> None:
        await self._take("transfer", call_control_id, parameters)

    async def start_playback(self, call_control_id: str, **parameters: Any) -> None:
        await self._take("start_playback", call_control_id, parameters)

    async def reject(self, call_control_id: str, **parameters: Any) -> None:
        await self._take("reject", call_control_id, parameters)

    async def hangup(self, call_control_id: str, **parameters: Any) -> None:
        await self._take("hangup", call_control_id, parameters)


class Control:
    """A dispatcher with a clock, between whom and inbound calls it carries."""

    def __init__(self, api: VoiceApi, workers: Sequence[WorkerInfo], rules: Rules | None, waiting: str) -> None:
        self.api = api
        self.now = 0.0
        self.changes = 0
        self.dispatcher = Dispatcher(rules, now=0.0)
        settings = VoiceApiSettings("key", "key", waiting=waiting, ring=7)
        self.inbound = InboundCalls(settings, self, api, self._change)
        for worker in workers:
            self.carry_out(self.dispatcher.report(worker, {}, self.now))

    def _change(self) -> None:
        self.changes += 1

    def carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            self.inbound.carry_out(action)

    def request(self, call_id: str, caller: str) -> None:
        self.carry_out(self.dispatcher.request(call_id, self.now, caller=caller))

    def confirm(self, call_id: str) -> None:
        self.dispatcher.confirm(call_id, self.now)

    def fail(self, call_id: str) -> None:
        self.carry_out(self.dispatcher.fail(call_id, self.now))

    def release(self, call_id: str) -> None:
        self.carry_out(self.dispatcher.release(call_id, self.now))

    def tick(self, now: float) -> None:
        self.now = now
        self.carry_out(self.dispatcher.tick(now))

    # What the network tells, and what is seen.

    def tell(self, kind: str, call: str = "1", leg: str = "a", **payload: Any) -> None:
        direction = "incoming" if leg == "a" else "outgoing"
        self.inbound.take(CallWebhook(f"call.{kind}", f"{leg}-{call}", call, direction, f"+1555{call}", payload))

    async def sent(self, count: int) -> list[Command]:
        """Return the commands so far, which must be so many, and the loop has nothing more to do."""
        async with asyncio.timeout(LIMIT):
            while len(self.api.sent) < count:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(self.api.sent) == count
        return self.api.sent

    async def names(self, count: int) -> list[tuple[str, str]]:
        return [(name, control_id) for name, control_id, _ in await self.sent(count)]

    @property
    def slots(self) -> dict[str, tuple[int, int]]:
        """Reserved and confirmed slots of each worker."""
        return {load.worker.name: (load.reserved, load.confirmed) for load in self.dispatcher.workers}


def worker(name: str, capacity: int = 1) -> WorkerInfo:
    return WorkerInfo(name, f"{name}@sip.telnyx.com", "host", capacity)


@asynccontextmanager
async def controlling(
    *names: str, capacity: int = 1, rules: Rules | None = None, waiting: str = "", api: VoiceApi | None = None
) -> AsyncIterator[Control]:
    control = Control(api or VoiceApi(), [worker(name, capacity) for name in names], rules, waiting)
    try:
        yield control
    finally:
        await control.inbound.close()


async def test_call_goes_to_a_worker_and_ends() -> None:
    async with controlling("x") as control:
        control.tell("initiated")
        parameters = {
            "to": "sip:x@sip.telnyx.com",
            "from_": "+15551",
            "timeout_secs": 7,
            "custom_headers": [{"name": "X-Caller-Leg", "value": "a-1"}],
        }
        assert await control.sent(1) == [("transfer", "a-1", parameters)]
        control.tell("initiated", leg="b")  # the worker's leg
        control.tell("answered", leg="b")
        assert control.slots == {"x": (1, 0)}
        control.tell("bridged")
        control.tell("bridged", leg="b")
        assert control.slots == {"x": (0, 1)}
        control.tell("hangup", leg="b")
        assert control.slots == {"x": (0, 1)}  # the caller's leg decides
        control.tell("hangup")
        assert control.slots == {"x": (0, 0)}
        assert control.inbound.calls == {}
        await control.sent(1)
        assert control.dispatcher.counters.abandoned == control.inbound.failed == 0


async def test_call_that_is_no_call_to_the_fleet_is_ignored() -> None:
    async with controlling("x") as control:
        for kind in ("initiated", "bridged", "hangup", "playback.started"):
            control.tell(kind, leg="b")
        control.tell("bridged")
        assert control.inbound.calls == {}
        await control.sent(0)


async def test_who_waits_hears_a_sound_and_is_served_in_the_end() -> None:
    async with controlling("x", waiting=SOUND) as control:
        control.tell("initiated", "1")
        control.tell("bridged", "1")
        control.tell("initiated", "2")
        commands = await control.sent(3)
        assert commands[1:] == [
            ("answer", "a-2", {}),
            ("start_playback", "a-2", {"audio_url": SOUND, "loop": "infinity"}),
        ]
        control.tell("answered", "2")
        control.tell("initiated", "3")
        await control.sent(5)
        control.tell("hangup", "2")
        control.tick(20.0)  # the third hears that it is first now, for which it is not answered again
        await control.sent(5)
        control.tell("hangup", "1")
        assert (await control.names(6))[-1] == ("transfer", "a-3")
        control.tell("bridged", "3")
        assert control.slots == {"x": (0, 1)}


async def test_who_waits_without_a_sound_is_not_answered() -> None:
    async with controlling("x") as control:
        control.tell("initiated", "1")
        control.tell("initiated", "2")
        assert await control.names(1) == [("transfer", "a-1")]
        assert control.inbound.queue == [call.call_id for call in control.inbound.calls.values() if call.position == 1]
        assert len(control.inbound.queue) == 1
        control.tell("hangup", "1")
        assert (await control.names(2))[-1] == ("transfer", "a-2")
        assert control.inbound.queue == []


async def test_slot_that_comes_while_the_call_is_being_answered_waits_for_the_sound() -> None:
    """Else the sound would be played into the conversation."""
    async with controlling("x", waiting=SOUND) as control:
        answered = control.api.answers["answer"] = asyncio.Event()
        control.tell("initiated", "1")
        control.tell("initiated", "2")
        await control.sent(2)
        control.tell("hangup", "1")
        await control.sent(2)
        answered.set()
        assert (await control.names(4))[1:] == [("answer", "a-2"), ("start_playback", "a-2"), ("transfer", "a-2")]


async def test_caller_who_hangs_up_while_waiting() -> None:
    async with controlling("x", waiting=SOUND) as control:
        answered = control.api.answers["answer"] = asyncio.Event()
        control.tell("initiated", "1")
        control.tell("initiated", "2")
        await control.sent(2)
        control.tell("hangup", "2")
        assert control.dispatcher.waiting == 0
        answered.set()
        control.tell("hangup", "1")
        assert control.dispatcher.calls == set()


async def test_caller_who_hangs_up_while_it_rings() -> None:
    async with controlling("x") as control:
        control.tell("initiated", "1")
        await control.sent(1)
        control.tell("hangup", "1")
        assert control.slots == {"x": (0, 0)}
        control.tell("hangup", "1", leg="b")  # nobody is to blame
        assert control.dispatcher.counters.failed == 0


async def test_worker_that_does_not_take_it() -> None:
    async with controlling("x", "y", "z", rules=Rules(failures=2)) as control:
        control.tell("initiated")
        await control.sent(1)
        control.tell("hangup", leg="b", hangup_cause="timeout\r\nforged line")
        addresses = [parameters["to"] for _, _, parameters in await control.sent(2)]
        assert addresses == ["sip:x@sip.telnyx.com", "sip:y@sip.telnyx.com"]
        control.tell("hangup", leg="c", hangup_cause="user_busy")
        assert (await control.sent(3))[-1] == ("reject", "a-1", {"cause": "USER_BUSY"})
        assert control.inbound.calls == {}
        assert control.slots == {"x": (0, 0), "y": (0, 0), "z": (0, 0)}


async def test_transfer_that_fails_goes_to_another() -> None:
    async with controlling("x", "y") as control:
        control.api.failures["transfer"] = [OSError("unreachable")]
        control.tell("initiated")
        await control.sent(2)
        assert control.inbound.failed == 1
        assert control.slots == {"x": (0, 0), "y": (1, 0)}


@pytest.mark.parametrize("status", [404, 422])
async def test_transfer_that_is_refused_suspends_no_worker(status: int) -> None:
    """The network says that the call has ended, before or instead of its webhook."""
    async with controlling("x", "y") as control:
        response = httpx.Response(status, request=httpx.Request("POST", "http://127.0.0.1"))
        control.api.failures["transfer"] = [telnyx.APIStatusError("refused", response=response, body=None)]
        control.tell("initiated")
        assert (await control.names(2))[-1] == ("reject", "a-1")
        assert control.dispatcher.counters.failed == 0
        assert control.inbound.calls == {}
        assert control.slots == {"x": (0, 0), "y": (0, 0)}
        assert {load.state for load in control.dispatcher.workers} == {WorkerState.UP}


async def test_transfer_that_fails_because_the_caller_is_gone_blames_nobody() -> None:
    async with controlling("x") as control:
        taken = control.api.answers["transfer"] = asyncio.Event()
        control.api.failures["transfer"] = [RuntimeError("this call has ended")]
        control.tell("initiated")
        await control.sent(1)
        control.tell("hangup")
        taken.set()
        await control.sent(1)
        assert control.inbound.failed == 1
        assert control.dispatcher.counters.failed == 0


async def test_call_that_ends_before_its_transfer_was_sent_is_not_transferred() -> None:
    async with controlling("x") as control:
        control.tell("initiated")
        control.tell("hangup")
        await control.sent(0)
        assert control.slots == {"x": (0, 0)}


async def test_refusal_before_and_after_the_answer() -> None:
    async with controlling("x", rules=Rules(queue=1, wait=5.0), waiting=SOUND) as control:
        for call in ("1", "2", "3"):
            control.tell("initiated", call)
        assert ("reject", "a-3") in await control.names(4)  # the queue is full
        control.confirm("1")
        control.tick(6.0)
        assert (await control.names(5))[-1] == ("hangup", "a-2")  # it waited too long, and had been answered
        assert list(control.inbound.calls) == ["1"]


async def test_worker_that_says_nothing() -> None:
    async with controlling("x", rules=Rules(reservation=5.0, report=60.0)) as control:
        control.tell("initiated")
        await control.sent(1)
        control.tick(6.0)
        assert (await control.names(2))[-1] == ("reject", "a-1")
        control.tell("bridged")  # too late
        control.tell("hangup")
        assert control.slots == {"x": (0, 0)}


async def test_call_that_is_gone_with_its_worker_is_hung_up() -> None:
    async with controlling("x", rules=Rules(reattach=5.0)) as control:
        control.tell("initiated")
        await control.sent(1)
        control.tell("bridged")
        control.carry_out(control.dispatcher.lose("x", 1.0))
        control.tick(7.0)
        assert (await control.names(2))[-1] == ("hangup", "a-1")


@pytest.mark.parametrize("error", [OSError(), KeyError("x"), TimeoutError(), ValueError("\r\n")])
@pytest.mark.parametrize("command", ["answer", "start_playback", "reject", "hangup"])
async def test_commands_that_fail_are_counted_and_survived(command: str, error: Exception) -> None:
    async with controlling("x", rules=Rules(queue=1, wait=5.0), waiting=SOUND) as control:
        control.api.failures[command] = [error]
        for call in ("1", "2", "3"):
            control.tell("initiated", call)
        await control.sent(3 if command == "answer" else 4)
        control.confirm("1")
        control.tick(6.0)
        await control.sent(4 if command == "answer" else 5)
        assert control.inbound.failed == 1
        control.tell("hangup", "1")
        assert control.dispatcher.calls == set()
        control.tell("initiated", "4")
        assert control.slots == {"x": (1, 0)}


async def test_commands_under_way_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound_module, "PARALLEL_COMMANDS", 3)
    async with controlling("x", capacity=10) as control:
        taken = control.api.answers["transfer"] = asyncio.Event()
        for call in range(5):
            control.tell("initiated", str(call))
        await control.sent(3)
        taken.set()
        await control.sent(5)


async def test_closing_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with controlling("x", capacity=10) as control:
        control.api.answers["transfer"] = asyncio.Event()
        for call in range(5):
            control.tell("initiated", str(call))
        await control.sent(5)
    assert asyncio.all_tasks() == before


# After a kill.


async def test_control_that_follows_asks_again_for_those_that_wait() -> None:
    async with controlling("x", capacity=1, waiting=SOUND) as control:
        control.tell("initiated", "1")
        control.tell("bridged", "1")
        control.tell("initiated", "2")
        await control.sent(3)
        assert control.changes > 0
        memory = json.loads(json.dumps(control.inbound.memory()))
    async with controlling(waiting=SOUND) as follower:
        follower.inbound.remember(memory)
        assert follower.dispatcher.calls == {"2"}
        follower.carry_out(follower.dispatcher.report(worker("x"), {"1": Kind.INBOUND}, 0.0))
        await follower.sent(0)  # the caller hears the sound already
        follower.tell("hangup", "1")
        follower.carry_out(follower.dispatcher.report(worker("x"), {}, 1.0))
        assert await follower.names(1) == [("transfer", "a-2")]
        follower.tell("bridged", "2")
        follower.tell("hangup", "2")
        assert follower.inbound.calls == {}


# Webhooks may come twice and in any order.


async def test_repeated_webhooks_do_nothing() -> None:
    async with controlling("x", capacity=5) as control:
        for kind in ("initiated", "initiated", "bridged", "bridged", "initiated"):
            control.tell(kind)
        await control.sent(1)
        assert control.slots == {"x": (0, 1)}
        control.tell("hangup")
        control.tell("hangup")
        assert control.dispatcher.calls == set()


async def test_end_that_comes_before_the_beginning() -> None:
    async with controlling("x") as control:
        control.tell("hangup")
        control.tell("bridged")
        control.tell("initiated")
        await control.sent(0)
        assert control.inbound.calls == {}
        assert control.slots == {"x": (0, 0)}


async def test_memory_of_what_has_ended_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound_module, "ENDED", 10)
    async with controlling("x") as control:
        for call in range(100):
            control.tell("hangup", str(call))
        assert len(control.inbound._ended) == 10


async def test_thousand_calls_leak_nothing() -> None:
    async with controlling("x", "y", capacity=5, rules=Rules(queue=10)) as control:
        for call in range(1000):
            control.tell("initiated", str(call))
            if call % 3:
                control.tell("bridged", str(call))
            await asyncio.sleep(0)
            control.tell("hangup", str(call // 2))
        for call in range(1000):
            control.tell("hangup", str(call))
        assert control.dispatcher.calls == set()
        assert control.inbound.calls == {}
        assert control.slots == {"x": (0, 0), "y": (0, 0)}
