#!/bin/sh
# Builds our own C++ and Cython with a sanitizer into a copy of the package, and runs the native tests on that copy.
# Usage: sanitize.sh address|thread PYTHON
set -eu

sanitizer=$1
python=$2
case $sanitizer in
    address) runtime=libasan.so ;;
    thread) runtime=libtsan.so ;;
    *) echo "unknown sanitizer: $sanitizer" >&2; exit 2 ;;
esac

copy=build/sanitize-$sanitizer
rm -rf "$copy"
mkdir -p "$copy"
cp -r python/telnyx_native "$copy/"
rm -f "$copy"/telnyx_native/*.so
TELNYX_NATIVE_BUILD=$sanitizer "$python" setup.py --quiet build_ext --build-lib "$copy"

# libtg_owt itself is not instrumented; what it does to memory that is ours is checked all the same.
export LD_PRELOAD="$(gcc -print-file-name=$runtime) $(gcc -print-file-name=libstdc++.so.6)"
export ASAN_OPTIONS=detect_leaks=0
export TSAN_OPTIONS="suppressions=$PWD/tools/tsan.supp history_size=7"
export PYTHONPATH=$copy:tests PYTHONMALLOC=malloc
# With real-time priority, a thread that spins on a lock inside the sanitizer keeps its holder from running for a second.
[ "$(id -u)" -ne 0 ] || ordinary="setpriv --bounding-set -sys_nice"
exec ${ordinary:-} setarch --addr-no-randomize "$python" -m pytest tests/native --override-ini pythonpath= --timeout 300 \
    --deselect tests/native/test_engine.py::test_the_extension_needs_nothing_but_libc
