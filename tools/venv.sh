#!/bin/sh
# venv.sh FOLDER VERSION LOCK: a virtual environment with what LOCK pins, and the project itself.
set -eu
folder=$1 version=$2 lock=$3
began=$(date +%s)

pythons=$(sh tools/pythons.sh)
python=$(echo "$pythons" | sed -n "s/^$version //p")

rm -f "$folder"/ready-*
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

# An environment cannot be moved, nor does it survive its Python.
if [ "$(cat "$folder/made-in" 2>/dev/null)" != "$PWD" ] || ! "$folder/bin/python" -c ""; then
    "$python" -m venv --clear "$folder"
    pwd >"$folder/made-in"
fi
# Twice quiet: of what pip says, only errors are worth a line here.
pip() { "$folder/bin/python" -m pip --quiet --quiet "$@"; }
pip install --require-hashes --requirement "$lock"
pip install --no-deps --no-build-isolation --editable .
echo "$folder: Python $version with $lock, in $(($(date +%s) - began)) s"
