#!/bin/sh
# Runs the workflow and compares what it answers. The program is the `keylane` in PATH, or
# what the variable KEYLANE names.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
keylane=${KEYLANE:-keylane}
failed=0

# check INPUT OUTPUT: the output without its white space.
check() {
    got=$("$keylane" run "$here" --quiet --input "$1" | tr -d ' \n') || got="exit code $?"
    if [ "$got" = "$2" ]; then
        echo "ok: $1"
    else
        echo "FAILED: $1 gave $got instead of $2"
        failed=1
    fi
}

check '{"text": "a b a"}' '{"words":3,"counts":{"a":2,"b":1}}'
check '{"text": "Red fish, \"blue\" fish."}' '{"words":4,"counts":{"blue":1,"fish":2,"red":1}}'
check '{"text": ""}' '{"words":0,"counts":{}}'

if "$keylane" run "$here" --quiet --input '{"text": 1}' 2>/dev/null; then
    echo "FAILED: a number was taken for a text"
    failed=1
else
    echo "ok: a number is no text"
fi
exit $failed
