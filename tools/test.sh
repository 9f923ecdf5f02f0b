#!/usr/bin/env bash
# All tests in two runs of pytest: tests/gui on a real X11 server (Xvfb) with Qt's xcb platform, the rest without one.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup.sh dev

pytest=(.venv/bin/python -m pytest -q --durations=5)
on_display=(bash tools/with_xvfb.sh)
# Elsewhere Qt draws off screen (tests/conftest.py).
[[ $(uname) == Linux ]] || on_display=(env)

core=0 window=0
echo "== tests without a display"
QT_QPA_PLATFORM=offscreen "${pytest[@]}" --ignore=tests/gui || core=$?
echo "== window tests on a display"
"${on_display[@]}" "${pytest[@]}" tests/gui || window=$?

if ((core || window)); then
    echo "== FAILED (exit codes: $core without a display, $window in the window tests)" >&2
    exit 1
fi
echo "== all tests passed"
