"""When a Debian is made, with a stand-in for debootstrap, which takes minutes and root."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from wheels.build import BuildError
from wheels.debian import make_debian, requirements_of, run_in
from wheels.targets import TARGETS

HERE = next(target for target in TARGETS.values() if target.is_here)


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What debootstrap was called with, a line a call."""
    tools = tmp_path / "tools"
    tools.mkdir()
    calls = tools / "calls"
    calls.touch()
    script = f'#!/bin/sh\necho "$@" >>{calls}\nmkdir -p "$5/root"\necho talk\n[ ! -e {tools}/broken ]\n'
    (tools / "debootstrap").write_text(script)
    (tools / "debootstrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("DEBIAN_MIRROR", "https://mirror.example/debian")
    return calls


def test_a_debian_is_made_once_and_anew_when_it_is_to_have_other_packages(tmp_path: Path, calls: Path) -> None:
    root = tmp_path / "bookworm-probe"
    make_debian(root, "bookworm", HERE, ["python3"])
    make_debian(root, "bookworm", HERE, ["python3"])
    (root / "left-over").touch()
    make_debian(root, "bookworm", HERE, ["python3", "gcc"])
    assert calls.read_text().splitlines() == [
        f"--variant=minbase --arch={HERE.debian} --include={packages} bookworm {root} https://mirror.example/debian"
        for packages in ("python3", "python3,gcc")
    ]
    assert not (root / "left-over").exists()


def test_one_that_failed_is_made_anew_and_the_log_has_what_was_said(
    tmp_path: Path, calls: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "bookworm-probe"
    broken = calls.with_name("broken")
    broken.touch()
    with pytest.raises(BuildError, match="debootstrap"):
        make_debian(root, "bookworm", HERE, ["python3"])
    assert root.with_suffix(".log").read_text() == "talk\n"
    assert "talk" not in capfd.readouterr().out
    broken.unlink()
    finished: list[Path] = []
    with pytest.raises(BuildError, match="no compiler"):
        make_debian(root, "bookworm", HERE, ["python3"], fail_to_finish)
    make_debian(root, "bookworm", HERE, ["python3"], finished.append)
    make_debian(root, "bookworm", HERE, ["python3"], finished.append)
    assert finished == [root]


def test_what_failed_in_a_debian_is_said_without_how_it_was_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unshare").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(BuildError) as failed:
        run_in(tmp_path / "bookworm-probe", ["pip", "install", "probe"])
    assert str(failed.value) == f"This failed in {tmp_path}/bookworm-probe: pip install probe"


def fail_to_finish(_: Path) -> None:
    raise BuildError("no compiler")


def test_what_a_wheel_asks_for_is_read_from_it_without_its_extras(tmp_path: Path) -> None:
    wheel = tmp_path / "probe-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "probe-1.dist-info/METADATA",
            "Metadata-Version: 2.4\nName: probe\nRequires-Dist: numpy>=1.26\nRequires-Dist: rich\n"
            'Requires-Dist: pytest>=8; extra == "test"\n\nRequires-Dist: this is the description\n',
        )
    assert requirements_of(wheel) == ["numpy>=1.26", "rich"]
