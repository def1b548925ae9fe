#!/bin/sh
# Prints the Pythons that the project can be tested on, as lines of "version path", newest first.
#
# A Python counts only if it runs here and has what the project needs of its standard library
# (Debian may have left out venv, a home-made build sqlite3). Where there is neither 3.13 nor 3.12
# nor 3.11, any newer python3 will do.

check='import ensurepip, sqlite3, ssl, sys, venv
assert sys.version_info >= (3, 11)
print("%d.%d" % sys.version_info[:2])'

# What may be Python $1, best first. The shims of pyenv are slow and may be there for a Python that
# is switched off: what lies behind them is looked at instead.
candidates() {
    (IFS=:; for folder in $PATH; do
        case $folder in
            */.pyenv/shims) ls -d "${folder%/shims}/versions/$1"*/bin/python ;;
            *) echo "$folder/python$1" ;;
        esac
    done)
    ls -d "${HOME:-/nowhere}"/.pyenv/versions/"$1"*/bin/python
    (IFS=:; for folder in $PATH; do echo "$folder/python3"; done)
} 2>/dev/null

# The first candidate that is of version $1, or of any if that is empty.
find_python() {
    candidates "$1" | while read -r python; do
        [ -x "$python" ] || continue
        found=$("$python" -I -c "$check" 2>/dev/null </dev/null) || continue
        if [ "${1:-$found}" = "$found" ]; then
            echo "$found $python"
            break
        fi
    done
}

pythons=$(for version in 3.13 3.12 3.11; do find_python "$version"; done)
pythons=${pythons:-$(find_python "")}
if [ -z "$pythons" ]; then
    echo "No usable Python 3.11 or newer was found: please install one (with its venv module)" \
        "so that python3.13, python3.12, python3.11 or python3 runs, and try again." >&2
    exit 1
fi
echo "$pythons"
