#!/usr/bin/env bash
# make test-package: the Debian package in a clean Debian made with debootstrap:
# installed, configured, run as the unit runs it, upgraded while it runs, removed,
# purged. As root; it has namespaces of its own and leaves nothing but the clean
# root in its cache. systemctl is a small stand-in there: a chroot has no systemd.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" != inside ]; then
  [ "$(id -u)" -eq 0 ] || { echo "test-package.sh: needs root, for debootstrap and chroot" >&2; exit 2; }
  missing=()
  for tool in debootstrap:debootstrap mosquitto_pub:mosquitto-clients unshare:util-linux ip:iproute2 curl:curl; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool#*:}")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]} (Debian packages)"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  # shellcheck disable=SC1091 # Debian's
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  cache=${SIMPANG_ROOTS:-/var/cache/simpang-test}/$suite-$(dpkg --print-architecture).tar
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # Built beside the download of the clean root.
  make --no-print-directory "$(go env GOPATH)/bin/nfpm" >"$work/nfpm.log" 2>&1 &
  nfpm=$!
  if [ ! -s "$cache" ] || [ -n "$(find "$cache" -mtime +14)" ]; then
    echo "debootstrap $suite"
    debootstrap --variant=minbase --include=adduser "$suite" "$work/clean" http://deb.debian.org/debian >"$work/debootstrap.log" 2>&1 ||
      { tail -n 20 "$work/debootstrap.log"; exit 1; }
    mkdir -p "$(dirname "$cache")"
    rm -rf "$work/clean/var/cache/apt/archives"/*.deb
    tar -C "$work/clean" -cf "$cache.$$" . && mv "$cache.$$" "$cache"
    mv "$work/clean" "$work/root"
  else
    mkdir "$work/root"
    tar -C "$work/root" -xpf "$cache"
  fi
  wait $nfpm || { cat "$work/nfpm.log"; exit 1; }
  # Its own network (the package's ports may be in use here), mounts and processes:
  # all that it starts ends with it.
  unshare --net --mount --pid --fork --kill-child --mount-proc deploy/test-package.sh inside "$work"
  exit
fi

work=$2 root=$2/root
ip link set lo up
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
config=/etc/simpang/simpang.yaml
api=http://127.0.0.1:8080
step() { echo "-- $*"; }
die() {
  echo "FAILED: $*" >&2
  echo "the gateway said:" >&2
  tail -n 20 "$root/run/simpang.log" >&2 || true
  exit 1
}
in_root() { env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
as_gateway() { in_root runuser -u simpang -- "$@"; }
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
pid() { cat "$root/run/simpang.pid"; }
same() { running && [ "$(pid)" = "$1" ]; }
running() { [ -s "$root/run/simpang.pid" ] && kill -0 "$(pid)" 2>/dev/null; }
dpkg_() { in_root dpkg "$@" >"$work/said" 2>&1 || { cat "$work/said"; die "dpkg $*"; }; }
runs_version() { curl -fsS http://127.0.0.1:9090/metrics | grep -qF "simpang_build_info{version=\"$1\"} 1"; }

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
  lintian --fail-on error --tag-display-limit 0 "$root/1.0.0.deb" 2>&1 | grep -v 'root privileges' | tee "$work/said"
  ! grep -q '^E:' "$work/said" || die "lintian"
fi

# What systemd does with the unit, as far as the package's scripts ask for it.
cat >"$root/usr/local/bin/systemctl" <<'END'
#!/bin/sh
echo "$*" >>/run/systemctl.log
unit=/lib/systemd/system/simpang.service
alive() { [ -s /run/simpang.pid ] && kill -0 "$(cat /run/simpang.pid)" 2>/dev/null; }
stop() {
  alive || return 0
  kill -TERM "$(cat /run/simpang.pid)"
  while alive; do sleep 0.05; done
}
start() {
  runuser -u simpang -- $(sed -n 's/^ExecStartPre=//p' $unit) >>/run/simpang.log 2>&1 || return 1
  setsid runuser -u simpang -- sh -c "umask 0077; echo \$\$ >/run/simpang/pid; exec $(sed -n 's/^ExecStart=//p' $unit)" >>/run/simpang.log 2>&1 </dev/null &
  while [ ! -s /run/simpang/pid ]; do sleep 0.05; done
  mv /run/simpang/pid /run/simpang.pid
}
case "$1" in
is-active) alive ;;
start) start ;;
stop) stop ;;
restart) stop; start ;;
esac
END
chmod 0755 "$root/usr/local/bin/systemctl"
mkdir -p "$root/run/systemd/system" "$root/run/simpang"
chmod 1777 "$root/run/simpang"
files() { (cd "$root" && find . -path ./proc -prune -o -path ./run -prune -o -path ./tmp -prune -o -path ./var/lib/dpkg -prune -o -path ./var/cache -prune -o -path ./var/log -prune -o -print | LC_ALL=C sort); }
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
! grep -qE '^(re)?start' "$root/run/systemctl.log" || die "it was started"

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

step "run, as user simpang"
in_root systemctl start || die "start"
eventually "ready" in_root runuser -u simpang -- simpang health -ready -config $config
[ "$(stat -c %u "/proc/$(pid)")" = "$(in_root id -u simpang)" ] || die "it does not run as simpang"
publish() { # seq
  mosquitto_pub -h 127.0.0.1 -p 1883 -u "$device" -P "$secret" -q 1 -t "sg/v1/$device/up" \
    -m "{\"kind\":\"spot\",\"boot\":1,\"seq\":$1,\"at\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"occupied\":true}"
}
stored() { # how many readings
  local from
  from=$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%SZ)
  [ "$(curl -fsS -H "Authorization: Bearer $token" "$api/v1/devices/$device/readings?from=$from&to=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)" | grep -o '"seq":' | wc -l)" -eq "$1" ]
}
publish 1
eventually "the reading is answered" stored 1

restarts() { grep -c '^restart' "$root/run/systemctl.log" || true; }

step "upgrade while it runs: restarted once, edits are kept"
echo "# edited by us" >>"$root$config"
old=$(pid)
dpkg_ --force-confold -i /1.0.1.deb
[ "$(restarts)" -eq 1 ] || die "restarted $(restarts) times"
[ "$(pid)" != "$old" ] || die "the old program goes on"
eventually "1.0.1 answers" runs_version 1.0.1
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
old=$(pid) before=$(restarts)
echo "unknown_key: 1" >>"$root$config"
dpkg_ --force-confold -i /1.0.2.deb
says "NOT restarted" "the fault is told"
says "unknown_key" "the fault is named"
same "$old" || die "it was stopped"
[ "$(restarts)" -eq "$before" ] || die "it was restarted"
sed -i '/^unknown_key/d' "$root$config"
publish 4
eventually "it takes readings" stored 4

step "upgrade while it is stopped: it stays so"
in_root systemctl stop simpang.service
before=$(restarts)
dpkg_ --force-confold -i /1.0.2.deb
! running || die "it was started"
[ "$(restarts)" -eq "$before" ] || die "it was restarted"

step "remove: it ends, all is kept but the program"
in_root systemctl start
eventually "ready" in_root runuser -u simpang -- simpang health -ready -config $config
dpkg_ --remove simpang
! running || die "it runs on"
[ ! -e "$root/usr/bin/simpang" ] || die "the program is there"
grep -qx "# edited by us" "$root$config" || die "the configuration is gone"
[ -s "$root/var/lib/simpang/ledger.db" ] || die "the books are gone"

step "install again: it goes on where it was"
dpkg_ --force-confold -i /1.0.2.deb
as_gateway simpang verify -config $config >"$work/said" 2>&1 || { cat "$work/said"; die "verify"; }
in_root systemctl start
eventually "all readings are there" stored 4

step "purge: the configuration goes, the books stay"
dpkg_ --purge simpang
says "/var/lib/simpang is kept, with the books of money" "it says what it keeps"
! running || die "it runs on"
[ ! -e "$root/etc/simpang" ] || die "/etc/simpang is there"
[ -s "$root/var/lib/simpang/ledger.db" ] || die "the books are gone"
files | grep -v '^\./var/lib/simpang' | diff "$work/before" - >"$work/said" || true
grep '^>' "$work/said" | grep -vE '^> \./(etc/(passwd|group|shadow|gshadow|subuid|subgid)-|var/lib/(systemd|ucf|pam)(/.*)?)$' >"$work/left" || true
[ ! -s "$work/left" ] || { cat "$work/left"; die "this is left"; }

step "the books that stayed serve a new installation"
dpkg_ -i /1.0.2.deb
in_root cp -r /usr/share/simpang/inventory /etc/simpang/
in_root systemctl start
eventually "all readings are there" stored 4
in_root systemctl stop

step "purge of a package that has never run leaves nothing"
rm -rf "$root/var/lib/simpang"
dpkg_ --purge simpang
dpkg_ -i /1.0.2.deb
dpkg_ --purge simpang
for dir in etc/simpang var/lib/simpang var/backups/simpang; do
  [ ! -e "$root/$dir" ] || die "/$dir is left"
done
echo "test-package: all of it holds"
