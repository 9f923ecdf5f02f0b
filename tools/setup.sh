#!/usr/bin/env bash
# Prepares this checkout: system packages, .venv, requirements.
#
#   tools/setup.sh run     what the programs need
#   tools/setup.sh train   the same and what train.py can use
#   tools/setup.sh dev     what the programs, tests, lint and generation need
#
# Does nothing when it has already run for the same requirements and the same Python. PYTHON chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=$1
venv=.venv

requirements=(-r requirements.txt)
stamps=("$venv/.setup-run")
if [[ $purpose != run ]]; then
    requirements+=(-r "requirements-$purpose.txt")
    stamps+=("$venv/.setup-$purpose")
fi

find_python() {
    local python=${PYTHON:-python3}
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
        echo "Python 3.10 or newer is needed; '$python' is not. Set PYTHON to one that is." >&2
        return 1
    fi
    echo "$python"
}

make_venv() {
    local python=$1
    # Debian and Ubuntu keep ensurepip, which venv needs, in a package of its own.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
            apt-get update -qq
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv
        else
            echo "Python's venv module is missing. Run:" >&2
            echo "    sudo apt-get update && sudo apt-get install -y python3-venv" >&2
            return 1
        fi
    fi
    "$python" -m venv --clear "$venv"
}

torch_works() {
    # Importing torchvision registers its operators with torch, which fails when the two builds do not match.
    "$venv/bin/python" -c 'import torch, torchvision' 2>/dev/null
}

has_nvidia_driver() {
    [[ -e /proc/driver/nvidia/version ]] || command -v nvidia-smi >/dev/null
}

pip_install() {
    # Somebody at a terminal sees the download advance; a log gets errors only.
    local verbosity=--progress-bar=on
    [[ -t 1 ]] || verbosity=-qq
    "$venv/bin/python" -m pip --disable-pip-version-check install "$verbosity" "$@"
}

install_torch() {
    torch_works && return
    # On Linux the default builds carry gigabytes of CUDA libraries. Without a driver the CPU builds do the same work;
    # they must come as a pair from one index, so pip's other configured indexes are shut out for this one try.
    if [[ $(uname) == Linux ]] && ! has_nvidia_driver; then
        echo "== no NVIDIA driver: trying the CPU builds of torch and torchvision"
        if env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null \
            "$venv/bin/python" -m pip --disable-pip-version-check install -q --retries 0 --timeout 10 \
            --index-url https://download.pytorch.org/whl/cpu torch torchvision 2>/dev/null && torch_works; then
            return
        fi
        echo "== not available from here"
    fi
    # Left-overs that do not work together would count as installed.
    "$venv/bin/python" -m pip uninstall -qq --yes torch torchvision
    echo "== installing torch and torchvision (with CUDA on Linux: 2 GB to download, some minutes)"
    pip_install torch torchvision
}

bash tools/system_packages.sh install
python=$(find_python)
# The stamp also covers this script, so that a checkout which changes it sets up again.
fingerprint=$( ("$python" -VV; cat requirements*.txt tools/setup.sh) | cksum)
stamp=${stamps[${#stamps[@]} - 1]}
if [[ -f $stamp && $(<"$stamp") == "$fingerprint" ]] && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

version='import sys; print(sys.version_info[:2])'
if [[ $("$venv/bin/python" -c "$version" 2>/dev/null || true) != $("$python" -c "$version") ]]; then
    echo "== making $venv"
    make_venv "$python"
fi
install_torch
echo "== installing requirements"
pip_install "${requirements[@]}"
if ! torch_works; then
    echo "The requirements are installed, but torch and torchvision do not import:" >&2
    "$venv/bin/python" -c 'import torch, torchvision'
    exit 1
fi
for stamp in "${stamps[@]}"; do
    echo "$fingerprint" >"$stamp"
done
