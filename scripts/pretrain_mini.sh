#!/bin/sh
# Make demo/regraft-mini.onnx, the model of regraft demo, from nothing: regraft renders things that are no
# places and trains a narrow Inception-v3 on them. A few minutes on a quiet machine; the same file on every machine.
#
#     scripts/pretrain_mini.sh
#
# A run that was interrupted goes on when the script is called with the same WORK folder.
set -eu
cd "$(dirname "$0")/.."
work=${WORK:-$(mktemp -d)}
CGO_ENABLED=0 go run ./demo/pretrain -folder "$work" -out demo/regraft-mini.onnx
echo "photos and reports are in $work"
