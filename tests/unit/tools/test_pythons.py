from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from wheels.apt import AptError, Archive
from wheels.build import BuildError
from wheels.pythons import find_python
from wheels.targets import Version


def test_the_version_of_an_interpreter_tells_whether_it_has_a_gil() -> None:
    version = Version.of(Path(sys.executable))
    assert str(version).startswith("{}.{}".format(*sys.version_info))
    assert version.free_threaded == bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert f".cpython-{version.tag}-" in sysconfig.get_config_var("EXT_SUFFIX")


def test_a_free_threaded_version_has_a_name_of_its_own() -> None:
    assert (str(Version(3, 13, free_threaded=True)), Version(3, 13, free_threaded=True).tag) == ("3.13t", "313t")
    assert (str(Version(3, 13)), Version(3, 13).tag) == ("3.13", "313")


def test_an_interpreter_is_found_by_its_command_or_its_file(tmp_path: Path) -> None:
    assert find_python(sys.executable, tmp_path) == Path(sys.executable)
    with pytest.raises(BuildError, match=r"no Python python2\.0 here: name one that is, or 3\.14 or 3\.13t"):
        find_python("python2.0", tmp_path)


def test_an_interpreter_that_does_not_start_is_refused(tmp_path: Path) -> None:
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.99: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    with pytest.raises(BuildError, match=r"python3\.99 does not start: name the file"):
        find_python(str(shim), tmp_path)


def test_what_was_made_before_is_not_made_again(tmp_path: Path) -> None:
    for name, interpreter in (("3.14", "usr/bin/python3.14"), ("3.13t", "installed/bin/python3.13t")):
        home = tmp_path / f"cpython-{name}"
        home.mkdir()
        (home / "complete").touch()
        assert find_python(name, tmp_path) == home / interpreter


@pytest.mark.skipif(not shutil.which("apt-get"), reason="needs apt")
def test_a_source_is_what_its_authors_published_and_not_another_file(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    tree = tmp_path / "probe-1"
    tree.mkdir()
    (tree / "configure").touch()
    names = ("probe_1.orig.tar.gz", "probe_1-1.debian.tar.gz")
    for name in names:
        subprocess.run(["tar", "-czf", repository / name, "-C", tmp_path, "probe-1"], check=True)
    (repository / "probe_1-1.dsc").write_text("Source: probe\nVersion: 1-1\n")
    files = [
        f" {hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_size} {path.name}\n"
        for path in sorted(repository.iterdir())
    ]
    (repository / "Sources").write_text(
        f"Package: probe\nBinary: probe\nVersion: 1-1\nDirectory: .\nChecksums-Sha256:\n{''.join(files)}"
    )
    archive = Archive("suite", "amd64", tmp_path / "apt", f"deb-src [trusted=yes] copy:{repository} ./")
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    tarball = archive.fetch_source("probe", fetched)
    assert tarball == fetched / names[0]
    assert tarball.read_bytes() == (repository / names[0]).read_bytes()
    (repository / names[0]).write_bytes(b"something else")
    shutil.rmtree(fetched)
    fetched.mkdir()
    with pytest.raises(AptError, match="apt-get failed"):
        archive.fetch_source("probe", fetched)
