#!/usr/bin/env bash
# Runs every fuzz target of the project for the given time each.
set -euo pipefail
time=${1:-5s}
count=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Go's coordinator sometimes takes the end of -fuzztime for an error of its own
# (golang/go#75804): the run then fails with this one line and nothing else. A
# finding always says more: a failing input, a panic, a worker that hung.
only_deadline() {
  [ "$(sed -n '/^--- FAIL: /,$p' "$log" | sed -n 2p)" = "    context deadline exceeded" ] &&
    [ "$(sed -n '/^--- FAIL: /,$p' "$log" | sed -n 3p)" = "FAIL" ] &&
    ! grep -qE 'Failing input|panic:|fatal error:|hung or terminated' "$log"
}

# Nor is a worker that it ends while that one makes an input smaller: the input
# then passes by itself.
only_minimizing() {
  local folder=$1 target=$2 input
  grep -q 'hung or terminated unexpectedly while minimizing' "$log" || return 1
  ! grep -qE 'panic:|fatal error:' "$log" || return 1
  input=$(sed -nE "s#.*Failing input written to (testdata/fuzz/$target/[0-9a-f]+)#\\1#p" "$log")
  [ -n "$input" ] && [ -f "$folder/$input" ] || return 1
  go test "./$folder" -run "^$target\$/^$(basename "$input")\$" -timeout 2m >>"$log" 2>&1 || return 1
  rm "$folder/$input"
}

fuzz() {
  local folder=$1 target=$2 try
  for try in 1 2 3; do
    go test "./$folder" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel 2 >"$log" 2>&1 && return 0
    only_deadline || only_minimizing "$folder" "$target" || return 1
    echo "fuzz $folder $target: found nothing, but Go took the end of its time for a failure; again ($try)"
  done
  return 1
}

while IFS=: read -r file target; do
  folder=$(dirname "$file")
  echo "fuzz $folder $target $time"
  fuzz "$folder" "$target" || { cat "$log"; exit 1; }
  tail -n 1 "$log"
  count=$((count + 1))
done < <(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed -E 's#^\./##; s/func //')
[ "$count" -gt 0 ] || { echo "no fuzz target was found"; exit 1; }
echo "$count fuzz targets ran"
