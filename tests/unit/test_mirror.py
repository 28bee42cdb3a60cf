"""Tests mirror modules: `telnyx_native/a/b.py` has `tests/unit/a/test_b.py`, or stands in `COVERED_BY`.

A module of `media` that needs native code has `tests/native/test_b.py`.
"""

from __future__ import annotations

from pathlib import Path

import telnyx_native

PACKAGE = Path(telnyx_native.__file__).parent
TESTS = Path(__file__).parent.parent

COVERED_BY = {
    "call/answer_detection.py": "integration/test_answer_detection.py",
    "call/conference.py": "integration/test_joins.py",
    "call/machine_terms.py": "unit/call/test_machine.py",
    "cli/call.py": "integration/test_cli_call.py",
    "cli/demo.py": "integration/test_demo.py",
    "cli/devices.py": "unit/cli/test_commands.py",
    "cli/doctor.py": "integration/test_doctor.py",
    "cli/example_bot.py": "integration/test_example_bot.py",
    "cli/fleet.py": "unit/cli/test_commands.py",
    "cli/report.py": "integration/test_report_page.py",
    "client/precall.py": "integration/test_quality.py",
    "client/ringer.py": "integration/test_ringing.py",
    "cli/worker.py": "integration/test_worker.py",
    "devices/handset.py": "integration/test_handset.py",
    "devices/sound_system.py": "integration/test_handset.py",
    "doctor/diagnosis.py": "integration/test_doctor.py",
    "doctor/machine.py": "integration/test_doctor.py",
    "doctor/server.py": "integration/test_doctor.py",
    "events.py": "unit/test_values.py",
    "fleet/campaign_terms.py": "unit/fleet/test_campaign.py",
    "fleet/dispatch_terms.py": "unit/fleet/test_dispatch.py",
    "fleet/simulation_terms.py": "unit/fleet/test_simulation.py",
    "fleet/records.py": "unit/fleet/test_dispatch.py",
    "call/consultation.py": "integration/test_consultation.py",
    "call/transfer.py": "integration/test_transfer.py",
    "gateway/calls/back_to_back.py": "integration/test_voice_api.py",
    "gateway/calls/conversations.py": "integration/test_transfer.py",
    "gateway/calls/leg.py": "unit/gateway/calls/test_requests.py",
    "gateway/calls/reports.py": "unit/gateway/web/test_site.py",
    "gateway/certificate.py": "integration/test_tls.py",
    "gateway/context.py": "unit/gateway/test_connection.py",
    "gateway/destinations/ivr.py": "unit/gateway/destinations/test_built_in.py",
    "gateway/monitor.py": "unit/gateway/web/test_api.py",
    "gateway/voice_api/bridges.py": "integration/test_voice_api.py",
    "gateway/voice_api/call_events.py": "integration/test_transfer.py",
    "gateway/voice_api/client_transfers.py": "integration/test_transfer.py",
    "gateway/voice_api/controlled_call.py": "integration/test_voice_api.py",
    "gateway/destinations/outgoing.py": "integration/test_voice_api.py",
    "gateway/voice_api/playback.py": "integration/test_voice_api.py",
    "gateway/voice_api/refusals.py": "integration/test_voice_api.py",
    "gateway/server.py": "unit/gateway/test_robustness.py",
    "integrations/livekit.py": "frameworks/test_livekit.py",
    "integrations/opentelemetry.py": "integration/test_metrics.py",
    "integrations/pipecat.py": "frameworks/test_pipecat.py",
    "integrations/smart_turn.py": "frameworks/test_smart_turn.py",
    "integrations/prometheus.py": "integration/test_metrics.py",
    "media/consent_beep.py": "native/test_recording.py",
    "media/recording_feeds.py": "native/test_recording.py",
    "media/native_engine.py": "native/test_engine.py",
    "media/output.py": "native/test_playing.py",
    "report/chart.py": "unit/report/test_page.py",
    "signaling/machine_terms.py": "unit/signaling/test_machine.py",
    "state_machine.py": "unit/call/test_machine.py",
    "sync/classes.py": "integration/test_sync.py",
    "testing/phone.py": "integration/test_testing.py",
    "worker/health.py": "integration/test_worker.py",
    "worker/jobs.py": "integration/test_worker.py",
    "worker/snapshot_file.py": "integration/test_worker.py",
    "worker/worker.py": "integration/test_worker.py",
    "toml_settings.py": "unit/gateway/test_configuration.py",
    "cli/fleet_dial.py": "integration/test_dialling.py",
    "cli/fleet_operations.py": "cluster/test_fleet.py",
    "fleet/cluster.py": "cluster/test_fleet.py",
    "fleet/control.py": "cluster/test_fleet.py",
    "fleet/memory.py": "cluster/test_fleet.py",
    "fleet/operations.py": "cluster/test_fleet.py",
    "fleet/worker_actor.py": "cluster/test_fleet.py",
    "worker/functions.py": "integration/test_worker.py",
    "version.py": "unit/cli/test_commands.py",
}
"""Modules without a test file of their own, and the one below `tests/` that covers them instead."""


def without_a_test() -> set[str]:
    """The modules that have no test file of their name in the mirrored place."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        module = path.relative_to(PACKAGE)
        if any(part.startswith("__") for part in module.parts):
            continue
        places = [TESTS / "unit" / module.with_name(f"test_{module.name}")]
        if module.parts[0] == "media":
            places.append(TESTS / "native" / f"test_{module.name}")
        if not any(place.exists() for place in places):
            found.add(str(module))
    return found


def test_every_module_has_a_test_of_its_name_or_a_stated_exception() -> None:
    assert without_a_test() == set(COVERED_BY)


def test_the_tests_that_cover_exceptions_exist() -> None:
    assert {test for test in COVERED_BY.values() if not (TESTS / test).exists()} == set()
