"""Installs a wheel into a fresh environment, cut off from the network, and makes a call with it.

The call is that of ``telnyx-native demo``: it logs in to a local gateway, calls its echo, compares what comes back with
what was said, and fails if that is something else. In a Debian of another machine, the project's tests of the native
part can be run with it besides, but those that measure time. The oldest glibc that Debian still carries is Debian 11's,
2.31; that release's own Python is too old for the project, so Debian 12's is built there from its source.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from wheels.build import BuildError, run
from wheels.debian import download, make_bare, make_debian, requirements_of, run_in
from wheels.pythons import fetch_cpython
from wheels.targets import Version

if TYPE_CHECKING:
    from pathlib import Path

    from wheels.targets import Target


OFFLINE = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "offline"]
"""Runs a command in a network of its own, which is the loopback interface only."""

TRIAL = "/root/trial"
"""The environment in a Debian."""
INSTALL = (f"{TRIAL}/bin/pip", "--quiet", "install", "--no-index", "--find-links")

CALLS = 3
"""What a machine does besides can spoil the sound of a call, with qemu easily: one good call of so many will do."""

TEST_PACKAGES = ("pytest", "pytest-asyncio", "pytest-timeout", "hypothesis")
THREAD_TEST_PACKAGES = ("websockets", "numpy", *TEST_PACKAGES)
THREAD_TESTS = ("tests/native/test_threads.py", "tests/native/test_peer.py", "tests/native/test_stream.py")

NATIVE_TESTS = "tests/native"
PYTEST = ("pytest", "--quiet", "-p", "no:cacheprovider", "-m", "not timed", "--override-ini", "timeout=300")
"""Under emulation, where all takes longer, some of it fifty times."""


def try_sdist(sdist: Path, python: Path, home: Path, libwebrtc: Path) -> None:
    """Install an sdist into a new environment `home` of `python`, with the libwebrtc at `libwebrtc`, and make a call.

    Raises:
        BuildError: It cannot be built, or the call does not work.
    """
    environment = {**os.environ, "LIBWEBRTC_ROOT": str(libwebrtc)}
    run([python, "-m", "venv", "--clear", home])
    run([home / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", sdist], environment)
    run([home / "bin/telnyx-native", "--version"])
    run([*OFFLINE, home / "bin/telnyx-native", "demo"], cwd=home)


def try_here(wheel: Path, python: Path, home: Path) -> None:
    """Try a wheel for this machine in a new environment `home` of `python`.

    Raises:
        BuildError: The wheel cannot be installed, its import costs too much, or the call does not work.
    """
    run([python, "-m", "venv", "--clear", home])
    run([home / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", wheel])
    run([home / "bin/telnyx-native", "--version"])
    print(f"   {check_startup(home / 'bin/python')}", flush=True)
    run([*OFFLINE, home / "bin/telnyx-native", "demo"], cwd=home)


def try_threads(wheel: Path, python: Path, home: Path, project: Path) -> None:
    """Try a wheel for a free-threaded Python: no demo, but the project's native tests, of which one is of threads.

    Raises:
        BuildError: The wheel cannot be installed, or a test fails.
    """
    run([python, "-m", "venv", "--clear", home])
    pip: list[str | Path] = [home / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    run([*pip, "--only-binary=:all:", *THREAD_TEST_PACKAGES])
    run([*pip, "--no-deps", wheel])
    run([*OFFLINE, home / "bin/python", "-m", "pytest", "--quiet", *THREAD_TESTS], cwd=project)


def try_in_debian(wheel: Path, target: Target, suite: str, python: Path, folder: Path) -> Path:
    """Try a wheel in a bare Debian of its architecture, made below `folder`: the Debian. qemu runs it if need be.

    Args:
        wheel: The file.
        target: Its architecture.
        suite: The Debian release whose Python it is for.
        python: A Python of the same version, on this machine: its pip fetches what the wheel depends on.
        folder: A folder of the build.

    Raises:
        BuildError: The wheel cannot be installed, or the call does not work.
        OSError: The kernel cannot run the target's programs.
    """
    root = make_bare(target, suite, folder)
    wheels = root / "root/wheels"
    download(python, requirements_of(wheel), target, wheels)
    shutil.copy(wheel, wheels)
    install_and_call(root, "python3", wheel.name)
    return root


def run_native_tests(root: Path, target: Target, python: Path, project: Path) -> None:
    """Run a project's tests of the native part, but those of time, with the wheel that was tried in a Debian.

    Args:
        root: The Debian.
        target: Its architecture.
        python: A Python of the same version, on this machine: its pip fetches what the tests need.
        project: The project.

    Raises:
        BuildError: A test fails.
    """
    home = root / "root/project"
    copy_native_tests(project, home)
    download(python, [*TEST_PACKAGES], target, home / "wheels")
    run_in(root, [*INSTALL, "/root/project/wheels", *TEST_PACKAGES])
    run_in(root, ["env", "--chdir=/root/project", f"{TRIAL}/bin/python", "-m", *PYTEST, NATIVE_TESTS])


def copy_native_tests(project: Path, home: Path) -> None:
    """Make the folder `home` anew, of a project's tests of the native part and what they need of the tree."""
    shutil.rmtree(home, ignore_errors=True)
    for name in ("pyproject.toml", "tests/conftest.py", "tests/support", "tests/data", NATIVE_TESTS):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (project / name).is_dir() else shutil.copy
        copy(project / name, home / name)


def install_and_call(root: Path, python: str, wheel: str) -> None:
    """Install a wheel of ``/root/wheels`` of a root, with the others there, into a new environment, and make the call.

    Raises:
        BuildError: It cannot be installed, or the call does not work.
    """
    run_in(root, [python, "-m", "venv", "--clear", "--system-site-packages", TRIAL])
    run_in(root, [*INSTALL, "/root/wheels", f"/root/wheels/{wheel}"])
    run_in(root, [f"{TRIAL}/bin/telnyx-native", "--version"])
    call = [f"{TRIAL}/bin/telnyx-native", "demo", "--output", "/root/demo.wav"]
    for _ in range(CALLS - 1):
        try:
            run_in(root, call)
        except BuildError:
            print("   calling once more", flush=True)
        else:
            return
    run_in(root, call)


TIME_LIMIT = 0.020
"""Seconds that the import may take, where websockets is loaded already."""

MEMORY_LIMIT = 20_000
"""Kilobytes that an interpreter may occupy afterwards, resident, which has loaded nothing else."""

TRIES = 9
"""Of so many starts the fastest counts: what the machine does besides only ever adds."""

TIME = """
import time, websockets.asyncio.client
start = time.perf_counter()
import telnyx_native
print(time.perf_counter() - start)
"""
MEMORY = """
import telnyx_native
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS:")))
"""


def check_startup(python: Path) -> str:
    """Measure the import in the environment of `python`: what it costs, in words.

    Raises:
        BuildError: It is more than the limits allow.
    """
    seconds = min(float(answer(python, TIME)) for _ in range(TRIES))
    kilobytes = min(int(answer(python, MEMORY)) for _ in range(TRIES))
    told = f"import telnyx_native takes {seconds * 1e3:.1f} ms, and the interpreter {kilobytes / 1e3:.1f} MB"
    if seconds > TIME_LIMIT or kilobytes > MEMORY_LIMIT:
        raise BuildError(f"{told}: more than {TIME_LIMIT * 1e3:.0f} ms or {MEMORY_LIMIT / 1e3:.0f} MB")
    return told


def answer(python: Path, question: str) -> str:
    """What a new interpreter prints, that runs outside of any project."""
    return subprocess.run([python, "-I", "-c", question], capture_output=True, text=True, check=True).stdout


OLDEST_VERSION = Version(3, 11)
"""The oldest Python that the project runs with."""

OLDEST_SUITE = "bullseye"
OLDEST_PACKAGES = ("gcc", "libc6-dev", "make", "libssl-dev", "zlib1g-dev", "libffi-dev")
PREFIX = "/opt/python"


def try_oldest(wheel: Path, target: Target, python: Path, folder: Path) -> None:
    """Install a wheel for Python 3.11 in a Debian 11 of this machine's architecture, and make a call with it.

    Args:
        wheel: The file.
        target: The architecture of this machine.
        python: A Python 3.11, whose pip fetches what the wheel depends on.
        folder: A folder of the build, below which the Debian is made, once.

    Raises:
        AptError: The source of Python cannot be fetched.
        BuildError: The Debian cannot be made, the wheel not be installed, or the call does not work.
    """
    root = folder / f"{OLDEST_SUITE}-{target.debian}"
    make_debian(root, OLDEST_SUITE, target, OLDEST_PACKAGES, build_python)
    wheels = root / "root/wheels"
    download(python, requirements_of(wheel), target, wheels)
    shutil.copy(wheel, wheels)
    install_and_call(root, f"{PREFIX}/bin/python{OLDEST_VERSION}", wheel.name)


def build_python(root: Path) -> None:
    """Build a Python 3.11 in a Debian.

    Raises:
        AptError: Its source cannot be fetched.
        BuildError: It cannot be built.
    """
    source = root / "root/source"
    fetch_cpython(f"python{OLDEST_VERSION}", "bookworm", source, root.parent / "apt")
    make = f"make -j{os.cpu_count() or 1}"
    steps = f"cd /root/source && ./configure --prefix={PREFIX} --with-ensurepip=install && {make} && make install"
    run_in(root, ["sh", "-c", f"({steps}) >/root/log 2>&1"])
    shutil.rmtree(source)
