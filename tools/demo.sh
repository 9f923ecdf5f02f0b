#!/usr/bin/env bash
# The example in the window; where there is no display, through the headless program, scored against its ground truth.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup.sh run
python=.venv/bin/python
first_mask=examples/masks/00000.png

if [[ $(uname) == Darwin || -n ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]]; then
    bash tools/system_packages.sh check
    exec "$python" interactive_gui.py --video examples/example.mp4 --masks "$first_mask" \
        --workspace demo-output/workspace
fi

echo "== no display: propagating the first mask of the example through the video"
mkdir -p demo-output
rm -rf demo-output/masks demo-output/overlay.mp4 demo-output/stats.json
"$python" propagate.py --video examples/example.mp4 --masks "$first_mask" --output demo-output/masks \
    --overlay demo-output/overlay.mp4 --stats demo-output/stats.json
"$python" -m evaluation.score --gt examples/masks --pred demo-output/masks
"$python" - <<'PY'
import json

stats = json.load(open("demo-output/stats.json"))
print(f"frames/s  {stats['frames_per_second']:.2f}  ({stats['engine']} engine on {stats['device']})")
PY
echo "overlay   demo-output/overlay.mp4"
