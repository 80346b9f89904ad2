# Sourced by run, test and build: where the checkout is, and how to make it ready.
# shellcheck shell=bash

packaging=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=${packaging%/*}
[ -n "${HOME-}" ] || unset HOME # an empty HOME would put caches and settings into /
unset PYTHONHOME

# prepare VENV LOCK [options]: does nothing, fast, where it is done already
prepare() {
    local python
    is_ready "$@" && return
    python=$(any_python)
    "$python" "$packaging/prepare.py" "$@" >&2
}

# The same question prepare.py asks, answered without starting a Python.
is_ready() {
    local installed=$root/$1/installed lock=$2 made_for=
    [ -x "$root/$1/bin/python" ] && [ -r "$installed/root" ] || return 1
    read -r made_for <"$installed/root" || true
    [ "$made_for" = "$root" ] && cmp -s "$packaging/$lock" "$installed/$lock" || return 1
    shift 2
    while [ $# -gt 0 ]; do
        [ "$1" != --system ] || cmp -s "$packaging/system-packages.txt" "$installed/system-$2" || return 1
        shift
    done
}

any_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    echo "vibedesk: Python 3.11 or newer is needed and none was found. On Debian and Ubuntu: sudo apt-get install python3 python3-venv" >&2
    return 1
}
