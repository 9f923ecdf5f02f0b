#!/usr/bin/env bash
# The system packages that PyQt5's window on X11, OpenCV and the window tests need on Linux.
#
#   tools/system_packages.sh install   as root on Debian/Ubuntu: install what is missing; otherwise print the line to
#                                      run. Ends with 0 in both cases: the headless program does not need them.
#   tools/system_packages.sh check     print the line to run and end with 1 if anything is missing.
set -euo pipefail

# One "shared object   package that holds it" per line. Testing for the object instead of the package's name also holds
# where a distribution has renamed the package (libglib2.0-0t64).
LIBRARIES='
libGL.so.1              libgl1
libEGL.so.1             libegl1
libgthread-2.0.so.0     libglib2.0-0
libfontconfig.so.1      libfontconfig1
libdbus-1.so.3          libdbus-1-3
libX11-xcb.so.1         libx11-xcb1
libxkbcommon-x11.so.0   libxkbcommon-x11-0
libxcb-cursor.so.0      libxcb-cursor0
libxcb-icccm.so.4       libxcb-icccm4
libxcb-image.so.0       libxcb-image0
libxcb-keysyms.so.1     libxcb-keysyms1
libxcb-randr.so.0       libxcb-randr0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0       libxcb-shape0
libxcb-util.so.1        libxcb-util1
libxcb-xfixes.so.0      libxcb-xfixes0
libxcb-xinerama.so.0    libxcb-xinerama0
libxcb-xkb.so.1         libxcb-xkb1
'

missing_packages() {
    local known object package
    known=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p)
    while read -r object package; do
        [[ -z $object || $known == *"$object "* ]] || echo "$package"
    done <<<"$LIBRARIES"
    command -v Xvfb >/dev/null || echo xvfb
    [[ -n $(find /usr/share/fonts /usr/local/share/fonts -name '*.[to]tf' -print -quit 2>/dev/null) ]] ||
        echo fonts-dejavu-core
}

[[ $(uname) == Linux ]] || exit 0
missing=$(missing_packages | tr '\n' ' ')
[[ -n $missing ]] || exit 0

if [[ $1 == install && $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    echo "== installing system packages: $missing"
    apt-get update -qq
    # shellcheck disable=SC2086  # one word per package
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    exit 0
fi
echo "The window and its tests need system packages that are missing here. Run:" >&2
echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $missing" >&2
command -v apt-get >/dev/null || echo "(names as on Debian and Ubuntu; other systems name them differently)" >&2
[[ $1 == install ]]
