#!/usr/bin/env bash
# make test-release: two releases of the same sources, made in other folders, with
# another umask, language and time zone, have the same sums; and the sums and the
# archive's program are right.
#   TARGETS=amd64:linux-amd64 for one architecture
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
targets=${TARGETS:-amd64:linux-amd64 arm64:linux-arm64 armhf:linux-armv7}
mkdir "$work/other"
# What is tracked, as it stands in the work tree.
git ls-files -z | xargs -0 tar -cf - | tar -C "$work/other" -xf -
# Secrets that lie in a work tree do not go out.
mkdir -p "$work/other/deploy/compose/secrets"
echo secret >"$work/other/deploy/compose/secrets/influx_token"
make=(make --no-print-directory release "RELEASE_TARGETS=$targets" VERSION=v0.0.1 COMMIT=0123456789abcdef BUILT=2026-01-01T00:00:00Z EPOCH=1767225600)
"${make[@]}" RELEASE="$work/one" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
(
  cd "$work/other"
  umask 077
  TZ=Asia/Jakarta LC_ALL=C.UTF-8 "${make[@]}" RELEASE="$work/two" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
)
cat "$work/one/SHA256SUMS"
diff "$work/one/SHA256SUMS" "$work/two/SHA256SUMS" || { echo "FAILED: two runs have other sums" >&2; exit 1; }
(cd "$work/two" && sha256sum --quiet -c SHA256SUMS)
[ "$(wc -l <"$work/one/SHA256SUMS")" -eq $((2 * $(wc -w <<<"$targets"))) ] || { echo "FAILED: files are missing" >&2; exit 1; }
tar -C "$work" -xzf "$work"/one/simpang_0.0.1_linux-amd64.tar.gz
said=$("$work/simpang_0.0.1_linux-amd64/simpang" version)
[ "$said" = "$(printf 'simpang v0.0.1\ncommit 0123456789abcdef\n%s linux/amd64' "$(go env GOVERSION)")" ] || { echo "FAILED: the program says $said" >&2; exit 1; }
echo "test-release: two runs are the same, byte for byte"
