#!/usr/bin/env bash
# All tests in two runs of pytest: tests/gui on a real X11 server (Xvfb) with Qt's xcb platform, the rest without one.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup.sh dev

work=$(mktemp -d)
server=
cleanup() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

start_xvfb() {
    bash tools/system_packages.sh check
    # -displayfd: the server picks a free display and writes its number once it accepts connections.
    mkfifo "$work/display"
    Xvfb -displayfd 3 -screen 0 1920x1200x24 -nolisten tcp 3>"$work/display" 2>"$work/xvfb.log" &
    server=$!
    local number
    if ! read -r -t 30 number <"$work/display"; then
        echo "Xvfb did not start; the window tests cannot run:" >&2
        cat "$work/xvfb.log" >&2
        return 1
    fi
    window_environment=(env -u WAYLAND_DISPLAY "DISPLAY=:$number" QT_QPA_PLATFORM=xcb)
}

window_environment=(env)
if [[ $(uname) == Linux ]]; then
    start_xvfb
fi

pytest=(.venv/bin/python -m pytest -q --durations=5)
core=0 window=0
echo "== tests without a display"
QT_QPA_PLATFORM=offscreen "${pytest[@]}" --ignore=tests/gui || core=$?
echo "== window tests (${window_environment[*]: -2})"
"${window_environment[@]}" "${pytest[@]}" tests/gui || window=$?

if ((core || window)); then
    echo "== FAILED (pytest ended with $core without a display, $window in the window tests)" >&2
    exit 1
fi
echo "== all tests passed"
