#!/usr/bin/env bash
# Installs the servers, the tools and the compiler that tests need from Debian's
# packages, and builds InfluxDB 1.8. A server that is not to be had fails the tests: it is never skipped.
set -euo pipefail
missing=()
command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
command -v chromium >/dev/null || missing+=(chromium)
command -v openssl >/dev/null || missing+=(openssl)
command -v victoria-metrics >/dev/null || missing+=(victoria-metrics)
# systemd-analyze and udevadm check what deploy/ holds; no systemd has to run.
command -v systemd-analyze >/dev/null || missing+=(systemd)
command -v udevadm >/dev/null || missing+=(udev)
# Its promtool tests the alerts; the dashboards are asked of a real one.
command -v prometheus >/dev/null || missing+=(prometheus)
# The race detector needs a C compiler.
command -v "$(go env CC)" >/dev/null || missing+=(gcc libc6-dev)
if [ ${#missing[@]} -ne 0 ]; then
  sudo=""
  if [ "$(id -u)" -ne 0 ]; then sudo="sudo"; fi
  echo "installing ${missing[*]} (Debian packages)"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
# InfluxDB 1.8 speaks the v2 write API and Flux; Debian's is 1.6, which does not.
if ! command -v influxd >/dev/null && [ ! -x "$(go env GOPATH)/bin/influxd" ]; then
  echo "building influxd v1.8.10 (go install; some minutes, once)"
  (cd / && go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10)
fi
