#!/bin/sh
# Finds a Python, makes the virtualenv, installs the pinned packages of the named file, compiles the messages.
# Does nothing the second time. Usage: setup.sh requirements.txt | requirements-dev.txt
set -eu
cd "$(dirname "$0")/.."
wanted=$1
venv=${VENV:-.venv}

stop() {
    echo "mahalla: $*" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

# The stamp names the packages and the place: a moved or half-made virtualenv is made again.
stamp_text() {
    cat "$@" | cksum
    pwd
}

lock() {
    mkdir -p "$venv" 2>/dev/null || stop "cannot write to $venv. Choose another place with VENV=/some/folder."
    until mkdir "$venv/.setup" 2>/dev/null; do
        owner=$(cat "$venv/.setup/pid" 2>/dev/null || true)
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -rf "$venv/.setup"; fi
        sleep 1
    done
    echo $$ >"$venv/.setup/pid"
    trap 'rm -rf "$venv/.setup"' EXIT
    trap 'exit 130' INT TERM
}

make_virtualenv() {
    if [ -x "$venv/bin/python" ] && new_enough "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    python=$(find_python)
    [ -n "$python" ] || stop "Python 3.11 or newer is needed and none was found ($(python3 --version 2>&1 || echo 'no python3')). Install it, or name one: make run PYTHON=/path/to/python3.12"
    echo "  · virtualenv in $venv ($("$python" --version 2>&1))"
    "$python" -m venv "$venv" >"$venv/.setup/log" 2>&1 ||
        stop "$python cannot make a virtualenv. On Debian and Ubuntu: apt install python3-venv; then try again. ($(tail -n 1 "$venv/.setup/log"))"
}

install_packages() {
    echo "  · packages of $wanted (about a minute the first time)"
    log=$venv/install.log
    if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -r "$wanted" >"$log" 2>&1; then
        if grep -qiE 'connection|timed out|resolve|temporary failure|network|proxy|no matching distribution|could not fetch' "$log"; then
            stop "the packages could not be downloaded. Check the network (behind a proxy set HTTPS_PROXY, with a mirror PIP_INDEX_URL), then start again. Details: $log"
        fi
        stop "the packages could not be installed: $(grep -iE '^ *error' "$log" | head -n 1 | cut -c 1-200). Details: $log"
    fi
}

[ -f "$wanted" ] || stop "there is no $wanted here"
lock
stamp=$venv/.installed-$wanted
if [ "$(cat "$stamp" 2>/dev/null)" != "$(stamp_text requirements.txt "$wanted")" ]; then
    make_virtualenv
    install_packages
    stamp_text requirements.txt "$wanted" >"$stamp"
    # The development list contains the other one.
    stamp_text requirements.txt requirements.txt >"$venv/.installed-requirements.txt"
fi

for catalogue in locale/*/LC_MESSAGES/django.po; do
    [ -f "$catalogue" ] || continue
    compiled=${catalogue%.po}.mo
    if [ ! -f "$compiled" ] || [ -n "$(find "$catalogue" -newer "$compiled")" ]; then
        "$venv/bin/python" -m babel.messages.frontend --quiet compile --use-fuzzy --input-file "$catalogue" --output-file "$compiled" >"$venv/messages.log" 2>&1 ||
            stop "the messages of $catalogue do not compile: $(tail -n 1 "$venv/messages.log")"
    fi
done
