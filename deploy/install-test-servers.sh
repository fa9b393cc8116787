#!/usr/bin/env bash
# Installs the servers, the tools and the compiler that tests need from Debian's
# packages. A server that is not to be had fails the tests: it is never skipped.
set -euo pipefail
missing=()
command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
command -v chromium >/dev/null || missing+=(chromium)
command -v openssl >/dev/null || missing+=(openssl)
# systemd-analyze and udevadm check what deploy/ holds; no systemd has to run.
command -v systemd-analyze >/dev/null || missing+=(systemd)
command -v udevadm >/dev/null || missing+=(udev)
# Its promtool tests the alerts; the dashboards are asked of a real one.
command -v prometheus >/dev/null || missing+=(prometheus)
# The race detector needs a C compiler.
command -v "$(go env CC)" >/dev/null || missing+=(gcc libc6-dev)
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=""
if [ "$(id -u)" -ne 0 ]; then sudo="sudo"; fi
echo "installing ${missing[*]} (Debian packages)"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
