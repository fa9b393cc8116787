#!/usr/bin/env bash
# `make run`: the gateway with its built-in broker on a simulated Bekasi. It
# prints the addresses and where the credentials are, and ends with Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."
config=configs/bekasi/simpang.yaml
data=.run/data
simpang=bin/simpang
mkdir -p "$data/keys"
chmod 700 .run "$data" "$data/keys"

bridge=$data/keys/simulator.credentials
admin=$data/keys/admin.token
if [ ! -s "$bridge" ]; then
  (umask 077; "$simpang" device -config "$config" -filters 'sg/v1/+/up,sg/v1/+/status,sg/v1/+/down' credentials simulator > "$bridge")
fi
# It is valid for 30 days, and made anew before they are over.
if [ ! -s "$admin" ] || [ -n "$(find "$admin" -mtime +28)" ]; then
  (umask 077; "$simpang" token -config "$config" -role admin -name "make run" -expires 720h > "$admin")
fi

children=()
stop() {
  trap - EXIT INT TERM
  # The fleet first, then the gateway, so that nothing is left on its way.
  for ((i = ${#children[@]} - 1; i >= 0; i--)); do
    kill -TERM "${children[$i]}" 2>/dev/null || true
    wait "${children[$i]}" 2>/dev/null || true
  done
}
trap stop EXIT
trap 'exit 0' INT TERM

"$simpang" serve -config "$config" &
children+=($!)
# The fleet connects when the broker listens, and tries again until then.
bin/firmware-sim run -scenario configs/bekasi/scenario.yaml -broker tcp://127.0.0.1:1883 -credentials "$bridge" ${SIM_FLAGS:-} &
children+=($!)

cat <<EOF

Simpang runs on a simulated Bekasi:
  pages and API  http://127.0.0.1:8080          try: curl 'http://127.0.0.1:8080/v1/parking/nearby?lat=-6.2360&lon=106.9990'
  MQTT           127.0.0.1:1883
  admin          http://127.0.0.1:9090/metrics
  credentials    $admin (an admin token), $bridge (the simulator's)
Ctrl-C stops it.

EOF
wait -n "${children[@]}"
