#!/bin/sh
# Count the instructions that one image through a model takes on arm64, on one thread under qemu: ONNX Runtime's and ours, each
# the difference of two programs that compute it once more and once less, so that loading is not in it. Takes an hour.
# Debian: qemu-user, gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, libstdc++6-arm64-cross.
#
#     scripts/arm64_peer.sh FOLDER MODEL      FOLDER is made, for ONNX Runtime's library and the counts
set -eu
[ $# -eq 2 ] && [ "${1#-}" = "$1" ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
version=1.32.0
mkdir -p "$1"
folder=$(cd "$1" && pwd)
model=$(realpath "$2")
cd "$(dirname "$0")/.."

# The library is part of the package for Python, its header of one for Go.
if ! test -e "$folder/onnxruntime/capi/libonnxruntime.so.1"; then
    python3 -m pip download --quiet --no-deps --only-binary=:all: --platform manylinux_2_28_aarch64 --python-version 3.12 \
        --dest "$folder" onnxruntime==$version
    python3 -m zipfile -e "$folder"/onnxruntime-*aarch64.whl "$folder"
    ln -sf libonnxruntime.so.$version "$folder/onnxruntime/capi/libonnxruntime.so.1"
fi
header=$(cd / && go mod download -json github.com/yalue/onnxruntime_go@v1.27.0 | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
aarch64-linux-gnu-gcc -O2 -Wall -I"$header" -o "$folder/ort_infer" scripts/peers/ort_infer.c \
    "$folder/onnxruntime/capi/libonnxruntime.so.1" -Wl,-rpath,"$folder/onnxruntime/capi"
cc -O2 -Wall -shared -fPIC -o "$folder/arm64_count.so" scripts/arm64_count.c
CGO_ENABLED=0 GOARCH=arm64 go build -o "$folder/regraft" ./cli/regraft

# ONNX Runtime asks the system for its processor, and ends where it is none of Arm's: a Neoverse N1, as qemu has it.
cpu=$folder/root/sys/devices/system/cpu
mkdir -p "$folder/root/proc" "$cpu/cpu0/topology"
ln -sfn /usr/aarch64-linux-gnu/lib "$folder/root/lib"
for file in possible present kernel_max cpu0/topology/physical_package_id cpu0/topology/cluster_cpus_list; do
    echo 0 > "$cpu/$file"
done
cat > "$folder/root/proc/cpuinfo" <<'CPU'
processor	: 0
Features	: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x3
CPU part	: 0xd0c
CPU revision	: 1

CPU

count() { # file for the counts, command
    out=$folder/$1.txt
    shift
    qemu-aarch64 -L "$folder/root" -cpu neoverse-n1 -plugin "$folder/arm64_count.so,out=$out" "$@"
}
# The collector would run after minutes, however little is to be collected: GOGC=off.
export GOGC=off
for n in 1 2; do
    count ort$n "$folder/ort_infer" "$model" $n
    count ours$n "$folder/regraft" bench infer -m "$model" -t 1 --runs $n
done
for who in ort ours; do
    echo "$who:"
    scripts/arm64_count.py "$folder/${who}2.txt" "$folder/${who}1.txt"
done
