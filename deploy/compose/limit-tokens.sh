#!/usr/bin/env bash
# After the first start, and after `series` was set or taken out of
# gateway/simpang.yaml: gives the gateway a token of InfluxDB that writes its bucket,
# and reads it only where `series` says so, and Grafana one that reads it, in place
# of the admin's. What it made before is void then.
set -euo pipefail
cd "$(dirname "$0")"
influx() { docker compose exec -T influxdb influx "$@"; }
bucket=$(influx bucket list --name simpang --hide-headers | cut -f 1)
[ -n "$bucket" ] || { echo "limit-tokens.sh: there is no bucket simpang: is influxdb up? docker compose ps" >&2; exit 1; }
token() { # for, rights...
  local made
  made=$(influx auth create --org simpang --description "$1" "${@:2}" --json | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
  [ -n "$made" ] || { echo "limit-tokens.sh: InfluxDB made no token for $1" >&2; return 1; }
  printf '%s\n' "$made"
}
old=$(influx auth list --json | tr -d ' \t\n' | sed 's/},{/}\n{/g' | sed -n '/"description":"simpang-\(gateway\|grafana\)"/s/.*"id":"\([0-9a-f]*\)".*/\1/p')
rights=(--write-bucket "$bucket")
grep -q '^series:' gateway/simpang.yaml && rights+=(--read-bucket "$bucket")
gateway=$(token simpang-gateway "${rights[@]}")
grafana=$(token simpang-grafana --read-bucket "$bucket")
# Into the files that the containers have mounted.
printf '%s\n' "$gateway" >secrets/influx_gateway_token
printf '%s\n' "$grafana" >secrets/influx_grafana_token
docker compose restart gateway grafana
for id in $old; do influx auth delete --id "$id" >/dev/null; done
echo "gateway and Grafana have tokens of their own; secrets/influx_token is the admin's, for InfluxDB alone"
