"""What must be true of a wheel before it may be published."""

from __future__ import annotations

import re
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheels.targets import GLIBC_FLOOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheels.targets import Target


SIZE_LIMIT = 8_000_000
"""Bytes of a wheel."""

LIBC = re.compile(r"(libc|libm|libgcc_s|libpthread|libdl|librt|ld-linux[\w-]*)\.so\.\d+")
"""Libraries that may be needed: up to glibc 2.33, libpthread, libdl and librt are files beside libc."""

LICENCES = Path(__file__).parents[2] / "licenses"
NOTICES = ("LICENSE", "THIRD_PARTY_NOTICES.md", *(f"licenses/{path.name}" for path in sorted(LICENCES.glob("*.txt"))))
"""What a wheel must carry of licences, below the folder for them."""


def check_wheel(wheel: Path, target: Target, private_paths: Iterable[Path]) -> list[str]:
    """Everything that is wrong with a wheel, in words; empty if it is good.

    Args:
        wheel: The file.
        target: The architecture that it should be for.
        private_paths: Folders of this machine whose names must not be in it.

    Raises:
        zipfile.BadZipFile: It is no wheel.
    """
    complaints = [f"{wheel.name}: {complaint}" for complaint in _of_the_file(wheel, target)]
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
        modules = sorted(Path(folder).rglob("*.so"))
        if not modules:
            complaints.append(f"{wheel.name}: has no extension module")
        objects = {module: read_shared_object(module) for module in modules}
        for module, described in objects.items():
            name = module.name.split(".")[0]
            found = [*_of_the_module(name, described), *_of_the_bytes(module.read_bytes(), private_paths)]
            complaints += [f"{module.name}: {complaint}" for complaint in found]
        if not any(re.match(r"__\w+_chk@", symbol) for module in objects.values() for symbol in module.imports):
            complaints.append(f"{wheel.name}: is compiled without _FORTIFY_SOURCE")
    return complaints


def _of_the_file(wheel: Path, target: Target) -> Iterator[str]:
    if not wheel.name.endswith(f"-{target.platform}.whl"):
        yield f"is not tagged {target.platform}"
    if (size := wheel.stat().st_size) > SIZE_LIMIT:
        yield f"has {size} bytes, more than {SIZE_LIMIT}"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for notice in NOTICES:
        if not any(name.endswith(f".dist-info/licenses/{notice}") for name in names):
            yield f"is without {notice}"
    sources = [name for name in names if name.endswith((".c", ".cc", ".cpp", ".h", ".pyx"))]
    if sources:
        yield f"has sources: {' '.join(sources)}"


def _of_the_module(name: str, module: SharedObject) -> Iterator[str]:
    strays = {library for library in module.needed if not LIBC.fullmatch(library)}
    if strays:
        yield f"needs {_listed(strays)}"
    if module.search_paths:
        yield f"looks for libraries in {_listed(module.search_paths)}"
    if module.exports != {f"PyInit_{name}"}:
        yield f"exports {_listed(module.exports)} instead of PyInit_{name} alone"
    nobodys = {symbol for symbol in module.imports if not _is_provided(symbol)}
    if nobodys:
        yield f"needs symbols that nothing provides: {_listed(nobodys)}"
    too_new = {symbol for symbol in module.imports if _glibc_version(symbol) > GLIBC_FLOOR}
    if too_new:
        yield f"needs a glibc newer than {'.'.join(map(str, GLIBC_FLOOR))}: {_listed(too_new)}"
    if not module.binds_now:
        yield "is linked without -z now"
    if not module.protects_relocations:
        yield "is linked without -z relro"
    if not module.is_stripped:
        yield "is not stripped"
    if not any(symbol.startswith("__stack_chk_fail@") for symbol in module.imports):
        yield "is compiled without -fstack-protector"


def _of_the_bytes(code: bytes, private_paths: Iterable[Path]) -> Iterator[str]:
    for path in private_paths:
        if f"{path}/".encode() in code:
            yield f"names the folder {path}"


def _is_provided(symbol: str) -> bool:
    weak = {"__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable", "__cxa_finalize"}
    return "@" in symbol or symbol in weak or symbol.startswith(("Py", "_Py"))


def _glibc_version(symbol: str) -> tuple[int, ...]:
    found = re.search(r"@GLIBC_([\d.]+)", symbol)
    return tuple(map(int, found[1].split("."))) if found else ()


def _listed(names: Iterable[str]) -> str:
    return " ".join(sorted(names)) or "nothing"


@dataclass(frozen=True)
class SharedObject:
    """The parts of a shared object that decide where it can run, and how safely.

    Attributes:
        needed: The libraries that the loader must find.
        search_paths: What it has of RPATH and RUNPATH.
        exports: The symbols it defines for others.
        imports: The symbols it needs, with their versions: ``exp@GLIBC_2.29``.
        binds_now: Whether the loader resolves all symbols before any code runs.
        protects_relocations: Whether what the loader wrote is read-only afterwards (RELRO).
        is_stripped: Whether it has neither symbol table nor debug information.
    """

    needed: frozenset[str]
    search_paths: frozenset[str]
    exports: frozenset[str]
    imports: frozenset[str]
    binds_now: bool
    protects_relocations: bool
    is_stripped: bool


def read_shared_object(path: Path) -> SharedObject:
    """Read a shared object of any architecture.

    Raises:
        subprocess.CalledProcessError: It is none.
    """
    dynamic = _readelf("--dynamic", path)
    symbols = re.findall(r" (?:GLOBAL|WEAK|UNIQUE) +(?:DEFAULT|PROTECTED) +(\S+) (\S+)", _readelf("--dyn-syms", path))
    sections = _readelf("--sections", path)
    return SharedObject(
        needed=frozenset(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)),
        search_paths=frozenset(re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", dynamic)),
        exports=frozenset(name for section, name in symbols if section != "UND"),
        imports=frozenset(name for section, name in symbols if section == "UND"),
        binds_now=bool(re.search(r"\(BIND_NOW\)|\(FLAGS(?:_1)?\).*\bNOW\b", dynamic)),
        protects_relocations="GNU_RELRO" in _readelf("--program-headers", path),
        is_stripped=not re.search(r" \.(?:symtab|debug_info)\b", sections),
    )


def _readelf(what: str, path: Path) -> str:
    return subprocess.run(["readelf", "--wide", what, path], capture_output=True, text=True, check=True).stdout
