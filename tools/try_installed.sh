#!/bin/sh
# Installs the wheel for a Python from a folder, without a compiler, and makes the call of `telnyx-native demo`.
# Usage: try_installed.sh FOLDER VERSION
# A Python of that version is taken from the machine, or fetched by uv where the distribution has none.
set -eu

folder=$1
version=$2
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

if command -v "python$version" >/dev/null && "python$version" -m venv "$home/environment"; then
    :
else
    python3 -m venv "$home/uv"
    "$home/uv/bin/pip" --quiet install --upgrade pip
    "$home/uv/bin/pip" --quiet install uv
    "$home/uv/bin/uv" venv --quiet --seed --python "$version" "$home/environment"
fi
"$home/environment/bin/pip" --quiet install "$folder"/telnyx_native-*-cp"$(echo "$version" | tr -d .)"-*_"$(uname -m)".whl
"$home/environment/bin/telnyx-native" --version
cd "$home"
"$home/environment/bin/telnyx-native" demo
