#!/usr/bin/env bash
# Prints what CHANGELOG.md says of the version of a tag, and nothing of others. Fails if it says nothing.
set -euo pipefail
version=${1#v}

notes=$(awk -v heading="## $version" '/^## / { within = ($0 == heading); next } within' "$(dirname "$0")/../CHANGELOG.md")
[ -n "$notes" ] || { echo "CHANGELOG.md has no \"## $version\"" >&2; exit 1; }
echo "$notes"
