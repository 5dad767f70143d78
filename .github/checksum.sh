#!/usr/bin/env bash
# Prints the checksum of the archive for a platform (Node's name) out of SHA256SUMS in the current folder.
set -euo pipefail
archive=stellarctl-$1.tar.gz

sum=$(awk -v file="$archive" '$2 == file { print $1 }' SHA256SUMS)
[ -n "$sum" ] || { echo "SHA256SUMS has no $archive" >&2; exit 1; }
echo "$sum"
