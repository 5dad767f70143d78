#!/usr/bin/env bash
# Shows for each row of test/regressions.txt that its test is red without the sources that cured it: bash scripts/regressions.sh COMMIT
# It puts src and docs of that commit beside today's tests, in a copy, and runs each test by its name. A row that stays green is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
rm -rf "${copy:?}"/{src,docs} && git archive "$1" src docs | tar -x -C "$copy"
ln -s "$PWD/node_modules" "$copy/node_modules"
green=0
while IFS=$'\t' read -r finding file name; do
  if (cd "$copy" && timeout 120 node_modules/.bin/node --test --test-name-pattern "$name" "$file") >"$copy/out" 2>&1 && ! grep -q '^ℹ pass 0' "$copy/out"; then
    green=$((green + 1)) && echo "GREEN $finding: $name"
  else echo "red   $finding: $name"; fi
done <test/regressions.txt
[ "$green" -eq 0 ]
