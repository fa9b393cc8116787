#!/usr/bin/env bash
# The release, out of the binaries in dist/: an archive and a Debian package for
# each architecture, and SHA256SUMS.
#   release.sh VERSION EPOCH OUT
# The same sources, version and EPOCH (seconds since 1970) give the same bytes,
# wherever and by whomever it is run; test-release.sh holds it to that.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1 epoch=$2 out=$3
targets=${TARGETS:-amd64:linux-amd64 arm64:linux-arm64 armhf:linux-armv7}
rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
umask 022

# What goes into the archives beside the programs: of a work tree only what git
# tracks, since secrets may lie beside it (deploy/compose/secrets).
sources() {
  local -a paths=(README.md CHANGELOG.md LICENSE docs configs deploy)
  if [ -e .git ]; then
    git ls-files -z -- "${paths[@]}" ':!deploy/check'
  else
    find "${paths[@]}" -type f ! -path 'deploy/check/*' ! -path 'deploy/compose/secrets/*' -print0
  fi
}

TARGETS=$targets deploy/package/build.sh "$version" "$epoch" "$out" >/dev/null
for target in $targets; do
  name=simpang_${version#v}_${target#*:}
  mkdir "$stage/$name"
  sources | tar --null -T - -cf - | tar -C "$stage/$name" -xf -
  find "$stage/$name" -name '*.go' -delete
  install -m 0755 "dist/${target#*:}/simpang" "dist/${target#*:}/firmware-sim" "$stage/$name/"
  find "$stage/$name" -type d -exec chmod 0755 {} + -o -type f -perm /111 -exec chmod 0755 {} + -o -type f -exec chmod 0644 {} +
  LC_ALL=C tar -C "$stage" --sort=name --format=gnu --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -cf - "$name" | gzip -6n >"$out/$name.tar.gz"
done
cd "$out"
LC_ALL=C sha256sum -- *.tar.gz *.deb >SHA256SUMS
