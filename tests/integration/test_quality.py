"""What is measured in real calls: milestones, reports, the test call before the real ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from support.limit import LIMIT
from support.signals import tone
from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration, Verdict, run_pre_call
from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import Gateway

pytestmark = pytest.mark.sound


async def test_milestones_come_in_their_order(alice: TelnyxClient) -> None:
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    await call.audio.read(8_000)
    timings = call.timings
    reached = [timings.created, timings.invite_sent, timings.answered, timings.media_connected, timings.first_audio]
    assert None not in reached
    assert reached == sorted(moment for moment in reached if moment is not None)
    login = alice.login_timings
    steps = [login.begun, login.socket_open, login.logged_in, login.registered]
    assert None not in steps
    assert steps == sorted(moment for moment in steps if moment is not None)


async def test_report_of_a_real_call(gateway: Gateway, tmp_path: Path) -> None:
    config = CredentialConfig("alice", "s3cret", call_report_directory=tmp_path)
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url), config)
        call = await client.new_invite("echo")
        await call.wait_active(LIMIT)
        await call.audio.write(tone(440, 3.0, 16_000))
        await call.audio.drain()
        await call.end()
    report = json.loads((tmp_path / f"{call.call_id}.json").read_text())
    entry = report["stats"][-1]
    assert 20 < entry["audio"]["inbound"]["packetsReceived"] < 200
    assert entry["audio"]["outbound"]["codec"]["mimeType"] == "audio/opus"
    assert entry["audio"]["outbound"]["bitrateAvg"] > 5_000
    assert entry["audio"]["outbound"]["audioLevelAvg"] > 0.1
    assert entry["ice"]["local"]["candidateType"] == "host"
    assert entry["transport"]["dtlsState"] == "connected"
    assert [log["message"].partition("(")[0] for log in report["logs"]][-2:] == ["ACTIVE", "DONE"]


async def test_report_reaches_the_gateway(gateway: Gateway) -> None:
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig("alice", "s3cret"))
        call = await client.new_invite("echo")
        await call.wait_active(LIMIT)
        await call.audio.write(tone(440, 1.5, 16_000))
        await call.audio.drain()
        await call.end()
    (report,) = gateway.call_reports
    assert report.call_id == call.call_id
    assert report.body["summary"]["direction"] == "outbound"
    assert report.body["stats"][-1]["audio"]["inbound"]["packetsReceived"] > 20


async def test_observations_reach_the_gateway_and_harm_nothing(gateway: Gateway) -> None:
    async with TelnyxClient() as client:
        config = replace(CredentialConfig("alice", "s3cret"), debug=True)
        await client.connect(TxServerConfiguration.parse(gateway.url), config)
        call = await client.new_invite("echo")
        await call.wait_active(LIMIT)
        await call.call_quality_flow.first(timeout=LIMIT)
        await call.end()
    assert gateway.counters.unknown_methods == gateway.counters.malformed_frames == 0


async def test_test_call_over_a_good_network(alice: TelnyxClient) -> None:
    report = await run_pre_call(alice, "echo", duration=2.5)
    assert report.verdict is Verdict.READY, report
    assert report.rtt.highest < 0.3
    assert report.mos.average > 4
    assert report.packets > 50
    assert report.loss == 0
    assert report.path == "host-host" or "prflx" in report.path
    assert report.setup is not None
    assert alice.calls == {}


@pytest.mark.parametrize("destination", ["busy", "nobody-there"])
async def test_test_call_that_is_not_taken(alice: TelnyxClient, destination: str) -> None:
    report = await run_pre_call(alice, destination, duration=2)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reasons


async def test_test_call_must_last(alice: TelnyxClient) -> None:
    with pytest.raises(ConfigurationError, match="two seconds"):
        await run_pre_call(alice, "echo", duration=1)
