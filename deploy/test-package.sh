#!/usr/bin/env bash
# make test-package: the Debian package in a clean Debian made with debootstrap,
# booted with its systemd in namespaces of its own: installed, configured, run,
# upgraded while it runs, removed, purged. As root, with cgroup 2. It leaves nothing
# behind but the clean root in its cache.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" -eq 0 ] || { echo "test-package.sh: needs root, for debootstrap and namespaces" >&2; exit 2; }
missing=()
for tool in debootstrap:debootstrap mosquitto_pub:mosquitto-clients unshare:util-linux ip:iproute2 curl:curl pgrep:procps; do
  command -v "${tool%%:*}" >/dev/null || missing+=("${tool#*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]} (Debian packages)"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
work=$(mktemp -d) root=$work/root init="" group=""
clean_up() {
  if [ -n "$init" ]; then
    kill -KILL "$init" 2>/dev/null || true
    wait 2>/dev/null || true
  fi
  [ -z "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

config=/etc/simpang/simpang.yaml
api=http://127.0.0.1:8080
step() { echo "-- $*"; }
die() {
  echo "FAILED: $*" >&2
  [ ! -s "$work/said" ] || { echo "-- said last:"; tail -n 20 "$work/said"; } >&2
  [ -z "$init" ] || in_root journalctl -u simpang.service --no-pager -n 30 >&2 || true
  exit 1
}
in_root() { nsenter -t "$init" -m -p -n -u -i -C -r env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }
as_gateway() { in_root runuser -u simpang -- "$@"; }
# From this machine's programs, over the other's network.
over() { nsenter -t "$init" -n "$@"; }
says() { grep -qF -- "$1" "$work/said" || { cat "$work/said"; die "$2: it does not say \"$1\""; }; }
is() { [ "$(in_root stat -c '%U:%G %a' "$1")" = "$2" ] || die "$1 is $(in_root stat -c '%U:%G %a' "$1"), not $2"; }
eventually() { # what command...
  local what=$1 end=$((SECONDS + 30))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || die "not within 30 s: $what"
    sleep 0.05
  done
}
pid() { in_root systemctl show -p MainPID --value simpang.service; }
running() { in_root systemctl is-active --quiet simpang.service; }
same() { running && [ "$(pid)" = "$1" ]; }
starts() { in_root journalctl -u simpang.service -o cat --no-pager | grep -c 'the gateway runs' || true; }
dpkg_() { in_root dpkg "$@" >"$work/said" 2>&1 || { cat "$work/said"; die "dpkg $*"; }; }
runs_version() { over curl -fsS http://127.0.0.1:9090/metrics | grep -qF "simpang_build_info{version=\"$1\"} 1"; }

# nfpm is built beside the download of the clean root.
make --no-print-directory "$(go env GOPATH)/bin/nfpm" >"$work/nfpm.log" 2>&1 &
nfpm=$!
# shellcheck disable=SC1091 # Debian's
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
cache=${SIMPANG_ROOTS:-/var/cache/simpang-test}/$suite-systemd-$(dpkg --print-architecture).tar
if [ ! -s "$cache" ] || [ -n "$(find "$cache" -mtime +14)" ]; then
  step "debootstrap $suite"
  debootstrap --variant=minbase --include=adduser,systemd,udev "$suite" "$root" http://deb.debian.org/debian >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log"; exit 1; }
  rm -rf "$root/var/cache/apt/archives"/*.deb
  mkdir -p "$(dirname "$cache")"
  tar -C "$root" -cf "$cache.$$" . && mv "$cache.$$" "$cache"
else
  mkdir "$root"
  tar -C "$root" -xpf "$cache"
fi
wait $nfpm || { cat "$work/nfpm.log"; exit 1; }

step "packages of three versions"
arch=$(dpkg --print-architecture)
for version in 1.0.0 1.0.1 1.0.2; do
  CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$version -X main.built=2026-01-01T00:00:00Z" -o "$work/$version/native/simpang" ./cmd/simpang
done
DIST=$work/1.0.0 TARGETS=$arch:native deploy/package/build.sh v1.0.0 1767225600 "$work" >/dev/null 2>"$work/said" || { cat "$work/said"; die "build.sh"; }
mv "$work"/simpang_1.0.0_*.deb "$root/1.0.0.deb"
# The later ones are the first with another program and another example
# configuration: to compress each again costs seconds.
dpkg-deb -R "$root/1.0.0.deb" "$work/later"
rm "$work/later/DEBIAN/md5sums"
echo "# a newer example" >>"$work/later/etc/simpang/simpang.yaml"
for version in 1.0.1 1.0.2; do
  install -m 0755 "$work/$version/native/simpang" "$work/later/usr/bin/simpang"
  sed -i "s/^Version: .*/Version: $version/" "$work/later/DEBIAN/control"
  dpkg-deb -Zgzip -z1 -b "$work/later" "$root/$version.deb" >/dev/null
done
if command -v lintian >/dev/null; then
  step "lintian"
  TMPDIR=$work lintian --fail-on error --tag-display-limit 0 "$root/1.0.0.deb" 2>&1 | grep -v 'root privileges' | tee "$work/said"
  ! grep -q '^E:' "$work/said" || die "lintian"
fi

step "boot"
unified=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$unified" ] || die "there is no cgroup 2 here, which systemd needs"
group=$unified/simpang-test.$$
mkdir "$group"
# Its own network (the package's ports may be in use here), mounts, processes and
# cgroups: all that it starts ends with it.
bash -c "echo \$\$ >'$group/cgroup.procs' && exec unshare --net --mount --pid --uts --ipc --cgroup --fork --kill-child deploy/test-package-init.sh '$root'" >"$work/boot.log" 2>&1 &
outer=$!
first() { init=$(pgrep -P "$outer" | head -n 1) && [ "$(cat "/proc/$init/comm")" = systemd ]; }
end=$((SECONDS + 30))
until first; do
  [ $SECONDS -lt $end ] || { cat "$work/boot.log"; init=""; die "systemd does not begin"; }
  sleep 0.05
done
eventually "systemd is up" in_root systemctl --quiet is-active basic.target

files() { (cd "$root" && find . -path ./proc -prune -o -path ./sys -prune -o -path ./run -prune -o -path ./tmp -prune -o -path ./dev -prune -o -path ./var/lib/dpkg -prune -o -path ./var/cache -prune -o -path ./var/log -prune -o -print | LC_ALL=C sort); }
files >"$work/before"

step "install"
dpkg_ -i /1.0.0.deb
says "not started" "a new gateway is not started before it is configured"
is /usr/bin/simpang "root:root 755"
is /etc/simpang "root:simpang 750"
is $config "root:simpang 640"
is /var/lib/simpang "simpang:simpang 700"
is /var/backups/simpang "simpang:simpang 700"
dpkg_ --verify simpang
[ ! -s "$work/said" ] || die "dpkg --verify: $(cat "$work/said")"
[ "$(in_root simpang version | head -n 1)" = "simpang 1.0.0" ] || die "version"
! running || die "it was started"

step "configure"
! as_gateway simpang check -config $config >"$work/said" 2>&1 || die "check takes a missing inventory"
says "inventory" "check"
in_root cp -r /usr/share/simpang/inventory /etc/simpang/
as_gateway simpang check -config $config >"$work/said" 2>&1 || { cat "$work/said"; die "check"; }
says "are sound" "check"
token=$(as_gateway simpang token -config $config -role admin -name test -expires 1h 2>/dev/null)
device=$(in_root sed -n '2s/,.*//p' /etc/simpang/inventory/devices.csv)
secret=$(as_gateway simpang device -config $config credentials "$device" 2>/dev/null)
secret=${secret#*:}

step "run, as the unit has it"
in_root systemctl enable --now simpang.service 2>/dev/null || die "start"
eventually "ready" in_root runuser -u simpang -- simpang health -ready -config $config
[ "$(in_root stat -c %U "/proc/$(pid)")" = simpang ] || die "it does not run as simpang"
in_root systemctl show -p StatusText simpang.service >"$work/said"
says "ready" "systemd is told"
publish() { # seq
  over mosquitto_pub -h 127.0.0.1 -p 1883 -u "$device" -P "$secret" -q 1 -t "sg/v1/$device/up" \
    -m "{\"kind\":\"spot\",\"boot\":1,\"seq\":$1,\"at\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"occupied\":true}"
}
stored() { # how many readings
  local from
  from=$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%SZ)
  [ "$(over curl -fsS -H "Authorization: Bearer $token" "$api/v1/devices/$device/readings?from=$from&to=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)" | grep -o '"seq":' | wc -l)" -eq "$1" ]
}
publish 1
eventually "the reading is answered" stored 1

in_root systemctl reload simpang.service || die "reload"
in_root systemctl start simpang-backup.service || { in_root journalctl --no-pager -n 20; die "backup"; }
[ -s "$(echo "$root"/var/backups/simpang/*/MANIFEST.json)" ] || die "there is no backup"

step "upgrade while it runs: restarted once, edits are kept"
echo "# edited by us" >>"$root$config"
old=$(pid)
dpkg_ --force-confold -i /1.0.1.deb
[ "$(pid)" != "$old" ] || die "the old program goes on"
eventually "1.0.1 answers" runs_version 1.0.1
in_root journalctl --sync
[ "$(starts)" -eq 2 ] || die "it was started $(starts) times"
grep -qx "# edited by us" "$root$config" || die "the edit is gone"
! grep -q "newer example" "$root$config" || die "the configuration was replaced"
grep -q "newer example" "$root$config.dpkg-dist" || die "the new example is not beside it"
is $config "root:simpang 640"
is /etc/simpang "root:simpang 750"
is /var/lib/simpang "simpang:simpang 700"
publish 1
publish 2
eventually "what came before is there, once, and new readings are taken" stored 2

step "an upgrade that is cut off before its last step lets the old program run"
old=$(pid)
dpkg_ --force-confold --unpack /1.0.2.deb
same "$old" || die "it was stopped"
publish 3
eventually "it takes readings" stored 3
dpkg_ --force-confold --configure simpang
eventually "1.0.2 answers" runs_version 1.0.2

step "a configuration that the new program refuses leaves the old one running"
old=$(pid)
echo "unknown_key: 1" >>"$root$config"
dpkg_ --force-confold -i /1.0.2.deb
says "NOT restarted" "the fault is told"
says "unknown_key" "the fault is named"
same "$old" || die "it was stopped"
sed -i '/^unknown_key/d' "$root$config"
publish 4
eventually "it takes readings" stored 4

step "secrets that systemd hands over are there for the check of an upgrade"
mkdir -p "$root/etc/systemd/system/simpang.service.d" "$root/etc/simpang/secrets"
echo secret >"$root/etc/simpang/secrets/dishub.password"
chmod 0600 "$root/etc/simpang/secrets/dishub.password"
cp deploy/systemd/simpang.service.d/credentials.conf "$root/etc/systemd/system/simpang.service.d/"
cp "$root$config" "$work/config"
echo '  - {id: dishub, type: mqtt, url: "tcp://127.0.0.1:1", username: simpang, password_file: /nowhere/password}' >>"$root$config"
! as_gateway simpang check -config $config >"$work/said" 2>&1 || die "check takes a missing secret"
in_root systemctl daemon-reload
in_root systemctl restart simpang.service || die "start with a credential"
old=$(pid)
dpkg_ --force-confold -i /1.0.2.deb
! grep -q "NOT restarted" "$work/said" || { cat "$work/said"; die "the check does not see the credential"; }
running && [ "$(pid)" != "$old" ] || die "it was not restarted"
cat "$work/config" >"$root$config"
rm -r "$root/etc/systemd/system/simpang.service.d" "$root/etc/simpang/secrets"
in_root systemctl daemon-reload
in_root systemctl restart simpang.service

step "upgrade while it is stopped: it stays so"
in_root systemctl stop simpang.service
dpkg_ --force-confold -i /1.0.2.deb
! running || die "it was started"

step "remove: it ends, all is kept but the program"
in_root systemctl start simpang.service
eventually "ready" in_root runuser -u simpang -- simpang health -ready -config $config
dpkg_ --remove simpang
! running || die "it runs on"
[ ! -e "$root/usr/bin/simpang" ] || die "the program is there"
[ -L "$root/etc/systemd/system/multi-user.target.wants/simpang.service" ] || die "whether it starts at boot is forgotten"
grep -qx "# edited by us" "$root$config" || die "the configuration is gone"
[ -s "$root/var/lib/simpang/ledger.db" ] || die "the books are gone"

step "install again: it goes on where it was"
dpkg_ --force-confold -i /1.0.2.deb
as_gateway simpang verify -config $config >"$work/said" 2>&1 || { cat "$work/said"; die "verify"; }
in_root systemctl start simpang.service
eventually "all readings are there" stored 4

step "purge: the configuration goes, the books stay"
dpkg_ --purge simpang
says "/var/lib/simpang is kept, with the books of money" "it says what it keeps"
! running || die "it runs on"
[ ! -e "$root/etc/simpang" ] || die "/etc/simpang is there"
[ -s "$root/var/lib/simpang/ledger.db" ] || die "the books are gone"
[ ! -e "$root/etc/systemd/system/multi-user.target.wants/simpang.service" ] || die "it would start at boot"
files | grep -vE '^\./var/(lib|backups)/simpang' | diff "$work/before" - >"$work/said" || true
grep '^>' "$work/said" | grep -vE '^> \./(etc/(passwd|group|shadow|gshadow|subuid|subgid)-|var/lib/(systemd|ucf|pam)(/.*)?)$' >"$work/left" || true
[ ! -s "$work/left" ] || { cat "$work/left"; die "this is left"; }

step "the books that stayed serve a new installation"
dpkg_ -i /1.0.2.deb
in_root cp -r /usr/share/simpang/inventory /etc/simpang/
in_root systemctl start simpang.service
eventually "all readings are there" stored 4
in_root systemctl stop simpang.service

step "purge of a package that has never run leaves nothing"
dpkg_ --purge simpang
rm -rf "$root/var/lib/simpang" "$root/var/backups/simpang"
dpkg_ -i /1.0.2.deb
dpkg_ --purge simpang
for dir in etc/simpang var/lib/simpang var/backups/simpang; do
  [ ! -e "$root/$dir" ] || die "/$dir is left"
done
echo "test-package: all of it holds"
