#!/bin/sh
# Installs the Debian packages that are still missing for a build or too old for it, or those named by PACKAGES.
# Usage: system_packages.sh [sudo]
set -eu

packages="${PACKAGES:-g++ libtgowt-dev libabsl-dev libopus-dev libsrtp2-dev libssl-dev python3-dev python3-venv}"

missing=""
for package in $packages; do
    if ! dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
        missing="$missing $package"
    elif [ "$package" = libssl-dev ] && command -v python3 >/dev/null && ! python3 "$(dirname "$0")/linked.py"; then
        missing="$missing $package" # an OpenSSL that setup.py refuses
    fi
done
[ -n "$missing" ] || exit 0

echo "== Debian packages:$missing"
command -v apt-get >/dev/null || {
    echo "This system has no apt-get. Install the counterparts of these Debian packages by hand:$missing" >&2
    exit 1
}
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
    "$@" >"$log" 2>&1 || { cat "$log" >&2; echo "This failed: $*" >&2; exit 1; }
}
echo "   reading the package lists ..."
quietly "$@" apt-get update
echo "   downloading and installing (with what they need, half a minute) ..."
quietly "$@" apt-get install --yes --no-install-recommends $missing
