"""What an ELF shared object says about itself, read with binutils' ``readelf``."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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
