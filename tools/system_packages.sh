#!/bin/sh
# Installs the Debian packages that are still missing for a build. Usage: system_packages.sh [sudo]
set -eu

packages="g++ libtgowt-dev libabsl-dev libopus-dev libsrtp2-dev libssl-dev python3-dev python3-venv"

missing=""
for package in $packages; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "== Debian packages:$missing"
command -v apt-get >/dev/null || {
    echo "This system has no apt-get. Install the counterparts of these Debian packages by hand:$missing" >&2
    exit 1
}
export DEBIAN_FRONTEND=noninteractive
"$@" apt-get update --quiet --quiet
"$@" apt-get install --yes --quiet --quiet --no-install-recommends $missing
