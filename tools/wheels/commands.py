"""What the tool can do, one function a command."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from wheels.advisories import complaints_about_lock, complaints_about_module
from wheels.build import Builder, BuildError, reproduce, unpack
from wheels.checks import check_wheel
from wheels.image import build_in_containers, container_settings, make_image
from wheels.licences import collect, compare, linked, stated
from wheels.lock import read_lock, write_lock
from wheels.pythons import find_python
from wheels.refresh import Offer, keep_unread, newest_packages
from wheels.roots import assemble
from wheels.targets import TARGETS, Target, Version
from wheels.trial import OLDEST_VERSION, run_native_tests, try_here, try_in_debian, try_oldest, try_sdist, try_threads

PROJECT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
LOCK = HERE / "packages.lock.toml"
REQUIREMENTS = HERE / "requirements.txt"
LICENCES = PROJECT / "licenses"
WORK = PROJECT / "build/wheels"
PRODUCTS = PROJECT / "wheelhouse"
DEBIANS = {Version(3, 11): "bookworm", Version(3, 13): "trixie"}
"""The releases whose Python has that version."""


def refresh() -> None:
    """Write the lock file anew, and what the packages in it state as their licences."""
    offer = newest_packages(WORK)
    tell_unread(offer)
    packages = keep_unread(offer, read_lock(LOCK) if LOCK.exists() else [])
    roots = assemble(TARGETS["x86_64"], packages, WORK)
    write_lock(LOCK, packages)
    collect(stated(linked(packages), roots.libraries), LICENCES)


def advisories(modules: list[Path]) -> None:
    """See that neither the lock file nor what is linked into `modules` is older than what Debian offers.

    Raises:
        BuildError: It is; names each package, its version, the newest one, and what to do.
    """
    offer = newest_packages(WORK)
    tell_unread(offer)
    complaints = [*complaints_about_lock(read_lock(LOCK), offer)]
    for module in modules:
        complaints += complaints_about_module(module, offer)
    if complaints:
        raise BuildError("\n".join(complaints))
    built = "".join(f", nor than what {module.name} was linked with" for module in modules)
    print(f"== advisories: Debian has nothing newer than what is locked{built}")


def tell_unread(offer: Offer) -> None:
    """Say which security archives could not be read."""
    for (suite, architecture), reason in offer.unread.items():
        print(f"   {suite} for {architecture} cannot be read, so its packages are not compared there: {reason}")


def libraries() -> None:
    """Unpack what is linked in on this machine, and print where: a LIBWEBRTC_ROOT for builds from source."""
    print(assemble(here(), read_lock(LOCK), WORK).libraries)


def build(targets: list[Target], pythons: list[Path]) -> None:
    """Build the wheels of all targets for all Pythons, check them, put them into wheelhouse/, try what runs here."""
    packages = read_lock(LOCK)
    builders = [Builder(python, REQUIREMENTS, WORK) for python in pythons]
    sdist = builders[0].sdist(PROJECT, WORK / "sdist")
    PRODUCTS.mkdir(exist_ok=True)
    made = tried = 0
    for target in targets:
        roots = assemble(target, packages, WORK)
        compare(stated(linked(packages), roots.libraries), LICENCES)
        taken = [package for package in packages if package.architecture == target.debian]
        print(f"== {target.machine}:", *(f"{package.name} {package.version}" for package in taken), sep="\n   ")
        source = WORK / target.machine / "source"
        unpack(sdist, source)
        for builder in builders:
            print(f"== wheel for {target.machine}, Python {builder.version}", flush=True)
            if not target.is_here and not roots.python_headers(builder.version).is_dir():
                print("   not built: the lock file has no headers of that Python for that machine")
                continue
            wheel = builder.wheel(source, target, roots, WORK / target.machine / "wheel", last_commit())
            check([wheel])
            product = wheel.replace(PRODUCTS / wheel.name)
            print(f"   {product.relative_to(PROJECT)}: {product.stat().st_size} bytes", flush=True)
            made += 1
            tried += attempt(product, target, builder)
    wanted = len(targets) * len(builders)
    print(f"== {made} wheels built and checked, {tried} of them tried in a call, {wanted - made} not built")


def rebuild(targets: list[Target], python: Path) -> None:
    """Build a wheel for each target twice, and see that both are the same to the byte.

    Raises:
        BuildError: They are not.
    """
    packages = read_lock(LOCK)
    builder = Builder(python, REQUIREMENTS, WORK)
    sdist = builder.sdist(PROJECT, WORK / "sdist")
    for target in targets:
        roots = assemble(target, packages, WORK)
        wheel = reproduce(builder, sdist, target, roots, WORK / target.machine / "reproduction", last_commit())
        print(f"== {wheel.name}: built twice, the same {wheel.stat().st_size} bytes", flush=True)


def source(python: Path, libwebrtc: Path) -> None:
    """Put the sdist into wheelhouse/, and try what is built from it with this machine's compiler and libraries.

    Raises:
        BuildError: It cannot be built, or the call does not work.
    """
    sdist = Builder(python, REQUIREMENTS, WORK).sdist(PROJECT, WORK / "sdist")
    PRODUCTS.mkdir(exist_ok=True)
    product = sdist.replace(PRODUCTS / sdist.name)
    try_sdist(product, python, WORK / "trial", libwebrtc)
    print(f"== {product.relative_to(PROJECT)}: built from, and tried in a call")


def in_containers(pythons: list[Path]) -> None:
    """Build and try wheels for this machine with cibuildwheel, into wheelhouse/cibuildwheel/, if podman can.

    Raises:
        BuildError: They cannot be built, or a check or a call fails.
    """
    count = len(pythons)
    if os.geteuid() != 0 or not shutil.which("podman"):
        print(f"== cibuildwheel: not run, it needs root and podman; 0 wheels built, {count} skipped")
        return
    packages = read_lock(LOCK)
    target = here()
    builders = [Builder(python, REQUIREMENTS, WORK) for python in pythons]
    sdist = builders[0].sdist(PROJECT, WORK / "sdist")
    image = make_image(builders, target, assemble(target, packages, WORK), REQUIREMENTS, WORK)
    containers = container_settings(image, WORK)
    if containers is None:
        print(f"== cibuildwheel: not run, podman cannot start containers here; 0 wheels built, {count} skipped")
        return
    wheels = build_in_containers(sdist, builders, containers, WORK, PRODUCTS / "cibuildwheel", last_commit())
    check(wheels)
    print(f"== cibuildwheel: {len(wheels)} wheels built and tried, {count - len(wheels)} skipped")


def fresh() -> None:
    """Try this machine's wheels of wheelhouse/ in bare Debians that have their Pythons, and with the oldest glibc.

    Raises:
        BuildError: There is none for Python 3.11, or one does not work.
    """
    target = here()
    wheels = in_wheelhouse(target)
    if OLDEST_VERSION not in wheels:
        raise BuildError(f"no wheel for Python {OLDEST_VERSION} in wheelhouse/: make wheels")
    for version, wheel in wheels.items():
        python = python_with_pip(version)
        try_in_debian(wheel, target, DEBIANS[version], python, WORK)
        print(f"== {wheel.name}: tried in a call, in a bare Debian {DEBIANS[version]}", flush=True)
        if version == OLDEST_VERSION:
            try_oldest(wheel, target, python, WORK)
            print(f"== {wheel.name}: tried in a call, with the glibc of Debian 11", flush=True)


def emulated(targets: list[Target]) -> None:
    """Run the native tests, but those of time, with the wheels of wheelhouse/ for other machines, in Debians of theirs.

    Raises:
        BuildError: There is no such wheel, or a test fails.
    """
    tried = 0
    for target in [target for target in targets if not target.is_here]:
        for version, wheel in in_wheelhouse(target).items():
            python = python_with_pip(version)
            root = try_in_debian(wheel, target, DEBIANS[version], python, WORK)
            run_native_tests(root, target, python, PROJECT)
            print(f"== {wheel.name}: tried in a call, and in the native tests, under qemu", flush=True)
            tried += 1
    if not tried:
        raise BuildError("no wheel for another machine than this in wheelhouse/: make wheels")


def in_wheelhouse(target: Target) -> dict[Version, Path]:
    """The wheels for an architecture that are made and that a Debian has a Python for."""
    return {
        version: wheel
        for version in DEBIANS
        for wheel in PRODUCTS.glob(f"*-cp{version.tag}-cp{version.tag}-{target.platform}.whl")
    }


def python_with_pip(version: Version) -> Path:
    """The Python of that version that wheels were built with here, or else one of this machine's, prepared like it.

    Raises:
        BuildError: There is none.
    """
    built = WORK / f"python{version}/bin/python"
    return built if built.exists() else Builder(find_python(f"python{version}", WORK), REQUIREMENTS, WORK).python


def attempt(wheel: Path, target: Target, builder: Builder) -> bool:
    """Make a call with a wheel, if this machine can: whether it could.

    Raises:
        BuildError: The call does not work.
    """
    if target.is_here:
        # The demo needs soundfile, that cffi, and cffi does without a GIL from 3.14 on only.
        if builder.version.free_threaded:
            try_threads(wheel, builder.interpreter, WORK / "trial", PROJECT)
        else:
            try_here(wheel, builder.interpreter, WORK / "trial")
        return True
    suite = DEBIANS.get(builder.version)
    if suite is None:
        print("   not tried: no Debian has that Python")
        return False
    if os.geteuid() != 0:
        print(f"   not tried: a Debian for {target.machine} needs root")
        return False
    try_in_debian(wheel, target, suite, builder.interpreter, WORK)
    return True


def here() -> Target:
    """The architecture of this machine.

    Raises:
        BuildError: No wheels are built for it.
    """
    for target in TARGETS.values():
        if target.is_here:
            return target
    raise BuildError(f"this machine is none of {', '.join(TARGETS)}")


def check(wheels: list[Path]) -> None:
    """Check wheels.

    Raises:
        BuildError: Something is wrong with one, all of which it names.
    """
    complaints = []
    for wheel in wheels:
        target = next((target for target in TARGETS.values() if wheel.stem.endswith(f"_{target.machine}")), None)
        if target is None:
            raise BuildError(f"{wheel.name} is not named like a wheel for {', '.join(TARGETS)}")
        complaints += check_wheel(wheel, target, [PROJECT, Path.home()])
    if complaints:
        raise BuildError("\n".join(complaints))


def last_commit() -> int:
    """When the project was last committed to, in seconds since 1970: the date of all files in a wheel."""
    command = ["git", "-C", str(PROJECT), "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
