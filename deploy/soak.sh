#!/usr/bin/env bash
# The long fault run (make soak). Stages share the time; each is a function, and
# what fails says with which command it happens again. All stages run, also
# after one has failed.
#   deploy/soak.sh [30m]     SIMPANG_FROM=N begins the worlds at that seed
set -uo pipefail
cd "$(dirname "$0")/.."

soak=${1:-30m}
seconds=$(sed -E 's/([0-9]+)h/\1*3600+/; s/([0-9]+)m/\1*60+/; s/([0-9]+)s/\1+/; s/\+$//' <<<"$soak")
seconds=$((seconds))
((seconds > 0)) || { echo "soak.sh: $soak is no time: use 30m, 2h or 90s" >&2; exit 2; }

# Simulated worlds (internal/world): thousands of seeds, new ones every run.
worlds() { # seconds
	local from=${SIMPANG_FROM:-$((RANDOM * 32768 + RANDOM + 1000))}
	echo "worlds from seed $from on, for $1 s"
	SIMPANG_SOAK=$1s SIMPANG_FROM=$from SIMPANG_WORKERS=${SIMPANG_WORKERS:-$(nproc)} \
		go test -count=1 -timeout $(($1 + 600))s -run '^TestSoak$' -v ./internal/world |
		grep -Ev '^ *(=== |--- PASS)|: seed [0-9]+: [0-9a-f]{24} '
}

# An outage lasts for an hour where the soak is long enough for it.
((seconds < 4 * 3600)) || export SIMPANG_OUTAGE=${SIMPANG_OUTAGE:-1h}

# Real faults on real processes (internal/endtoend) in their long versions, one
# after the other from a random one on until the time is over.
faults() { # seconds
	local end=$((SECONDS + $1)) all failed=0 first n ran=0
	all=(TestKillNine TestBrokerGoneForLong TestAFollowerIsLockedOut TestStormOfLogins TestDevicesThatFlood TestHalfOpenLink
		TestSlowLink TestHalfOpenDevice TestDiskFull TestMosquittoDiesWithoutPersistence TestPoisonForDecoders TestPoisonForFollowers
		TestBrokerThatRedeliversEverything TestEventStreamsThatNobodyReads TestReload TestStop TestMosquittoRestarts)
	first=$((RANDOM % ${#all[@]}))
	for ((n = first; SECONDS < end; n++)); do
		local test=${all[n % ${#all[@]}]}
		if ! SIMPANG_LONG=1 go test -count=1 -timeout 60m -run "^$test\$" -v ./internal/endtoend | grep -E '_test.go|^(---|ok|FAIL|panic)'; then
			echo "again: SIMPANG_LONG=1 go test -run '^$test\$' ./internal/endtoend" >&2
			failed=1
		fi
		ran=$((ran + 1))
	done
	for ((n = first + ran; n < first + ${#all[@]}; n++)); do
		echo "no time for ${all[n % ${#all[@]}]}: give the soak more"
	done
	return $failed
}

# The power fails at thousands of other points than those of `make test`, under
# every store (internal/sqlite/powercut).
cuts() { # seconds
	local end=$((SECONDS + $1)) failed=0 base
	while ((SECONDS < end)); do
		base=$((RANDOM * 32768 + RANDOM))
		echo "power cuts drawn by $base"
		if ! POWERCUT_BASE=$base POWERCUT_TIMES=2 go test -count=1 -timeout 60m -run 'Power|Unlink' -v ./internal/{journal,intake,health,occupancy,traffic,ledger,watch} | grep -E 'power cuts|_test.go.*(Error|POWERCUT)|^(---|ok|FAIL|panic)'; then
			echo "again: POWERCUT_BASE=$base POWERCUT_TIMES=2 go test -run Power ./internal/...; a point that failed is named above" >&2
			failed=1
		fi
	done
	return $failed
}

# The stages, and their share of the time in per cent. Add yours here.
stages=(
	"worlds 40"
	"faults 50"
	"cuts 10"
)

failed=()
for stage in "${stages[@]}"; do
	read -r name share <<<"$stage"
	echo "== soak: $name"
	"$name" $((seconds * share / 100)) || failed+=("$name")
done
if ((${#failed[@]})); then
	echo "soak: failed: ${failed[*]}" >&2
	exit 1
fi
echo "soak: nothing found in $soak"
