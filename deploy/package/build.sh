#!/usr/bin/env bash
# The Debian packages, out of the binaries of `make build`:
#   build.sh VERSION EPOCH OUT
# The same binaries, version and EPOCH (seconds since 1970) give the same bytes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
version=$1 epoch=$2
mkdir -p "$3"
out=$(cd "$3" && pwd)
nfpm=${NFPM:-$(go env GOPATH)/bin/nfpm}

# v1.2.3 -> 1.2.3; v1.2.3-4-gabc -> 1.2.3+4.gabc; a bare commit sorts by its date,
# before any release.
case $version in
v[0-9]*) version=${version#v} version=${version/-/+} version=${version//-/.} ;;
[0-9]*.[0-9]*) ;;
*) version=0~$(date -u -d "@$epoch" +%Y%m%d%H%M%S).${version//-/.} ;;
esac

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
umask 022
cd "$root"
mkdir -p "$stage"/{systemd,udev,share,doc/examples}
install -m 0644 deploy/package/simpang.yaml "$stage/"
install -m 0644 deploy/package/{nfpm.yaml,overrides,postinst,prerm,postrm} "$stage/"
install -m 0644 deploy/systemd/simpang.service deploy/systemd/simpang-backup.service deploy/systemd/simpang-backup.timer "$stage/systemd/"
install -m 0644 deploy/udev/99-simpang-serial.rules "$stage/udev/"
cp -r configs/bekasi/inventory "$stage/share/inventory"
install -m 0644 deploy/package/copyright "$stage/doc/"
install -m 0644 configs/example.yaml deploy/systemd/simpang.service.d/credentials.conf "$stage/doc/examples/"
cp -r configs/maps configs/templates "$stage/doc/examples/"
for doc in CHANGELOG.md docs/operations.md docs/deployment.md docs/inventory.md docs/devices.md docs/api.md; do
  gzip -9nc "$doc" >"$stage/doc/${doc##*/}.gz"
done
printf 'simpang (%s) unstable; urgency=medium\n\n  * CHANGELOG.md.gz beside this file tells what changed.\n\n -- Simpang <simpang@simpang.id>  %s\n' \
  "$version" "$(LC_ALL=C date -u -R -d "@$epoch")" | gzip -9n >"$stage/doc/changelog.gz"

for target in ${TARGETS:-amd64:linux-amd64 arm64:linux-arm64 armhf:linux-armv7}; do
  install -m 0755 "${DIST:-dist}/${target#*:}/simpang" "$stage/simpang"
  find "$stage" -type d -exec chmod 0755 {} + -o -type f ! -name simpang -exec chmod 0644 {} +
  find "$stage" -exec touch -h -d "@$epoch" {} +
  (cd "$stage" && DEB_ARCH=${target%%:*} DEB_VERSION=$version SOURCE_DATE_EPOCH=$epoch "$nfpm" package --packager deb --target "$out/simpang_${version}_${target%%:*}.deb" >&2)
  echo "$out/simpang_${version}_${target%%:*}.deb"
done
