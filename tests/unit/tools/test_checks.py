"""Each check finds what it is there for, in modules that a real compiler made."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from wheels.checks import NOTICES, SIZE_LIMIT, check_wheel, read_shared_object
from wheels.targets import TARGETS

if TYPE_CHECKING:
    from pathlib import Path

TARGET = TARGETS["x86_64"]
GOOD = """
#include <stdio.h>
#include <string.h>
__attribute__((visibility("default"))) void* PyInit_probe(void) {
  char text[64];
  snprintf(text, sizeof text, "%p", (void*)text);
  return strdup(text);
}
"""
FLAGS = ["-O2", "-fPIC", "-fvisibility=hidden", "-fstack-protector-all", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]
EXPORTED = '__attribute__((visibility("default")))'
LINK = ["-shared", "-Wl,-s", "-Wl,-z,relro,-z,now"]

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
Pack = Callable[..., "Path"]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Compiles a module, packs it into a wheel."""

    def _pack(
        source: str = GOOD, *, flags: list[str] = FLAGS, link: list[str] = LINK, tag: str = TARGET.platform
    ) -> Path:
        (tmp_path / "probe.c").write_text(source)
        module = tmp_path / "probe.so"
        subprocess.run(["gcc", *flags, tmp_path / "probe.c", *link, "-o", module], check=True)
        wheel = tmp_path / f"probe-1-cp311-cp311-{tag}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.write(module, "probe.cpython-311-x86_64-linux-gnu.so")
            for notice in NOTICES:
                archive.writestr(f"probe-1.dist-info/licenses/{notice}", "")
        return wheel

    return _pack


def complaints(wheel: Path, *paths: Path) -> str:
    return "\n".join(check_wheel(wheel, TARGET, paths))


def test_a_good_wheel_has_nothing_said_against_it(pack: Pack, tmp_path: Path) -> None:
    assert complaints(pack(), tmp_path) == ""


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"tag": "linux_x86_64"}, "is not tagged manylinux_2_28_x86_64"),
        ({"source": f"{GOOD}{EXPORTED} int more;"}, "exports PyInit_probe more"),
        ({"source": GOOD.replace("PyInit_probe", "PyInit_other")}, "instead of PyInit_probe alone"),
        ({"source": f"{GOOD}void nobody(void); {EXPORTED} void* keep = &nobody;"}, "that nothing provides: nobody"),
        ({"source": f"{GOOD}int arc4random(); {EXPORTED} void* keep = &arc4random;"}, "newer than 2.28: arc4random"),
        ({"link": [*LINK, "-Wl,-rpath,/opt/libraries"]}, "looks for libraries in /opt/libraries"),
        ({"link": [*LINK, "-Wl,--no-as-needed", "-lz"]}, "needs libz.so.1"),
        ({"link": [*LINK, "-Wl,-z,lazy"]}, "is linked without -z now"),
        ({"link": [*LINK, "-Wl,-z,norelro"]}, "is linked without -z relro"),
        ({"link": ["-shared", "-Wl,-z,relro,-z,now"]}, "is not stripped"),
        ({"flags": [*FLAGS, "-fno-stack-protector"]}, "is compiled without -fstack-protector"),
        ({"flags": [*FLAGS, "-U_FORTIFY_SOURCE"]}, "is compiled without _FORTIFY_SOURCE"),
    ],
)
def test_each_fault_is_found(pack: Pack, change: dict[str, object], complaint: str) -> None:
    assert complaint in complaints(pack(**change))


def test_a_folder_of_the_build_machine_is_found(pack: Pack, tmp_path: Path) -> None:
    leaky = GOOD + "__attribute__((used)) static const char* file = __FILE__;"
    assert f"names the folder {tmp_path}" in complaints(pack(leaky), tmp_path)


def test_what_should_not_be_in_the_file_or_is_missing_is_named(pack: Pack, tmp_path: Path) -> None:
    wheel = pack()
    bare = tmp_path / "bare" / wheel.name
    bare.parent.mkdir()
    with zipfile.ZipFile(bare, "w") as archive:
        archive.writestr("probe.pyx", bytes(SIZE_LIMIT))
    found = complaints(bare)
    for complaint in (
        "has no extension module",
        "is without LICENSE",
        "is without licenses/libopus-dev.txt",
        "has sources: probe.pyx",
        "bytes, more than",
    ):
        assert complaint in found


def test_another_architecture_is_read_as_well(tmp_path: Path) -> None:
    if not shutil.which("aarch64-linux-gnu-gcc"):
        pytest.skip("needs aarch64-linux-gnu-gcc")
    (tmp_path / "probe.c").write_text(GOOD)
    module = tmp_path / "probe.so"
    subprocess.run(["aarch64-linux-gnu-gcc", *FLAGS, tmp_path / "probe.c", *LINK, "-o", module], check=True)
    described = read_shared_object(module)
    assert described.exports == {"PyInit_probe"}
    assert described.binds_now
    assert described.is_stripped
