"""The command line: ``python -m wheels --help``."""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path

from wheels import commands
from wheels.apt import AptError
from wheels.build import BuildError
from wheels.pythons import MAKERS, find_python
from wheels.targets import TARGETS, Target


def read_command_line() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="wheels", description=__doc__)
    parsers = parser.add_subparsers(dest="command", required=True)
    parsers.add_parser("refresh", help="lock the newest Debian packages")
    news = parsers.add_parser("advisories", help="fail if Debian has newer packages than are locked, or linked in")
    parsers.add_parser("libraries", help="unpack the locked libraries for this machine, print their LIBWEBRTC_ROOT")
    builds = parsers.add_parser("build", help="build and check wheels, put them into wheelhouse/, try what runs here")
    containers = parsers.add_parser("cibuildwheel", help="build this machine's wheels with cibuildwheel and podman")
    twice = parsers.add_parser("reproduce", help="build wheels twice: the same inputs must make the same bytes")
    parsers.add_parser("fresh", help="try this machine's wheels in a bare Debian 12 and 13, and in a Debian 11")
    foreign = parsers.add_parser("emulated", help="run native tests with the ARM wheels of wheelhouse/, under qemu")
    source = parsers.add_parser("sdist", help="put the sdist into wheelhouse/, build from it and try it")
    checks = parsers.add_parser("check", help="check wheels")
    made = f"an interpreter, or {' or '.join(MAKERS)}, which is made here; default: the one that runs this"
    for command in (builds, containers):
        command.add_argument("--python", action="append", help=made)
    for command in (builds, twice, foreign):
        command.add_argument("--machine", action="append", choices=list(TARGETS), help="as of uname -m; default: all")
    source.add_argument("--libwebrtc", type=Path, default=Path("/"), help="its LIBWEBRTC_ROOT; default: /")
    news.add_argument("module", nargs="*", type=Path, help="built modules that tell what they were linked with")
    checks.add_argument("wheel", nargs="+", type=Path)
    return parser.parse_args()


def run(arguments: argparse.Namespace) -> None:
    """Do it.

    Raises:
        AptError: Packages cannot be had.
        BuildError: A wheel cannot be built, or is not good.
        zipfile.BadZipFile: What is to be checked is no wheel.
    """
    here = Path(sys.executable)
    match arguments.command:
        case "refresh":
            commands.refresh()
        case "advisories":
            commands.advisories(arguments.module)
        case "libraries":
            commands.libraries()
        case "build":
            commands.build(targets(arguments), pythons(arguments))
        case "cibuildwheel":
            commands.in_containers(pythons(arguments))
        case "reproduce":
            commands.rebuild(targets(arguments), here)
        case "fresh":
            commands.fresh()
        case "emulated":
            commands.emulated(targets(arguments))
        case "sdist":
            commands.source(here, arguments.libwebrtc.resolve())
        case "check":
            commands.check(arguments.wheel)


def targets(arguments: argparse.Namespace) -> list[Target]:
    """The architectures that are named, or all."""
    return [TARGETS[machine] for machine in arguments.machine or TARGETS]


def pythons(arguments: argparse.Namespace) -> list[Path]:
    """The interpreters that are named, or the one that runs this."""
    return [find_python(name, commands.WORK) for name in arguments.python or [sys.executable]]


if __name__ == "__main__":
    try:
        run(read_command_line())
    except (AptError, BuildError, zipfile.BadZipFile) as error:
        sys.exit(f"\n{error}")
