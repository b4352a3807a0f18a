#!/bin/sh
# Install what make bench-peers compares with into a folder: PyTorch and ONNX Runtime (venv), OpenVINO (venv-ov)
# from PyPI, ONNX Runtime for node and sharp, which decodes its photos, from npm (node). Some 2 GB. OpenVINO and what
# comes from npm are left out where they do not exist for the system; make bench-peers says so.
#
#     scripts/setup_peers.sh PEERS
set -eu
[ $# -eq 1 ] && [ "${1#-}" = "$1" ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
mkdir -p "$1/node"
peers=$(cd "$1" && pwd)

python_packages() { # folder, packages
    venv=$peers/$1
    shift
    test -x "$venv/bin/python" || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
}
python_packages venv torch==2.15.0 torchvision==0.29.2 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 pillow==13.0.0
python_packages venv-ov openvino==2026.4.1 numpy==2.4.6 || {
    rm -rf "$peers/venv-ov"
    echo "without OpenVINO"
}

# The packages' own install scripts would fetch libraries for GPUs.
cd "$peers/node"
test -f package.json || echo '{"private": true}' > package.json
npm install --silent --ignore-scripts --no-audit --no-fund onnxruntime-node@1.30.0 sharp || echo "without ONNX Runtime for node"
echo "installed in $peers"
