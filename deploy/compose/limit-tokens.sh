#!/usr/bin/env bash
# Once, after the first start: gives the gateway a token of InfluxDB that reads and
# writes its bucket, and Grafana one that reads it, in place of the admin's.
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
gateway=$(token gateway --read-bucket "$bucket" --write-bucket "$bucket")
grafana=$(token grafana --read-bucket "$bucket")
# Into the files that the containers have mounted.
printf '%s\n' "$gateway" >secrets/influx_gateway_token
printf '%s\n' "$grafana" >secrets/influx_grafana_token
docker compose restart gateway grafana
echo "gateway and Grafana have tokens of their own; secrets/influx_token is the admin's, for InfluxDB alone"
