#!/bin/sh
# venv.sh FOLDER VERSION LOCK: a virtual environment with what LOCK pins, and the project itself.
set -eu
folder=$1 version=$2 lock=$3

pythons=$(sh tools/pythons.sh)
python=$(echo "$pythons" | sed -n "s/^$version //p")

echo "Setting up $folder: Python $version, $lock"
rm -f "$folder"/ready-*
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

# An environment cannot be moved, nor does it survive its Python.
if [ "$(cat "$folder/made-in" 2>/dev/null)" != "$PWD" ] || ! "$folder/bin/python" -c ""; then
    "$python" -m venv --clear "$folder"
    pwd >"$folder/made-in"
fi
"$folder/bin/python" -m pip install --quiet --require-hashes --requirement "$lock"
"$folder/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
