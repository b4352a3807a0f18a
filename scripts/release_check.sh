#!/bin/sh
# Build the linux/amd64 release of the last commit twice, in two folders and the second time with an empty build
# cache, and compare all bytes.
#
#     scripts/release_check.sh
set -eu
cd "$(dirname "$0")/.."
version=$(git describe --tags --always)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for copy in one two/deeper; do
	mkdir -p "$work/$copy"
	git archive HEAD | tar -x -C "$work/$copy"
done
make -C "$work/one" release PLATFORMS=linux/amd64 VERSION="$version"
GOCACHE="$work/cache" make -C "$work/two/deeper" release PLATFORMS=linux/amd64 VERSION="$version"
diff -r "$work/one/dist" "$work/two/deeper/dist"
echo "both builds have the same bytes:"
cat "$work/one/dist/SHA256SUMS"
