"""Pythons that the machine may lack, made of what Debian has.

None of them becomes part of a wheel: they are not in the lock file, but the newest that the release has, as apt's
signatures vouch for it.

- 3.14: the packages of Debian's next release, unpacked, and made to start with the C library of that release.
- 3.13t: no Debian has a free-threaded Python; it is built from the source of Debian 13's Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from wheels.apt import KEYRING, Archive, mirror, run
from wheels.build import BuildError
from wheels.build import run as show
from wheels.roots import unpack

if TYPE_CHECKING:
    from collections.abc import Callable

NEXT = "forky"
PACKAGES_3_14 = (
    *("python3.14", "python3.14-minimal", "python3.14-venv", "libpython3.14-minimal", "libpython3.14-stdlib"),
    *("libpython3.14-dev", "python3-pip-whl", "libc6", "libgcc-s1", "libstdc++6", "libexpat1", "zlib1g", "libssl3t64"),
    *("libffi8", "libbz2-1.0", "liblzma5", "libsqlite3-0", "libuuid1", "libzstd1"),
)
PIP_OF_DEBIAN = "/usr/share/python-wheels"
"""Where Debian's ensurepip looks for pip."""


def find_python(name: str, folder: Path) -> Path:
    """The interpreter of that name: ``3.14`` and ``3.13t`` are made below `folder`, all else is there already.

    Raises:
        AptError: What it is made of cannot be fetched.
        BuildError: There is none, it does not start, or it cannot be made.
    """
    if name in MAKERS:
        return MAKERS[name](folder / f"cpython-{name}")
    found = shutil.which(name)
    if found is None:
        raise BuildError(f"no Python {name} here: name one that is, or {' or '.join(MAKERS)}, which can be made")
    if subprocess.run([found, "-c", ""], check=False).returncode:
        raise BuildError(f"{found} does not start: name the file of an interpreter")  # a shim of pyenv, for example
    return Path(found)


def make_3_14(home: Path) -> Path:
    """Python 3.14 of Debian's next release."""
    interpreter = home / "usr/bin/python3.14"
    if (home / "complete").exists():
        return interpreter
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    architecture = run(["dpkg", "--print-architecture"]).strip()
    archive = Archive(NEXT, architecture, home.parent / "apt", source_line("deb", NEXT, architecture))
    for file in archive.fetch(archive.newest(PACKAGES_3_14, ""), home.parent / "debs"):
        unpack(file, home)
    (libraries,) = (home / "usr/lib").glob("*-linux-gnu*")
    (loader,) = home.glob("usr/lib*/ld-linux*.so.*")
    # RPATH, not RUNPATH: it has to lead modules to their libraries, too.
    patch = ["patchelf", "--force-rpath", "--set-rpath", str(libraries), "--set-interpreter", str(loader)]
    run([*patch, str(interpreter)])
    for settings in (home / "usr/lib/python3.14").glob("_sysconfigdata__linux_*.py"):
        settings.write_text(settings.read_text().replace(PIP_OF_DEBIAN, f"{home}{PIP_OF_DEBIAN}"))
    # Debian's pyconfig.h looks below /usr/include for that of the architecture.
    (configuration,) = (home / "usr/include").glob("*-linux-gnu*/python3.14/pyconfig.h")
    shutil.copy(configuration, home / "usr/include/python3.14/pyconfig.h")
    (home / "complete").touch()
    return interpreter


def make_3_13t(home: Path) -> Path:
    """Python 3.13 without a GIL, of Debian 13's source."""
    return build("python3.13", "trixie", home, "--disable-gil") / "bin/python3.13t"


def build(package: str, suite: str, home: Path, *options: str) -> Path:
    """Build the source that a Debian package of CPython is made of, without Debian's changes: where it is installed.

    Raises:
        AptError: It cannot be fetched.
        BuildError: It cannot be built.
    """
    prefix = home / "installed"
    if (home / "complete").exists():
        return prefix
    shutil.rmtree(home, ignore_errors=True)
    source = home / "source"
    fetch_cpython(package, suite, source, home.parent / "apt")
    log = home / "log"
    print(f"== building {package} {' '.join(options)} (minutes; {log} tells more)", flush=True)
    steps = f"./configure --prefix={prefix} --with-ensurepip=install {' '.join(options)}"
    jobs = os.cpu_count() or 1
    show(["sh", "-c", f"cd {source} && ({steps} && make -j{jobs} && make install) >{log} 2>&1"])
    shutil.rmtree(source)
    (home / "complete").touch()
    return prefix


def fetch_cpython(package: str, suite: str, source: Path, lists: Path) -> None:
    """Unpack the source that a Debian package of CPython is made of, as `source`; apt keeps its lists in `lists`.

    Raises:
        AptError: It cannot be fetched.
    """
    source.mkdir(parents=True)
    architecture = run(["dpkg", "--print-architecture"]).strip()
    line = source_line("deb-src", suite, architecture)
    tarball = Archive(f"{suite}-source", architecture, lists, line).fetch_source(package, source)
    run(["tar", "--extract", "--file", str(tarball), "--strip-components=1", "--directory", str(source)])


def source_line(kind: str, suite: str, architecture: str) -> str:
    """A line of sources.list. A release in the making is taken as the mirror has it, even if that is weeks old."""
    return f"{kind} [arch={architecture} check-valid-until=no signed-by={KEYRING}] {mirror()} {suite} main"


MAKERS: dict[str, Callable[[Path], Path]] = {"3.14": make_3_14, "3.13t": make_3_13t}
