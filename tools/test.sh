#!/bin/sh
# test.sh VERSION...: every test on the first version, all but the slow ones on the others.
# What was tested, and what was not, is said at the end and kept in .venvs/tested.
set -u
tested=.venvs/tested
status=0
: >"$tested"

# What was skipped, and why: each reason once.
skipped() {
    tr '<' '\n' <"$results" | sed -n 's/^skipped [^>]*message="\([^"]*\)".*/\1/p' |
        sed 's/&quot;/"/g; s/&amp;/\&/g; s/&gt;/>/g' | sort | uniq -c |
        sed 's/^ *\([0-9]*\) */  skipped \1: /'
}

count() { sed -n "s/.*<testsuite [^>]*$1=\"\([0-9]*\)\".*/\1/p" "$results" | head -n 1; }

which="all tests"
select=""
for version in "$@"; do
    printf '\n== Python %s: %s ==\n' "$version" "$which"
    results=.venvs/$version/results.xml
    rm -f "$results"
    if ".venvs/$version/bin/python" -m pytest -m "$select" --junitxml="$results"; then
        outcome=passed
    else
        outcome=FAILED status=1
    fi
    echo "Python $version: $outcome ($which; $(count tests) run, $(count skipped) of them skipped)" >>"$tested"
    [ -f "$results" ] && skipped >>"$tested"
    which="all but the slow tests"
    select="not slow"
done
for version in 3.13 3.12 3.11; do
    case " $* " in
        *" $version "*) ;;
        *) echo "Python $version: not found, not tested" >>"$tested" ;;
    esac
done

echo
cat "$tested"
exit $status
