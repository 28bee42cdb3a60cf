"""Where containers cannot start, the builds in them are skipped, said and counted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wheels.commands import in_containers
from wheels.image import container_settings


def test_without_podman_the_builds_are_skipped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    in_containers([Path(sys.executable), Path(sys.executable)])
    said = capsys.readouterr().out
    assert "not run, it needs root and podman; 0 wheels built, 2 skipped" in said


@pytest.mark.parametrize(
    ("script", "settings"),
    [
        ("exit 0", set()),
        ('[ -n "${CONTAINERS_CONF:-}" ]', {"CONTAINERS_CONF"}),
        ("exit 125", None),
    ],
    ids=["as it is", "confined", "not at all"],
)
def test_podman_is_confined_only_where_it_does_not_start_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, settings: set[str] | None
) -> None:
    podman = tmp_path / "podman"
    podman.write_text(f"#!/bin/sh\n{script}\n")
    podman.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CONTAINERS_CONF", raising=False)
    found = container_settings("localhost/probe", tmp_path)
    assert (found if found is None else set(found)) == settings
