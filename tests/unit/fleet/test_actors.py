"""A fleet without Ray, and without a cluster."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from telnyx_native import ConfigurationError
from telnyx_native.fleet import actors, cluster
from telnyx_native.fleet.operations import Fleet
from telnyx_native.fleet.settings import ClusterSettings, FleetSettings

EXAMPLE = Path(__file__).parents[3] / "examples" / "fleet" / "fleet.toml"


async def test_without_ray_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r'pip install "telnyx-native\[fleet\]"'):
        actors.ray()
    with pytest.raises(ConfigurationError, match=r'pip install "telnyx-native\[fleet\]"'):
        await Fleet.up(FleetSettings.load(EXAMPLE))


async def test_without_a_cluster_the_error_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        pytest.raises(ConfigurationError, match="start it with: telnyx-native fleet up"),
        cluster.connected(ClusterSettings()),
    ):
        pass
    state = cluster.state_file(ClusterSettings())
    assert state.parent.stat().st_mode & 0o777 == 0o700
    state.write_text('{"pid": 999999999, "address": "127.0.0.1:1"}')
    with pytest.raises(ConfigurationError, match="no fleet telnyx-fleet runs"), cluster.connected(ClusterSettings()):
        pass
    await cluster.stop_local(ClusterSettings())
