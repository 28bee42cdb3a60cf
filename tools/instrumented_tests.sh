#!/bin/sh
# Builds our own C++ and Cython with a sanitizer, or to count coverage, into a copy of the package, and runs the native
# tests on that copy.
# Usage: instrumented_tests.sh address|thread|coverage PYTHON
set -eu

variant=$1
python=$2
libraries=
case $variant in
    address) libraries=libasan.so ;;
    thread) libraries=libtsan.so ;;
    coverage) ;;
    *) echo "unknown variant: $variant" >&2; exit 2 ;;
esac

copy=build/instrumented-$variant
rm -rf "$copy"
mkdir -p "$copy"
cp -r python/telnyx_native "$copy/"
rm -f "$copy"/telnyx_native/*.so
TELNYX_NATIVE_BUILD=$variant "$python" setup.py --quiet build_ext --build-lib "$copy"

export PYTHONPATH=$copy:tests
tests="-m pytest tests/native --override-ini pythonpath= --timeout 300
    --deselect tests/native/test_engine.py::test_the_extension_needs_nothing_but_libc"

if [ "$variant" = coverage ]; then
    find build -name '*.gcda' -delete
    "$python" $tests --numprocesses 3 --dist worksteal || echo "some tests failed; what they reached counts all the same" >&2
    # What Cython has generated names its source by a path that gcov does not find; that file is left out.
    exec "$python" -m gcovr --root . --filter csrc/audio/ --filter csrc/rtc/ --gcov-ignore-errors=no_working_dir_found \
        --gcov-ignore-parse-errors=negative_hits.warn --html-details "$copy/coverage.html" --txt - --fail-under-line 90 build
fi

# libtg_owt itself is not instrumented; what it does to memory that is ours is checked all the same.
export LD_PRELOAD="$(gcc -print-file-name=$libraries) $(gcc -print-file-name=libstdc++.so.6)"
export ASAN_OPTIONS=detect_leaks=0
export TSAN_OPTIONS="suppressions=$PWD/tools/tsan.supp history_size=7"
export PYTHONMALLOC=malloc
# With real-time priority, a thread that spins on a lock inside the sanitizer keeps its holder from running for a second.
[ "$(id -u)" -ne 0 ] || ordinary="setpriv --bounding-set -sys_nice"
exec ${ordinary:-} setarch --addr-no-randomize "$python" $tests
