from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from telnyx_native.gateway import Gateway, GatewayLimits, User


@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        "",
        "[]",
        '[{"jsonrpc":"2.0","id":1,"method":"login"}]',
        "null",
        "7",
        '{"jsonrpc":"2.0"}',
        '{"jsonrpc":"1.0","id":"x","method":"login"}',
        '{"jsonrpc":"2.0","id":"x","method":7}',
        '{"jsonrpc":"2.0","id":"x","method":"login","params":[]}',
        '{"jsonrpc":"2.0","id":{},"method":"login"}',
        "{" * 5000,
        b"\xff\xfe\x00",
    ],
)
async def test_malformed_frame_is_answered_and_survived(alice, gateway, frame):
    await alice.send(frame)
    answer = await alice.frame(lambda frame: "error" in frame)
    assert answer["error"]["code"] == -32600
    assert gateway.counters.malformed_frames == 1
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


async def test_error_names_the_request_when_it_can_be_read(alice):
    await alice.send({"jsonrpc": "2.0", "id": "odd", "method": "login", "params": "text"})
    assert (await alice.frame())["id"] == "odd"


async def test_unknown_method(alice, gateway):
    answer = await alice.ask("telnyx_rtc.nonsense")
    assert answer["error"]["code"] == -32601
    assert gateway.counters.unknown_methods == 1


async def test_notification_gets_no_answer(alice):
    await alice.send({"jsonrpc": "2.0", "method": "telnyx_rtc.nonsense", "params": {}})
    await alice.send({"jsonrpc": "2.0", "method": "ai_conversation", "params": {"type": "x"}})
    answer = await alice.ask("telnyx_rtc.ping")
    assert alice.frames[-1] == answer
    assert "error" not in alice.frames[-2]


@pytest.mark.parametrize(
    "method",
    [
        "telnyx_rtc.subscribe",
        "telnyx_rtc.unsubscribe",
        "telnyx_rtc.broadcast",
        "telnyx_rtc.attachCalls",
        "telnyx_rtc.disable_push_notification",
        "ai_conversation",
    ],
)
async def test_every_request_has_an_object_as_result(alice, method):
    answer = await alice.ask(method, eventChannel=["a"], type="conversation.item.create")
    assert isinstance(answer["result"], dict)


@pytest.mark.parametrize("kind", ["debug_report_start", "debug_report_data", "debug_report_stop"])
async def test_observations_have_a_type_instead_of_a_method(alice, kind):
    await alice.send({"jsonrpc": "2.0", "id": "debug", "type": kind, "debug_report_id": "r", "call_id": "c"})
    assert isinstance((await alice.frame())["result"], dict)


@pytest.mark.parametrize(
    "acknowledgement",
    [
        {"jsonrpc": "2.0", "id": 1, "result": {"method": "telnyx_rtc.ringing"}},
        {"jsonrpc": "2.0", "id": 999, "result": {}},
        {"jsonrpc": "2.0", "id": "unknown", "error": {"code": -1, "message": "no"}},
    ],
)
async def test_acknowledgements_are_swallowed(alice, acknowledgement):
    await alice.send(acknowledgement)
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"
    assert not [frame for frame in alice.frames if "error" in frame]


async def test_speed_test(alice, gateway):
    await alice.send("#SPU 3000")
    for _ in range(3):
        await alice.send("#SPB " + "." * 1024)
    await alice.send("#SPE")
    answers = [await asyncio.wait_for(alice.socket.recv(), 5) for _ in range(5)]
    assert [answer[:4] for answer in answers] == ["#SPU", "#SPB", "#SPB", "#SPB", "#SPD"]
    assert int(answers[0][4:]) > 0
    assert int(answers[-1][4:]) > 0
    assert gateway.counters.malformed_frames == 0


@pytest.mark.parametrize("text", ["#SPE", "#SPU", "#SPU many", "#SPU -1", "#SPX", "#SP", "#SPB"])
async def test_speed_test_that_makes_no_sense(alice, gateway, text):
    await alice.send(text)
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"
    assert [frame["id"] for frame in alice.frames if "error" in frame] == []


async def test_failing_handler_is_answered_and_survived(alice, gateway, monkeypatch):
    async def fail(connection, request):
        raise ZeroDivisionError

    monkeypatch.setitem(gateway.handlers, "telnyx_rtc.info", fail)
    assert (await alice.ask("telnyx_rtc.info"))["error"]["code"] == -32603
    assert gateway.counters.handler_failures == 1
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


async def test_plain_http_gets_help(gateway):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    text = (await asyncio.wait_for(reader.read(), 5)).decode()
    writer.close()
    assert text.startswith("HTTP/1.1 200 OK")
    assert gateway.connect_hint() in text


class TestLimits:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(frame_size=2000, ping_interval=0.05, close_time=1.0)

    async def test_frame_that_is_too_big_closes_its_socket_only(self, alice, bob):
        await alice.send(json.dumps({"jsonrpc": "2.0", "method": "x" * 3000}))
        with pytest.raises(ConnectionClosed) as closed:
            await alice.frame(lambda frame: False)
        assert closed.value.rcvd.code == 1009
        assert (await bob.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"

    async def test_pings_carry_a_serial_number_and_an_integer_id(self, alice):
        ping = await alice.expect("telnyx_rtc.ping")
        assert isinstance(ping["id"], int)
        assert isinstance(ping["params"]["serno"], int)

    async def test_echo_of_a_ping_is_not_answered(self, alice):
        ping = await alice.expect("telnyx_rtc.ping")
        await alice.send(ping)
        await alice.ask("telnyx_rtc.ping")
        assert not [f for f in alice.frames if f.get("id") == ping["id"] and "result" in f]


async def test_nothing_is_left_after_exit(peers):
    before = asyncio.all_tasks()
    async with Gateway([User("alice", "secret")]) as gateway, connect(gateway.url) as socket:
        await socket.send('{"id":"1","method":"login","params":{"login":"alice","passwd":"secret"}}')
        await socket.recv()
        await gateway.close()
        async with asyncio.timeout(5):
            rest = [frame async for frame in socket]
        assert len(rest) == 1  # clientReady
    assert asyncio.all_tasks() <= before
    await gateway.close()


@pytest.mark.parametrize("message_id", ["0.7306149", "12.0", "-3", "1e-7", '"a\\u00e9"', "12345678901234567890"])
async def test_ids_come_back_as_they_came(alice, message_id):
    """`Math.random()` is an id of JSON-RPC as well."""
    await alice.send('{"jsonrpc":"2.0","id":' + message_id + ',"method":"telnyx_rtc.ping"}')
    answer = json.loads(await alice.socket.recv())
    while "result" not in answer:
        answer = json.loads(await alice.socket.recv())
    assert (type(answer["id"]), answer["id"]) == (type(json.loads(message_id)), json.loads(message_id))
