#!/bin/sh
# Installs each wheel that a folder has for this machine, without a compiler, and makes the call of `telnyx-native demo`.
# Usage: try_installed.sh FOLDER
# The Pythons are taken from the machine, or fetched by uv where the distribution has none.
set -eu

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

make_environment() { # VERSION FOLDER
    if command -v "python$1" >/dev/null && "python$1" -m venv "$2"; then
        return
    fi
    rm -rf "$2"
    if [ ! -x "$home/uv/bin/uv" ]; then
        python3 -m venv "$home/uv"
        "$home/uv/bin/pip" --quiet install --upgrade pip
        "$home/uv/bin/pip" --quiet install uv
    fi
    "$home/uv/bin/uv" venv --quiet --seed --python "$1" "$2"
}

for wheel in "$1"/telnyx_native-*_"$(uname -m)".whl; do
    version=$(expr "$wheel" : '.*-cp[0-9]*-cp3\([0-9]*t*\)-') || { echo "no wheel for this machine in $1" >&2; exit 1; }
    echo "== $wheel"
    make_environment "3.$version" "$home/$version"
    "$home/$version/bin/pip" --quiet install "$wheel"
    "$home/$version/bin/telnyx-native" --version
    "$home/$version/bin/telnyx-native" demo --output "$home/demo.wav"
done
