#!/usr/bin/env bash
# Runs a command on a fresh virtual X server, with Qt's X11 platform: tools/with_xvfb.sh COMMAND [ARGUMENT...]
#
# Ends with the command's exit code; with 3 and the server's own words when the server cannot start.
set -euo pipefail
bash "$(dirname "$0")/system_packages.sh" check || exit 3

work=$(mktemp -d)
server=
cleanup() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

# -displayfd: the server picks a free display and writes its number once it accepts connections.
mkfifo "$work/display"
Xvfb -displayfd 3 -screen 0 1920x1200x24 -nolisten tcp 3>"$work/display" >"$work/log" 2>&1 &
server=$!
if ! read -r -t 60 number <"$work/display"; then
    echo "The virtual X server (Xvfb) did not start:" >&2
    cat "$work/log" >&2
    exit 3
fi
env -u WAYLAND_DISPLAY "DISPLAY=:$number" QT_QPA_PLATFORM=xcb "$@"
