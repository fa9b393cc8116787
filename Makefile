# make run    a live, simulated Bekasi on this machine
# make test   every test, with the race detector; installs what tests need
# make help   the rest
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
BUILT   ?= $(shell git log -1 --format=%cI 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.built=$(BUILT)
GOBIN   := $(shell go env GOPATH)/bin
LINT    := $(GOBIN)/golangci-lint
LINT_VERSION := v2.15.0
NFPM    := $(GOBIN)/nfpm
NFPM_VERSION := v2.44.0
EPOCH   ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
RELEASE ?= dist/release
RELEASE_TARGETS ?= amd64:linux-amd64 arm64:linux-arm64 armhf:linux-armv7
FUZZTIME ?= 5s
SOAK    ?= 30m
PLAIN   := ^(TestHistoryOverTheBorderOfHereAndThere|TestCertificatesOfAPastAreClosedAndBooked|TestDepositsAddUpInAnyOrder|TestKarcisEqualTheModel|TestWhatIsPlantedOnASpot|TestWhatIsPlantedOnARoad|TestWhatIsPlantedOnASite|TestDepositsCoverWhatIsDue|TestAMeterThatPrintsLessOrNothing)$$
STORES  := $(addprefix ./internal/,journal intake ledger occupancy traffic health watch command certificate)

.PHONY: help run test test-plain check lint bench eval soak build package release check-deploy test-package test-release tools servers fuzz clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

bin/simpang bin/firmware-sim: FORCE
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./$(if $(findstring firmware,$@),firmware-sim,cmd/simpang)
FORCE:

run: bin/simpang bin/firmware-sim ## the gateway and a simulated Bekasi; ends with Ctrl-C
	@deploy/run-bekasi.sh

test: servers ## every test, with the race detector but where one goroutine computes for long
	go test -race -timeout 30m -skip '$(PLAIN)' $$(go list ./... | grep -v /internal/endtoend)
	@# What drives real processes waits often: what computes is run beside it.
	@log=$$(mktemp); nice -n 10 $(MAKE) --no-print-directory test-plain >"$$log" 2>&1 & plain=$$!; \
	  go test -race -timeout 30m ./internal/endtoend && failed=0 || failed=1; \
	  wait $$plain || failed=1; cat "$$log"; rm -f "$$log"; exit $$failed

test-plain: # again, or for the first time, without the race detector
	go test -timeout 30m -run '$(PLAIN)' ./internal/app ./internal/ledger ./firmware-sim/fleet # long computations
	go test -timeout 30m -run 'Power|Unlink' $(STORES) # at all points: the race detector has a twentieth
	go test -timeout 30m ./internal/world # and many more seeds: its worlds have one goroutine each
	go test -timeout 30m ./internal/report/expect ./internal/eval # calibrations, and a town, compute in one goroutine
	go test -timeout 30m ./internal/source/sandbox # nothing bounds a script's memory under the race detector

check: ## the quick subset: vet and short tests
	go vet ./...
	go test -short -timeout 10m ./...

lint: $(LINT) ## golangci-lint, the house's import rule included
	$(LINT) run --allow-parallel-runners ./...

$(LINT):
	go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

servers: ## the servers that tests need, from Debian
	@deploy/install-test-servers.sh

fuzz: ## every fuzz target for FUZZTIME
	@deploy/fuzz-all.sh $(FUZZTIME)

soak: servers ## the long fault run: simulated worlds, and what else soak.sh has, for SOAK
	@deploy/soak.sh $(SOAK)

bench: servers ## speed, as ratios in one run; BENCHFLAGS=-quick for a tenth of it
	go run ./internal/bench $(BENCHFLAGS)

eval: ## how good the conclusions are, against a simulated truth; EVALFLAGS='-days 60 -sites 20' or '-only faults -seed 11' for less
	go run ./internal/eval $(EVALFLAGS)

build: ## static binaries for linux amd64, arm64 and armv7 in dist/
	@for target in $(RELEASE_TARGETS); do \
	  name=$${target##*:}; arch=$${name#linux-}; \
	  for p in cmd/simpang firmware-sim; do \
	    out=dist/$$name/$$(basename $$p); \
	    echo "$$out"; CGO_ENABLED=0 GOOS=linux GOARCH=$${arch%v7} GOARM=7 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $$out ./$$p; \
	  done; \
	done

package: build $(NFPM) ## Debian packages for amd64, arm64 and armhf in dist/package/
	@TARGETS='$(RELEASE_TARGETS)' deploy/package/build.sh '$(VERSION)' '$(EPOCH)' dist/package

release: build $(NFPM) ## archives, Debian packages and SHA256SUMS in dist/release/
	@TARGETS='$(RELEASE_TARGETS)' deploy/release.sh '$(VERSION)' '$(EPOCH)' '$(RELEASE)'
	@cat '$(RELEASE)/SHA256SUMS'

test-package: ## the package in a clean Debian: installed, run, upgraded, removed, purged (as root)
	@deploy/test-package.sh

check-deploy: ## Dockerfile and compose.yaml by BuildKit's and Compose's own code
	@go run -C deploy/check . ../..
	@if command -v shellcheck >/dev/null; then shellcheck -S warning -e SC2164 deploy/*.sh deploy/*/*.sh deploy/package/p*; fi

test-release: $(NFPM) ## two releases of the same sources are the same, byte for byte
	@deploy/test-release.sh

$(NFPM):
	go install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)

clean: ## what was built and the demonstration's data
	rm -rf bin dist .run
