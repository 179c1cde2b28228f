# Two commands do everything on a fresh Debian 12 or newer machine with git, make and a Rust toolchain:
#   make demo    three real Bitcoin nodes, watched: prints the address of the page
#   make test    every check and test
# Both install what is missing, build, run; both are safe to repeat and fast when nothing is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# CI keeps its target folder outside the checkout, so that a fresh clone reuses what was built before.
export CARGO_TARGET_DIR ?= $(CURDIR)/target
SEED ?= $(shell date +%s)
export BMON_SEED := $(SEED)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: # what both commands need: build packages and one real node
	@scripts/setup

.PHONY: setup-tests
setup-tests: # the same, and what only tests need
	@scripts/setup --tests

.PHONY: setup-stack
setup-stack: # the same, and what `make demo-stack` runs beside bmon
	@scripts/setup --stack

.PHONY: demo
demo: setup ## three real nodes watched: prints the address of the page, until Ctrl-C
	@cargo build --release --package bmon
	@"$$CARGO_TARGET_DIR/release/bmon" demo

.PHONY: demo-stack
demo-stack: setup-stack ## the same with a real Prometheus, Alertmanager and node_exporter beside it
	@cargo build --release --package bmon
	@"$$CARGO_TARGET_DIR/release/bmon" demo --stack

.PHONY: test
test: setup-tests ## every check and test (seed printed; SEED=n repeats a run)
	@scripts/test

.PHONY: bitcoind-core
bitcoind-core: ## build Bitcoin Core from source as a second node version (about five minutes)
	@scripts/bitcoind-core

.PHONY: bench
bench: setup ## the figures of docs/benchmarks.md that need no nodes
	cargo bench --package bmon-corelog --package bmon-spool --package bmon-store --package bmon-server --package bmon-replay --package bmon-analysis

.PHONY: docs
docs: ## write the generated reference pages again
	BMON_BLESS=1 cargo test --quiet --package bmon --package bmon-corelog --test reference --package bmon-server --test api --package bmon-stack --test golden

.PHONY: soak
soak: soak-reading soak-demo soak-kill soak-outage soak-latency soak-delay soak-chain soak-alert soak-loki soak-sightings soak-window soak-store soak-fuzz soak-zero ## every count and duration that is too long for make test

.PHONY: soak-reading
soak-reading: setup-tests ## the log reader on a file of 1 GiB
	BMON_BENCH_MIB=1024 cargo bench --package bmon-corelog

.PHONY: soak-demo
soak-demo: setup-tests ## the demo's scenario ten times, everything staged found each time
	@scripts/soak-demo

.PHONY: soak-kill
soak-kill: setup-tests ## agent and server killed 50 times each while blocks and transactions flow
	BMON_KILLS=50 cargo test --release --package bmon --test live kill -- --nocapture

.PHONY: soak-outage
soak-outage: setup-tests ## the server away for two minutes
	BMON_OUTAGE_SECONDS=120 cargo test --release --package bmon --test live outage -- --nocapture

.PHONY: soak-latency
soak-latency: setup-tests ## from log line to API, memory, CPU, and what the agent costs bitcoind
	BMON_LATENCY_BLOCKS=100 BMON_LATENCY_SECONDS=120 cargo test --release --package bmon --test live latency -- --nocapture

.PHONY: soak-delay
soak-delay: setup-tests ## blocks held back by known delays arrive when they were released, 100 runs, with wrong clocks too
	BMON_DELAY_RUNS=100 BMON_DELAY_MORE_MS=50 cargo test --release --package bmon --test live propagation -- --nocapture

.PHONY: soak-alert
soak-alert: setup-tests ## fifty reorgs reach a webhook behind a real Alertmanager, which is away for a minute, and end
	BMON_ALERT_RUNS=50 BMON_ALERT_ENDS=1 BMON_ALERT_AWAY_SECONDS=60 cargo test --release --package bmon --test live alertmanager -- --nocapture

.PHONY: soak-loki
soak-loki: setup-tests ## a million log lines to Loki through kills and an outage, and how many a core pushes (LOKI_EXE=path: to that one too)
	BMON_LOKI_LINES=1000000 BMON_LOKI_OUTAGE_SECONDS=60 BMON_LOKI_SPEED_LINES=3000000 cargo test --release --package bmon --test live loki -- --nocapture --test-threads 1

.PHONY: soak-chain
soak-chain: setup-tests ## forks, splits and alerts on real nodes ten times, and once until every alert has ended
	BMON_CHAIN_RUNS=10 BMON_CHAIN_ENDS=1 cargo test --release --package bmon --test live chain -- --nocapture

.PHONY: soak-sightings
soak-sightings: setup-tests ## sightings of transactions a second, from twelve agents to durable and analysed
	cargo bench --package bmon-server --bench sightings

.PHONY: soak-window
soak-window: setup-tests ## memory of the transactions that a hundred nodes tell of in two hours
	cargo bench --package bmon-analysis --bench transactions

.PHONY: soak-store
soak-store: setup-tests ## size and speed of the store with 50 million sightings
	BMON_BENCH_SIGHTINGS=50000000 cargo bench --package bmon-store

.PHONY: soak-fuzz
soak-fuzz: setup-tests ## all fuzz targets, more than an hour in all (BMON_FUZZ_SECONDS for each)
	@scripts/soak-fuzz

.PHONY: soak-zero
soak-zero: ## make demo and make test in a fresh minimal Debian root (needs root and debootstrap)
	@scripts/soak-zero
