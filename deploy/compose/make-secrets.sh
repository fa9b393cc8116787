#!/usr/bin/env bash
# The secrets of compose.yaml, in ./secrets or the folder given: passwords, tokens,
# an authority of our own and the certificate of Mosquitto. What is there stays.
#   make-secrets.sh [-n mqtt.example.id] [FOLDER]      -n: the name that devices dial
#   make-secrets.sh -d DEVICE [FOLDER]                 a user of Mosquitto, its secret on stdout
# Needs openssl 3. The folder is closed to others (0700); the files in it can be
# read by the users of the containers, to whom they are mounted one by one.
set -euo pipefail
name="" device=""
while getopts n:d: option; do
  case $option in
  n) name=$OPTARG ;;
  d) device=$OPTARG ;;
  *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
folder=${1:-$(cd "$(dirname "$0")" && pwd)/secrets}
umask 077
mkdir -p "$folder"
chmod 0700 "$folder"
cd "$folder"

secret() { openssl rand -hex 24; }

# A user of Mosquitto in the file of passwords; its secret is on stdin, since
# arguments are seen by others.
user() { # name
  printf '%s:%s\n' "$1" "$(cat)" >new
  if command -v mosquitto_passwd >/dev/null; then
    mosquitto_passwd -U new
  elif [ -x /usr/sbin/mosquitto_passwd ]; then
    /usr/sbin/mosquitto_passwd -U new
  else
    docker run --rm --network none -v "$PWD:/secrets" eclipse-mosquitto:2.0.20 mosquitto_passwd -U /secrets/new
  fi
  touch mqtt_passwords
  # Written in place: the file is mounted, and a new one of its name would not be seen.
  { grep -v "^$1:" mqtt_passwords || true; cat new; } >all
  cat all >mqtt_passwords
  rm -f new all
  chmod 0644 mqtt_passwords
}

if [ -n "$device" ]; then
  made=$(secret)
  user "$device" <<<"$made"
  echo "$device:$made"
  exit
fi

if [ ! -e mqtt_server.crt ]; then
  curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
  if [ ! -e mqtt_ca.crt ]; then
    openssl req -x509 "${curve[@]}" -days 3650 -subj "/CN=Simpang CA" -keyout mqtt_ca.key -out mqtt_ca.crt 2>/dev/null
  fi
  openssl req "${curve[@]}" -subj "/CN=${name:-mosquitto}" -keyout mqtt_server.key -out server.csr 2>/dev/null
  printf 'subjectAltName=DNS:mosquitto%s\nextendedKeyUsage=serverAuth\n' "${name:+,DNS:$name}" >extensions
  openssl x509 -req -in server.csr -CA mqtt_ca.crt -CAkey mqtt_ca.key -CAcreateserial -days 825 -extfile extensions -out mqtt_server.crt 2>/dev/null
  rm -f server.csr extensions
fi
for file in mqtt_gateway_password influx_password influx_token grafana_password; do
  [ -s "$file" ] || secret >"$file"
done
# Until limit-tokens.sh has made them lesser ones, after the first start.
for file in influx_gateway_token influx_grafana_token; do
  [ -s "$file" ] || cp influx_token "$file"
done
grep -qs '^simpang:' mqtt_passwords || user simpang <mqtt_gateway_password
# mqtt_ca.key is for new certificates only: move it to where no container runs.
chmod 0644 mqtt_ca.crt mqtt_server.crt mqtt_server.key mqtt_gateway_password influx_password influx_token influx_gateway_token influx_grafana_token grafana_password
echo "secrets are in $folder"
