"""Builds the two extension modules.

``telnyx_native._webrtc`` is C++ over libwebrtc (csrc/), ``telnyx_native._audio`` the Cython data plane
(src/telnyx_native/). Objects are compiled in parallel, and only when something they include has changed.

Environment: ``CXX``, ``CC``, ``CXXFLAGS``, ``LDFLAGS`` as usual; ``LIBWEBRTC_ROOT`` a folder that holds
usr/include/tg_owt and the static archives, if not the system's; ``TELNYX_NATIVE_BUILD`` = release, debug
(symbols are kept), a sanitizer (address, thread, undefined) or coverage; ``TELNYX_NATIVE_JOBS`` how many compilers run
at once; ``TELNYX_NATIVE_PYTHON_INCLUDE`` the folder of Python.h, if it is not for the Python that runs this (cross
builds).
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "tools"))

import linked  # noqa: E402 - of tools/

PACKAGES = "g++ libtgowt-dev libabsl-dev libopus-dev libsrtp2-dev libssl-dev python3-dev"

# Fatal where the project is developed; a user's newer compiler may know warnings that ours did not.
WARNINGS = ["-Wall", "-Wextra", *(["-Werror"] if (HERE / ".git").exists() else [])]
# libwebrtc is built with its debug checks on; with NDEBUG its classes would have other layouts.
COMMON = [
    "-O2",
    "-g0",
    "-fPIC",
    "-UNDEBUG",
    "-fvisibility=hidden",
    "-ffunction-sections",
    "-fstack-protector-strong",
    f"-ffile-prefix-map={HERE}/=",  # failed checks name their file; the module need not name this machine's folders
]
# Instrumented code makes gcc see uninitialized variables where there are none.
SANITIZED = ["-g", "-fno-omit-frame-pointer", "-Wno-maybe-uninitialized"]
VARIANTS = {
    "release": ["-g0", "-Wl,-s", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"],
    "debug": ["-g"],
    **{kind: [f"-fsanitize={kind}", *SANITIZED] for kind in ("address", "thread", "undefined")},
    "coverage": [
        "--coverage",
        "-fprofile-update=atomic",
        "-g",
        "-Wno-maybe-uninitialized",
        f"-ffile-prefix-map={HERE}/={HERE}/",
    ],
}
ARCHIVES = ["libtg_owt.a", "libsrtp2.a", "libssl.a", "libcrypto.a", "libopus.a"]
# Calls of these go to csrc/link/close_on_exec.c and csrc/link/srtp_sources.cc.
WRAPPED = ["accept", "epoll_create", "pipe", "socket", "srtp_dealloc", "srtp_unprotect", "srtp_unprotect_rtcp"]
LINK = [
    "-shared",
    "-static-libstdc++",
    "-Wl,-u,__cxa_pure_virtual",
    "-Wl,--gc-sections",
    "-Wl,--exclude-libs,ALL",
    "-Wl,-Bsymbolic",
    "-Wl,--as-needed",
    "-Wl,-z,relro,-z,now",
    "-Wl,--build-id=none",
    *(f"-Wl,--wrap={name}" for name in WRAPPED),
    f"-Wl,--version-script={HERE / 'csrc/link/exports.map'}",
]
LIBC = ["-lm", "-lpthread", "-ldl"]  # the last two are part of libc itself since glibc 2.34


class MissingPackages(SystemExit):
    """Something of the system's that the build needs is not there."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"\ntelnyx-native cannot be built: {what} not found.\n\n"
            f"On Debian 12 or Ubuntu 22.04 and newer, install what the build needs with\n\n"
            f"    sudo apt-get install {PACKAGES}\n\n"
            f"or a prebuilt wheel: pip install --only-binary=:all: telnyx-native\n\n"
            f"For other distributions see docs/wheels.md, From source.\n"
        )


class VulnerableOpenSsl(SystemExit):
    """The OpenSSL that would be linked in lets a stranger end calls."""

    def __init__(self, root: Path, version: str) -> None:
        system = "    sudo apt-get update && sudo apt-get install libssl-dev\n\n"
        other = f"    its packages below {root}, by newer ones of the distribution's security archive\n\n"
        super().__init__(
            f"\ntelnyx-native cannot be built: OpenSSL {version} is without the fix of {linked.FLAW}, so one packet\n"
            f"of a stranger would end the audio of a call. It is linked in; a later update would not reach it.\n\n"
            f"Upgrade (Debian 12 has the fix in 3.0.22-1~deb12u2 of its security archive, OpenSSL in "
            f"{' and '.join(f'{major}.{minor}.{patch}' for (major, minor), patch in linked.FIXED.items())}):\n\n"
            f"{system if root == Path('/') else other}"
            f"and build again.\n"
        )


class Toolchain:
    """Compilers, libwebrtc and where things are."""

    def __init__(self) -> None:
        self.cxx = shlex.split(os.environ.get("CXX", "g++"))
        self.cc = shlex.split(os.environ.get("CC", "gcc"))
        self.variant = os.environ.get("TELNYX_NATIVE_BUILD", "release")
        self.flags = [*COMMON, *WARNINGS, *VARIANTS[self.variant], *shlex.split(os.environ.get("CXXFLAGS", ""))]
        self.ldflags = [*LINK, *VARIANTS[self.variant], *shlex.split(os.environ.get("LDFLAGS", ""))]
        self.jobs = int(os.environ.get("TELNYX_NATIVE_JOBS") or os.cpu_count() or 1)
        self.root = Path(os.environ.get("LIBWEBRTC_ROOT", "/"))
        self.python = Path(os.environ.get("TELNYX_NATIVE_PYTHON_INCLUDE") or sysconfig.get_path("include"))

    def check(self) -> None:
        """Raise MissingPackages, naming the first thing that is not there, or VulnerableOpenSsl."""
        try:
            machine = subprocess.run([*self.cxx, "-dumpmachine"], capture_output=True, text=True, check=True)
            subprocess.run([*self.cc, "-dumpmachine"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            raise MissingPackages("a C++ compiler") from None
        # Debian's name, whatever the distribution calls it: x86_64-redhat-linux, x86_64-pc-linux-gnu.
        self.triplet = re.sub(r"^(\w+)-(\w+-)?linux(-gnu)?$", r"\1-linux-gnu", machine.stdout.strip())
        self.libraries = self.root / "usr/lib" / self.triplet
        self.headers = self.root / "usr/include/tg_owt"
        for header in (
            "tg_owt/api/peer_connection_interface.h",
            "absl/base/config.h",
            "srtp2/srtp.h",
            "openssl/evp.h",
        ):
            if not (self.root / "usr/include" / header).is_file():
                raise MissingPackages(f"the header {header}")
        for archive in ARCHIVES:
            if not (self.libraries / archive).is_file():
                raise MissingPackages(f"the library {archive}")
        if not (self.python / "Python.h").is_file():
            raise MissingPackages("the header Python.h")
        if not linked.openssl_is_fixed(self.root):
            version = ".".join(map(str, linked.openssl_version(self.root) or ("of unknown version",)))
            raise VulnerableOpenSsl(self.root, linked.package_versions(self.root).get("libssl-dev", version))

    def webrtc_flags(self) -> list[str]:
        """What a file needs to be compiled with the headers of libwebrtc."""
        return [*self.webrtc_defines, "-isystem", str(self.headers), *self.root_flags()]

    def python_flags(self) -> list[str]:
        """What a file needs to be compiled with Python's headers."""
        return [*headers_of(self.python), *self.root_flags()]

    def root_flags(self) -> list[str]:
        """What makes the compiler look into LIBWEBRTC_ROOT; the system's headers it finds by itself."""
        if self.root == Path("/"):
            return []
        include = self.root / "usr/include"
        return [f"-ffile-prefix-map={self.root}/=/", "-isystem", str(include), "-isystem", str(include / self.triplet)]

    @cached_property
    def webrtc_defines(self) -> list[str]:
        """The definitions libwebrtc was compiled with, as its CMake target states them."""
        targets = (self.libraries / "cmake/tg_owt/tg_owtTargets.cmake").read_text()
        found = re.search(r'libwebrtcbuild PROPERTIES\s+INTERFACE_COMPILE_DEFINITIONS "([^"]*)"', targets)
        if found is None:
            raise MissingPackages("the compile definitions of libtgowt")
        return [f"-D{define}" for define in found[1].split(";")]

    @cached_property
    def webrtc_date(self) -> str:
        """The day of libwebrtc's source, which it carries as a text: it has no version number."""
        stamp = re.search(rb"WebRTC source stamp (\d{4}-\d\d-\d\d)T", (self.libraries / ARCHIVES[0]).read_bytes())
        return stamp[1].decode() if stamp else "unknown"

    @cached_property
    def linked(self) -> str:
        """The packages that are linked in, with their versions, as a text."""
        return linked.listing(linked.package_versions(self.root))

    def webrtc_archives(self) -> list[str]:
        """The archives by hand: the CMake target would drag in X11 and ffmpeg."""
        abseil = sorted(str(archive) for archive in self.libraries.glob("libabsl_*.a"))
        ours = [str(self.libraries / archive) for archive in ARCHIVES]
        return ["-Wl,--start-group", *ours, *abseil, "-Wl,--end-group"]

    def compile(self, source: Path, output: Path, arguments: list[str]) -> None:
        """Compile one file, unless its object is newer than all it was made from."""
        command = [
            *(self.cc if source.suffix == ".c" else [*self.cxx, "-std=c++20"]),
            *self.flags,
            *arguments,
        ]
        command += ["-MMD", "-c", str(source), "-o", str(output)]
        recipe = output.with_suffix(".cmd")
        if is_fresh(output, recipe, command):
            return
        print(f"  compile {source.relative_to(HERE)}", flush=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        recipe.unlink(missing_ok=True)
        run(command, f"{source.relative_to(HERE)} does not compile; see the compiler's message above")
        recipe.write_text(shlex.join(command))

    def link(self, objects: list[Path], output: Path, archives: list[str], recipe: Path) -> None:
        """Link an extension module, and check that it is self-contained."""
        command = [*self.cxx, *map(str, objects), *self.ldflags, *archives, *LIBC, "-o", str(output)]
        newest = max(path.stat().st_mtime for path in objects)
        unchanged = recipe.exists() and recipe.read_text() == shlex.join(command)
        if unchanged and output.exists() and output.stat().st_mtime > newest:
            return
        print(f"  link {output.name}", flush=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        recipe.unlink(missing_ok=True)
        run(command, f"{output.name} cannot be linked; see the linker's message above")
        if self.variant == "release":
            check_undefined(output)
        recipe.write_text(shlex.join(command))


def headers_of(folder: Path) -> list[str]:
    """What makes the compiler find headers in a folder, and keep the folder's name out of what it makes of them."""
    return ["-isystem", str(folder), f"-ffile-prefix-map={folder}/="]


def run(command: list[str], failure: str) -> None:
    """Run a tool; if it fails, end with `failure` under its own message."""
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(failure)


def is_fresh(output: Path, recipe: Path, command: list[str]) -> bool:
    """Whether `output` was made by `command` after the last change of anything it includes."""
    dependencies = output.with_suffix(".d")
    if not (output.exists() and dependencies.exists() and recipe.exists()):
        return False
    if recipe.read_text() != shlex.join(command):
        return False
    made = output.stat().st_mtime
    files = dependencies.read_text().replace("\\\n", " ").split(": ", 1)[1].split()
    return all(file.exists() and file.stat().st_mtime <= made for file in map(Path, files))


def check_undefined(module: Path) -> None:
    """Fail if something but libc's versioned symbols and Python's is left undefined: it would fail at import."""
    command = ["readelf", "--wide", "--dyn-syms", str(module)]  # reads any architecture's, as nm does not
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    left = re.findall(r" GLOBAL +DEFAULT +UND (\S+)", listing)
    strays = [name for name in left if "@" not in name and not name.startswith(("Py", "_Py"))]
    if strays:
        module.unlink()
        raise SystemExit(f"{module.name} needs symbols that nothing provides: {' '.join(strays)}")


class BuildExtensions(build_ext):
    """build_ext that compiles each source once, in parallel, into a folder that outlives the build."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.toolchain = Toolchain()
        suffix = self.get_ext_filename("").strip(".")  # names the Python and the machine that the module is for
        self.objects = HERE / "build" / f"{suffix.removesuffix('.so')}-{self.toolchain.variant}"

    def build_extensions(self) -> None:
        self.toolchain.check()
        super().build_extensions()

    def build_extension(self, extension: Extension) -> None:
        sources = [self.translated(Path(source)) for source in extension.sources]
        objects = [self.objects / source.relative_to(HERE).with_suffix(".o") for source in sources]
        with ThreadPoolExecutor(self.toolchain.jobs) as pool:
            list(pool.map(self.compile_one, sources, objects))
        archives = self.toolchain.webrtc_archives() if is_webrtc(extension) else []
        module = Path(self.get_ext_fullpath(extension.name))
        self.toolchain.link(objects, module, archives, HERE / "build" / f"{module.name}.cmd")

    def compile_one(self, source: Path, output: Path) -> None:
        toolchain = self.toolchain
        include = ["-I", str(HERE / "csrc")]
        if source.is_relative_to(self.objects):  # made by Cython, with warnings of its own
            toolchain.compile(source, output, [*include, *toolchain.python_flags(), "-w"])
            return
        if "bindings" in source.parts:
            import pybind11

            if source.name == "versions.cc":
                include += [f'-DTELNYX_NATIVE_LIBWEBRTC_DATE="{toolchain.webrtc_date}"']
                include += [f'-DTELNYX_NATIVE_LINKED="{linked.MARK}{toolchain.linked}"']
            include += [*toolchain.python_flags(), *headers_of(Path(pybind11.get_include()))]
        toolchain.compile(source, output, [*toolchain.webrtc_flags(), *include])

    def translated(self, source: Path) -> Path:
        """The C++ of a Cython source; any other source as it is."""
        if source.suffix != ".pyx":
            return HERE / source
        from Cython.Compiler.Main import compile as cythonize

        output = self.objects / source.with_suffix(".cpp")
        if not output.exists() or output.stat().st_mtime < source.stat().st_mtime:
            print(f"  cython {source}", flush=True)
            output.parent.mkdir(parents=True, exist_ok=True)
            if cythonize(str(source), output_file=str(output), cplus=True).num_errors:
                raise SystemExit(f"{source} does not compile")
        return output


def is_webrtc(extension: Extension) -> bool:
    return extension.name == "telnyx_native._webrtc"


def sources(*folders: str) -> list[str]:
    return sorted(
        str(path.relative_to(HERE))
        for folder in folders
        for path in (HERE / folder).iterdir()
        if path.suffix in {".cc", ".c"}
    )


def require_glibc() -> None:
    """End, with what to do instead, on a system for which there is no libwebrtc to link."""
    if sys.platform != "linux":
        system = {"darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)
        instead = "in WSL 2, or in a container" if sys.platform == "win32" else "in a container or a virtual machine"
    elif "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""):
        system, instead = "a Linux with musl (Alpine)", "in an image with Debian, like python:3.13-slim"
    else:
        return
    raise SystemExit(
        f"\ntelnyx-native does not run on {system}: the libwebrtc inside is Debian's, for Linux and glibc.\n\n"
        f"Run your program {instead}. On x86_64, aarch64 and armv7l with glibc 2.28 or newer,\n"
        f"`pip install telnyx-native` needs no compiler.\n"
    )


require_glibc()
setup(
    ext_modules=[
        Extension("telnyx_native._audio", ["src/telnyx_native/_audio.pyx", "csrc/link/old_libc.c"]),
        Extension("telnyx_native._webrtc", sources("csrc/rtc", "csrc/link", "csrc/bindings")),
    ],
    cmdclass={"build_ext": BuildExtensions},
)
