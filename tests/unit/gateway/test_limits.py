"""How much anybody may ask of a gateway, and make it keep: bounded in bytes of memory, however few on the wire."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import time
import tracemalloc
from contextlib import contextmanager
from http import HTTPStatus

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import Gateway, GatewayLimits, User
from telnyx_native.gateway.calls.reports import CallReport, CallReports
from telnyx_native.gateway.destinations.assistant import _TOOL_REQUEST
from telnyx_native.gateway.limits import has_too_many_values, memory_size

KIB, MIB = 1 << 10, 1 << 20


@contextmanager
def grows_by_at_most(size):
    """What is allocated in Python when the context ends, and was not when it began."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before <= size, f"{(after - before) / KIB:.0f} KiB"


def test_memory_size():
    assert memory_size("x" * 1000) > 1000
    assert memory_size(["x" * 1000, {"k": "y" * 1000}]) > 2000
    assert memory_size(json.loads("[" + "[]," * 9999 + "[]]")) > 500_000, "30 kB on the wire"
    deep = value = []
    for _ in range(100_000):
        value.append([])
        value = value[0]
    assert memory_size(deep) > 5 * MIB, "as deep as it likes"


@pytest.mark.parametrize("kind", [str, str.encode])
def test_too_many_values(kind):
    assert has_too_many_values(kind("[" + "[]," * 1000 + "[]]"), 1000)
    assert has_too_many_values(kind("[" * 1001), 1000)
    assert not has_too_many_values(kind('{"url": "data:image/jpeg;base64,' + "A" * MIB + '"}'), 1000)
    assert not has_too_many_values(kind("[" * 1000), 1000)


class TestCalls:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(close_time=2.0, messages_per_second=1e6, setups_per_second=1000, calls_per_connection=100)

    async def test_headers_are_bounded(self, alice, gateway):
        many = [{"name": f"X-{n}", "value": ""} for n in range(5000)]
        large = [{"name": "X-A", "value": "v" * 70_000}]
        for headers in (many, large):
            answer = await alice.invite("noanswer", custom_headers=headers)
            assert answer["error"] == {"code": -32002, "message": "dialogParams TOO BIG"}
        assert gateway.counters.refused_calls == 2
        few = [{"name": f"X-{n}", "value": "v" * 100} for n in range(64)]
        await alice.place("noanswer", custom_headers=few)
        assert len(gateway.calls[0].info.custom_headers) == 64

    @pytest.mark.parametrize(
        "key", ["destination_number", "caller_id_name", "caller_id_number", "remote_caller_id_name", "clientState"]
    )
    async def test_so_is_everything_else_that_is_kept(self, alice, key):
        answer = await alice.ask(
            "telnyx_rtc.invite",
            sdp="v=0",
            dialogParams={"callID": "1", "destination_number": "noanswer", key: "\U0001f600" * 20_000},
        )
        assert answer["error"]["message"] == "dialogParams TOO BIG"

    async def test_calls_take_what_they_may(self, alice, gateway):
        """5.5 MB of headers a call, and a description of a megabyte that nobody reads, were kept."""
        headers = [{"name": f"X-{n}", "value": "v"} for n in range(200)]
        junk = {"userVariables": [[]] * 5000, "User-Agent": "x" * 100_000}
        await alice.place("noanswer", call_id="first", custom_headers=headers)
        with grows_by_at_most(40 * 200 * KIB):
            for number in range(40):
                await alice.place("noanswer", call_id=f"c{number}", custom_headers=headers, **junk)
                alice.forget()
        assert len(gateway.calls) == 41

    async def test_a_long_description_is_refused_at_once(self, alice, gateway):
        dialog = {"callID": "1", "destination_number": "noanswer"}
        answer = await alice.ask("telnyx_rtc.invite", sdp="v=0\r\n" + "a" * (1 << 18), dialogParams=dialog)
        assert answer["error"] == {"code": -32002, "message": "SDP TOO BIG"}
        assert not gateway.calls

    async def test_long_candidates_are_dropped(self, alice, gateway):
        await alice.place("noanswer")
        dialog = {"callID": "Call-1"}
        for params in ({"candidate": "c" * 2000}, {"candidate": "candidate:1", "sdpMid": "m" * 2000}):
            assert "result" in await alice.ask("telnyx_rtc.candidate", **params, dialogParams=dialog)
        assert gateway.counters.dropped_candidates == 2

    async def test_texts_are_bounded(self, alice, gateway):
        await alice.place("noanswer")
        (leg,) = gateway.calls
        texts, items = leg.texts.collect(), leg.items.collect()
        await alice.ask("telnyx_rtc.info", msg={"body": "x" * 20_000}, dialogParams={"callID": "Call-1"})
        assert gateway.counters.refused_messages == 1
        for number in range(20):
            item = {"type": "message", "n": number, "content": "x" * 500_000}
            assert "result" in await alice.ask("ai_conversation", item=item)
        assert (await anext(items))["n"] > 15, "what nobody reads goes, the oldest first"
        await alice.ask("telnyx_rtc.info", msg={"body": "hi"}, dialogParams={"callID": "Call-1"})
        assert await anext(texts) == {"body": "hi"}

    async def test_a_frame_of_tiny_values_is_not_read(self, alice, gateway):
        frame = '{"jsonrpc":"2.0","id":1,"method":"telnyx_rtc.ping","params":{"a":[' + "{}," * 30_000 + "{}]}}"
        await alice.send(frame)
        assert (await alice.frame())["error"]["code"] == -32600
        assert gateway.counters.malformed_frames == 1


class TestRateLimits:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(close_time=2.0, setups_per_second=10)

    @pytest.mark.timed
    async def test_calls_are_not_begun_faster_than_may_be(self, alice, bob, gateway):
        begun = time.monotonic()
        for number in range(20):
            await alice.place("noanswer", call_id=f"c{number}")
        assert 0.8 < time.monotonic() - begun < 5, "ten at once, then ten a second"
        begun = time.monotonic()
        await bob.place("noanswer")
        assert time.monotonic() - begun < 0.5, "others do not wait"


class TestGuests:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(close_time=2.0, guests=2, guest_calls=3, connections_per_user=2)

    @pytest.fixture
    async def gateway(self, peers, limits):
        async def brain(_conversation):
            await asyncio.Event().wait()

        async with Gateway([User("alice", "secret")], limits=limits, assistants={"assistant": brain}) as gateway:
            yield gateway

    async def guest(self, client, **params):
        return await client.ask("anonymous_login", target_id="assistant", **params)

    async def test_variables_are_bounded(self, client, gateway):
        answer = await self.guest(client, userVariables={"a": [[]] * 2000})
        assert answer["error"] == {"code": -32002, "message": "userVariables TOO BIG"}
        assert not gateway.connections

    async def test_their_calls_are_bounded(self, open_client, gateway):
        async with open_client() as one, open_client() as two:
            for client in (one, two):
                assert "result" in await self.guest(client)
                await client.place("noanswer", call_id="1")
            await one.place("noanswer", call_id="2")
            for client, call_id in ((one, "3"), (two, "2")):  # its own are too many; those of all are too many
                assert (await client.invite("noanswer", call_id))["error"]["message"] == "TOO MANY CALLS"
        assert gateway.counters.refused_calls == 2

    async def test_so_are_they_themselves_and_users(self, open_client, gateway):
        async with open_client() as one, open_client() as two, open_client() as three:
            for client in (one, two):
                assert "result" in await self.guest(client)
            assert (await self.guest(three))["error"]["message"] == "TOO MANY SESSIONS"
            assert "result" in await three.login(), "users are not kept out by guests"
            for client in (one, two):
                await client.socket.close()
        async with open_client() as one, open_client() as two, open_client() as three:
            sessid = (await one.login())["result"]["sessid"]
            assert "result" in await two.login()
            assert (await three.ask("login", login="alice", passwd="secret"))["error"]["message"] == "TOO MANY SESSIONS"
            assert "result" in await three.login(sessid=sessid), "a client that comes back takes its own place"
        assert gateway.counters.refused_logins == 2

    def test_what_they_write_is_read_in_no_time(self):
        begun = time.monotonic()
        for text in ("use " + " " * 100_000 + "!", "use x" + " " * 100_000 + "y", "use x {" * 20_000):
            assert _TOOL_REQUEST.fullmatch(text) is None
        assert time.monotonic() - begun < 1


class TestReports:
    @pytest.fixture
    async def http(self, gateway):
        async with aiohttp.ClientSession(gateway.url.replace("ws://", "http://")) as session:
            yield session

    async def test_tiny_objects(self, http, gateway, alice):
        """Two such posts took 0.19 GB."""
        state = await alice.ask("telnyx_rtc.gatewayState")
        headers = {"x-call-report-id": state["result"]["params"]["call_report_id"], "x-call-id": "Call-1"}
        tiny = '{"stats":[' + "{}," * 1_300_000 + "{}]}"
        honest = json.dumps({"stats": [{"timestamp": "2026-11-30T10:00:00Z", "n": n} for n in range(10_000)]})
        statuses = []
        with grows_by_at_most(60 * MIB):
            for body in [tiny, tiny, honest, honest]:
                async with http.post("/call_report", data=io.BytesIO(body.encode()), headers=headers) as response:
                    statuses.append(response.status)
        assert statuses == [HTTPStatus.REQUEST_ENTITY_TOO_LARGE] * 2 + [HTTPStatus.OK] * 2
        assert len(next(iter(gateway.call_reports)).body["stats"]) == 10_000

    def test_who_sends_most_loses_first(self):
        reports = CallReports(GatewayLimits(call_reports_size=100_000))
        ids = {name: reports.id_for(name, "s") for name in ("quiet", "noisy")}

        def add(account, number):
            text = json.dumps({"n": number, "filling": "x" * 10_000})
            report = CallReport.parse(text, call_id=str(number), report_id=ids[account], voice_sdk_id=None)
            reports.add(report)

        add("quiet", 0)
        for number in range(1, 50):
            add("noisy", number)
        assert [report.call_id for report in reports] == ["0", *map(str, range(42, 50))]


def test_more_users_than_the_limit():
    users = [User(f"user{n}", "secret") for n in range(3)]
    with pytest.raises(ConfigurationError, match="3 users are more than `users` of the limits, 2"):
        Gateway(users, limits=GatewayLimits(users=2))


class TestSmallLimits:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(close_time=2.0, calls=2, messages_per_second=50.0, frame_size=5000, connections=3)

    async def test_calls_of_all_sessions_together(self, alice, bob, gateway):
        await alice.place("noanswer", call_id="1")
        await bob.place("noanswer", call_id="2")
        answer = await bob.invite("noanswer", call_id="3")
        assert answer["error"]["message"] == "TOO MANY CALLS"
        assert gateway.counters.refused_calls == 1
        await alice.ask("telnyx_rtc.bye", dialogParams={"callID": "1"})
        await bob.place("noanswer", call_id="3")

    @pytest.mark.timed
    async def test_who_sends_too_much_is_read_slowly_and_the_others_are_not(self, alice, bob, gateway):
        begun = time.monotonic()
        for number in range(90):
            ping = {"jsonrpc": "2.0", "id": f"flood-{number}", "method": "telnyx_rtc.ping", "params": {}}
            await alice.send(json.dumps(ping))
        quick = time.monotonic()
        await bob.ask("telnyx_rtc.ping")
        assert time.monotonic() - quick < 0.5
        await alice.frame(lambda frame: frame.get("id") == "flood-89")
        assert time.monotonic() - begun > 0.5, "90 frames, of which 50 may come at once, take 0.8 s"
        assert gateway.counters.slowed_messages > 20

    async def test_frame_that_is_too_big(self, alice, bob, gateway):
        await alice.send("x" * 6000)
        with pytest.raises(ConnectionClosed) as closed:
            await alice.frame(lambda _: False)
        assert closed.value.rcvd.code == 1009
        assert (await bob.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"

    async def test_sockets_beyond_the_limit(self, alice, bob, open_client, gateway):
        async with open_client():
            with pytest.raises(Exception, match="HTTP 503"):
                async with open_client():
                    pass
        assert gateway.counters.refused_connections == 1
