"""A bot as a service: admitted exactly, drained, watched, and outliving its own crash."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support import bots
from support.hearing import echoes
from support.limit import LIMIT
from support.users import talking
from telnyx_native import (
    CallError,
    CallLimitError,
    CallState,
    ConfigurationError,
    CredentialConfig,
    DrainingError,
    SessionSnapshot,
    SocketConnectionError,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.worker import HealthServer, SnapshotFile, Worker
from telnyx_native.worker import worker as worker_module

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from telnyx_native import Call
    from telnyx_native.gateway import Gateway

BOB = CredentialConfig("bob", "s3cret")
TESTS = Path(__file__).parents[1]


@asynccontextmanager
async def working(
    gateway: Gateway, serve: Callable[[Call], Awaitable[object]] = bots.echo, **options: Any
) -> AsyncIterator[Worker]:
    async with Worker(serve, login=BOB, server=TxServerConfiguration.parse(gateway.url), **options) as worker:
        await worker.status.wait_for(lambda status: status.ready, timeout=LIMIT)
        yield worker


async def until_used(worker: Worker, used: int) -> None:
    await worker.status.wait_for(lambda status: status.used == used, timeout=LIMIT)


async def test_as_many_calls_as_it_may_have_and_no_more(gateway: Gateway, alice: TelnyxClient) -> None:
    async with working(gateway, max_calls=3) as worker:
        calls = [await alice.new_invite("bob") for _ in range(5)]
        outcomes = await asyncio.gather(*(call.wait_active(LIMIT) for call in calls), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes].count(CallError) == 2
        causes = {call.termination_reason.cause for call in calls if call.termination_reason}
        assert causes == {"USER_BUSY"}
        assert (worker.status.value.used, worker.status.value.free, worker.refused) == (3, 0, 2)
        lasting = [call for call in calls if call.termination_reason is None]
        for call, hz in zip(lasting, (500, 700, 900), strict=True):
            await echoes(call, hz)
        await lasting[0].end()
        await until_used(worker, 2)
        await talking(alice, "bob")
        await until_used(worker, 3)


async def test_an_exception_ends_one_call(
    gateway: Gateway, alice: TelnyxClient, caplog: pytest.LogCaptureFixture
) -> None:
    served: list[Call] = []

    async def serve(call: Call) -> None:
        served.append(call)
        await (bots.echo if len(served) == 1 else bots.fail)(call)

    async with working(gateway, serve) as worker:
        good = await talking(alice, "bob")
        bad = await alice.new_invite("bob")
        assert (await bad.wait_done(LIMIT)).cause == "NORMAL_TEMPORARY_FAILURE"
        await until_used(worker, 1)
        assert worker.failed == 1
        (record,) = [record for record in caplog.records if record.exc_info]
        assert served[1].call_id in record.getMessage()
        await echoes(good, 600)


async def test_a_call_that_a_bot_has_connected_with_another_goes_on(gateway: Gateway, alice: TelnyxClient) -> None:
    async def serve(call: Call) -> None:
        await call.accept()
        await call.wait_active(LIMIT)
        async with await call.consult("echo") as consultation:
            await consultation.complete()

    async with working(gateway, serve, max_calls=1) as worker:
        outbound = await talking(alice, "bob")
        await until_used(worker, 1)
        await echoes(outbound, 600)
        busy = await alice.new_invite("bob")
        assert (await busy.wait_done(LIMIT)).cause == "USER_BUSY"
        await echoes(outbound, 800)
        await outbound.end()
        await until_used(worker, 0)
        assert worker.failed == 0
        assert not worker.client.calls


async def test_a_bot_that_returns_hangs_up_and_one_that_goes_on_is_cancelled(
    gateway: Gateway, alice: TelnyxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "AFTER_CALL", 0.1)
    cancelled = asyncio.Event()

    async def serve(call: Call) -> None:
        if call.remote_headers.get("X-Wish") == "refuse":
            await bots.refuse(call)
            return
        await call.accept()
        await call.wait_active(LIMIT)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with working(gateway, serve) as worker:
        refused = await alice.new_invite("bob", custom_headers={"X-Wish": "refuse"})
        assert (await refused.wait_done(LIMIT)).cause == "USER_BUSY"
        assert worker.failed == 0
        call = await talking(alice, "bob")
        await call.end()
        await asyncio.wait_for(cancelled.wait(), LIMIT)
        await until_used(worker, 0)
        assert worker.failed == 1


async def test_draining(gateway: Gateway, alice: TelnyxClient) -> None:
    worker = Worker(bots.echo, login=BOB, server=TxServerConfiguration.parse(gateway.url), place=bots.dial)
    running = asyncio.create_task(worker.run())
    await worker.status.wait_for(lambda status: status.ready, timeout=LIMIT)
    call = await talking(alice, "bob")
    worker.drain()
    assert worker.status.value.free == 0
    late = await alice.new_invite("bob")
    assert (await late.wait_done(LIMIT)).cause == "USER_BUSY"
    with pytest.raises(DrainingError):
        await worker.place("echo")
    await echoes(call, 600)
    assert not running.done()
    await call.end()
    assert await asyncio.wait_for(running, LIMIT) == 0


async def test_draining_has_a_limit(gateway: Gateway, alice: TelnyxClient) -> None:
    worker = Worker(bots.echo, login=BOB, server=TxServerConfiguration.parse(gateway.url))
    running = asyncio.create_task(worker.run(drain_timeout=0.2))
    await worker.status.wait_for(lambda status: status.ready, timeout=LIMIT)
    call = await talking(alice, "bob")
    worker.drain()
    assert await asyncio.wait_for(running, LIMIT) == 1
    await call.wait_done(LIMIT)


async def test_a_draining_worker_gives_its_login_away(gateway: Gateway, alice: TelnyxClient) -> None:
    """Two workers log in with the same login: the second gets the new calls, and keeps them."""
    async with working(gateway, shares_login=True) as old:
        call = await talking(alice, "bob")
        async with working(gateway) as new:
            old.drain()
            await talking(alice, "bob")
            assert (old.status.value.used, new.status.value.used) == (1, 1)
            await echoes(call, 600)
            gateway.faults.drop("bob")  # both
            await old.status.wait_for(lambda status: status.lost, timeout=LIMIT)
            await new.status.wait_for(lambda status: status.ready, timeout=LIMIT)
            await talking(alice, "bob")
            await until_used(new, 2)


async def test_jobs(gateway: Gateway, alice: TelnyxClient) -> None:
    async with working(gateway, place=bots.dial) as worker:
        result = await worker.place("echo", {"customer": 7}, job_id="7")
        assert (result.id, result.cause, result.output) == ("7", "NORMAL_CLEARING", {"said": {"customer": 7}})
        assert worker.status.value.used == 0
        failing = await worker.place("busy")
        assert (failing.cause, failing.output, failing.error) == ("USER_BUSY", None, "CallError")
        assert worker.failed == 0
    async with working(gateway) as without:
        with pytest.raises(ConfigurationError, match="give it place"):
            await without.place("echo")


async def test_a_job_that_is_not_dialled_has_a_slot(gateway: Gateway, alice: TelnyxClient) -> None:
    async with working(gateway, place=bots.wait, max_calls=1) as worker:
        job = asyncio.create_task(worker.place("echo"))
        await until_used(worker, 1)
        assert worker.status.value.pending == 1
        with pytest.raises(CallLimitError, match="all 1 slots"):
            await worker.place("echo")
        call = await alice.new_invite("bob")
        assert (await call.wait_done(LIMIT)).cause == "USER_BUSY"
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        await until_used(worker, 0)
        await talking(alice, "bob")


async def test_calls_outlive_a_worker(gateway: Gateway, alice: TelnyxClient, tmp_path: Path) -> None:
    store = SnapshotFile(tmp_path / "calls.json")
    async with working(gateway, snapshots=store) as old:
        call = await talking(alice, "bob")
        await echoes(call, 500)
        await old.detach()
    async with working(gateway, snapshots=store) as new:
        await until_used(new, 1)
        (taken,) = new.client.calls.values()
        await taken.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
        await echoes(call, 800)
        assert taken.application_state == 2
        assert new.resumed == 1
        await call.end()
        await until_used(new, 0)
    assert await store.load() is None


async def test_snapshots_in_files(tmp_path: Path) -> None:
    store = SnapshotFile(tmp_path / "calls.json")
    assert await store.load() is None
    await store.save(SessionSnapshot("S1", "bob"))
    assert await store.load() == SessionSnapshot("S1", "bob")
    assert (tmp_path / "calls.json").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["calls.json"]  # noqa: ASYNC240 - a handful of files
    await store.clear()
    await store.clear()
    (tmp_path / "calls.json").write_text("{")
    with pytest.raises(ConfigurationError, match="not JSON"):
        await store.load()
    with pytest.raises(ConfigurationError, match="cannot write the snapshot"):
        await SnapshotFile(tmp_path / "nowhere" / "calls.json").save(SessionSnapshot("S1", "bob"))
    with pytest.raises(ConfigurationError, match="cannot read the snapshot"):
        await SnapshotFile(tmp_path).load()


async def test_what_is_no_worker(gateway: Gateway) -> None:
    def no_coroutine(_: Call) -> None:
        pass

    with pytest.raises(ConfigurationError, match="serve is not an async function"):
        Worker(no_coroutine, login=BOB)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="max_calls is at least 1"):
        Worker(bots.echo, login=BOB, max_calls=0)
    worker = Worker(bots.echo, login=BOB, server=TxServerConfiguration.parse(gateway.url), place=bots.dial)
    with pytest.raises(SocketConnectionError, match="not logged in"):
        await worker.place("echo")
    with pytest.raises(ConfigurationError, match="needs a token"):
        HealthServer(worker, host="0.0.0.0")
    await worker.close()


# Over HTTP.


@asynccontextmanager
async def served(worker: Worker, **options: Any) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        HealthServer(worker, **options) as health,
        aiohttp.ClientSession(f"http://127.0.0.1:{health.port}") as http,
    ):
        yield http


async def test_health_and_readiness(gateway: Gateway, alice: TelnyxClient) -> None:
    async def readiness(http: aiohttp.ClientSession) -> tuple[int, str, int]:
        async with http.get("/readyz") as response:
            told = await response.json()
            return response.status, told["reason"], told["free"]

    worker = Worker(bots.echo, login=BOB, server=TxServerConfiguration.parse(gateway.url), max_calls=1)
    async with served(worker) as http:
        assert await readiness(http) == (503, "not logged in", 0)
        async with worker:
            await worker.status.wait_for(lambda status: status.ready, timeout=LIMIT)
            assert await readiness(http) == (200, "", 1)
            call = await talking(alice, "bob")
            assert await readiness(http) == (503, "full", 0)
            await call.end()
            await until_used(worker, 0)
            worker.drain()
            assert await readiness(http) == (503, "draining", 0)
            async with http.get("/healthz") as response:
                assert (response.status, (await response.json())["status"]) == (200, "alive")


async def test_metrics(gateway: Gateway, alice: TelnyxClient) -> None:
    async with working(gateway, max_calls=4) as worker, served(worker) as http:
        await talking(alice, "bob")
        await asyncio.sleep(0.15)  # a bot that does not block, of which the next line is the opposite
        import time

        time.sleep(0.3)  # noqa: ASYNC251 - that is what is measured
        await asyncio.sleep(0.15)
        async with http.get("/metrics") as response:
            families = text_string_to_metric_families(await response.text())
        values = {sample.name: sample.value for family in families for sample in family.samples if not sample.labels}
        assert values["telnyx_worker_slots"] == 4
        assert values["telnyx_worker_slots_free"] == 3
        assert values["telnyx_worker_slots_used"] == 1
        assert values["telnyx_worker_ready"] == 1
        assert values["telnyx_clients_ready"] == 1
        assert values["telnyx_event_loop_lag_seconds"] >= 0.2


async def test_jobs_over_http(gateway: Gateway) -> None:
    async with working(gateway, place=bots.dial, max_calls=2) as worker, served(worker) as http:
        async with http.post("/jobs", json={"destination": "echo", "data": [1], "id": "a"}) as response:
            assert (response.status, await response.json()) == (202, {"id": "a", "state": "running"})
        async with asyncio.timeout(LIMIT):
            while True:
                async with http.get("/jobs/a") as response:
                    told = await response.json()
                if told["state"] == "done":
                    break
                await asyncio.sleep(0.05)
        assert (told["cause"], told["output"], told["error"]) == ("NORMAL_CLEARING", {"said": [1]}, None)
        for body, status in (
            (b"{", 400),
            (b"[]", 422),
            (b"{}", 422),
            (b'{"destination": 7}', 422),
            (b'{"destination": "echo", "id": ""}', 422),
            (b'{"destination": "echo", "id": "a"}', 409),
            (b" " * 70_000, 413),
        ):
            async with http.post("/jobs", data=body) as response:
                assert response.status == status, body[:40]
        async with http.post("/jobs", json={"destination": "echo"}, headers={"Origin": "http://evil"}) as response:
            assert response.status == 403
        async with http.get("/jobs/nobody") as response:
            assert response.status == 404
        worker.drain()
        async with http.post("/jobs", json={"destination": "echo"}) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "1")


async def test_jobs_with_a_token(gateway: Gateway) -> None:
    async with working(gateway, place=bots.dial) as worker, served(worker, token="secret") as http:
        async with http.post("/jobs", json={"destination": "echo"}) as response:
            assert response.status == 401
        headers = {"Authorization": "Bearer secret"}
        async with http.post("/jobs", json={"destination": "echo"}, headers=headers) as response:
            assert response.status == 202
        assert http._base_url is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", http._base_url.port)
        writer.write(b"GET /jobs/7 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\xfe\r\n\r\n")
        assert b" 401 " in await asyncio.wait_for(reader.readline(), LIMIT)
        writer.close()


# As a command.


@asynccontextmanager
async def command(gateway: Gateway, folder: Path, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "telnyx_native", "worker", "support.bots:echo", "--server", gateway.url),
        *("--user", "bob", "--password", "s3cret", "--http", "127.0.0.1:0", *options),
        stderr=asyncio.subprocess.PIPE,
        cwd=TESTS,
    )
    assert process.stderr is not None
    try:
        said = ""
        async with asyncio.timeout(LIMIT):
            while "Serving up to" not in said:
                line = await process.stderr.readline()
                assert line, said
                said += line.decode()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_command_drains(gateway: Gateway, alice: TelnyxClient, tmp_path: Path) -> None:
    async with command(gateway, tmp_path) as process:
        call = await talking(alice, "bob")
        await echoes(call, 600)
        process.send_signal(signal.SIGTERM)
        late = await alice.new_invite("bob")
        assert (await late.wait_done(LIMIT)).cause == "USER_BUSY"
        await call.end()
        assert await asyncio.wait_for(process.wait(), LIMIT) == 0


async def test_a_second_signal_ends_it(gateway: Gateway, alice: TelnyxClient, tmp_path: Path) -> None:
    async with command(gateway, tmp_path) as process:
        call = await talking(alice, "bob")
        process.send_signal(signal.SIGTERM)
        late = await alice.new_invite("bob")
        await late.wait_done(LIMIT)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), LIMIT) == 130
        assert (await call.wait_done(LIMIT)).cause == "NORMAL_CLEARING"


async def test_killed_and_started_again(gateway: Gateway, alice: TelnyxClient, tmp_path: Path) -> None:
    snapshot = tmp_path / "calls.json"
    async with command(gateway, tmp_path, "--snapshot", str(snapshot)) as process:
        calls = [await talking(alice, "bob") for _ in range(3)]
        for call in calls:
            await echoes(call, 600)

        def all_are_written() -> bool:
            return snapshot.exists() and [
                call["application_state"] for call in json.loads(snapshot.read_text())["calls"]
            ] == [1, 1, 1]

        async with asyncio.timeout(LIMIT):
            while not all_are_written():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
    async with command(gateway, tmp_path, "--snapshot", str(snapshot)):
        for call, hz in zip(calls, (500, 700, 900), strict=True):
            await echoes(call, hz)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "MODULE:FUNCTION"),
        (["no_such_module:serve"], "there is no module"),
        (["support.bots:nobody"], "has no function nobody"),
        (["support.bots:LIMIT_OF_NOTHING"], "has no function"),
        (["support.bots:echo", "--http", "8090"], "ADDRESS:PORT"),
        (["support.bots:echo", "--http", "0.0.0.0:0"], "needs a token"),
    ],
)
async def test_what_is_no_command_line(arguments: list[str], message: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "telnyx_native", "worker", *arguments, "--user", "bob", "--password", "x"),
        stderr=asyncio.subprocess.PIPE,
        cwd=TESTS,
    )
    _, said = await asyncio.wait_for(process.communicate(), LIMIT)
    assert process.returncode == 2
    assert message in " ".join(said.decode().replace("│", " ").split())
