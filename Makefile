# The two commands are `make run` and `make test`; `make help` lists the rest.
# The work is done by scripts/, which can also be run by hand.

# Where `make run` listens and what it keeps; both are overridable: make run PORT=8090 DATA=/var/tmp/stepwell
PORT ?= 8083
DATA ?= data
# Further options for scripts/conformance: make conformance ARGS="--id X --verbose"
ARGS ?=
# How often `make crash` kills the server.
ROUNDS ?= 100

PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test unit compat compat-rust console lint fmt deny sim crash conformance jsonata-suite bench-jsonata \
  measure fuzz-smoke clean-data

help: ## Lists what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Installs what is missing, builds, starts the server, deploys and runs the samples, goes on serving
	@PORT=$(PORT) DATA=$(DATA) scripts/run

test: ## Every test: formatting, lints, Rust tests, the console in a browser, AWS clients against the built server
	@scripts/setup --for test
	@$(MAKE) --no-print-directory lint deny unit console compat

lint: ## Formatting and clippy, warnings are errors
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- --deny warnings

fmt: ## Formats the Rust code
	cargo fmt --all

deny: ## Licences and sources of the dependencies, where cargo-deny is installed
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --log-level error check licenses bans sources; \
	else echo "deny: cargo-deny is not installed, so licences are not checked (cargo install --locked cargo-deny)"; fi

unit: ## The Rust tests
	@if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --workspace --no-fail-fast; \
	else cargo test --workspace --no-fail-fast; fi

console: ## The console: lints, types, unit tests, then in Chromium against the debug server (ARGS go to Playwright)
	@scripts/setup --for test
	@scripts/console
	@scripts/console --packages
	cargo build --quiet --package stepwell
	cd console && npx biome ci . && npx tsc --noEmit && npx vitest run --silent
	cd console && npx playwright test $(ARGS)

compat: ## The debug server through boto3, the AWS CLI and raw sockets (ARGS go to pytest)
	@scripts/setup --for test
	cargo build --quiet --package stepwell
	$(PYTHON) -m pytest compat $(ARGS)

sim: ## The simulation of the engine over 10,000 seeds: crashes, failing disks, tasks that misbehave (SEEDS, FIRST)
	@scripts/sim

compat-rust: ## The debug server through the AWS SDK for Rust, which takes minutes to build the first time
	@scripts/compat-rust

crash: ## 100 rounds of kill -9 under load against the built server (ROUNDS, STEPWELL_CRASH_SEED)
	@scripts/setup --for test
	cargo build --quiet --package stepwell
	STEPWELL_CRASH_ROUNDS=$(ROUNDS) $(PYTHON) -m pytest compat/test_crash.py compat/test_map_runs.py $(ARGS)

conformance: ## The recorded cases of ../shared/conformance against the release server (ARGS go to its runner)
	@scripts/conformance $(ARGS)

jsonata-suite: ## The official cases of JSONata in ../shared/conformance, by the release binary
	@scripts/jsonata-suite

bench-jsonata: ## JSONata beside its engine alone and the npm package, in microseconds; a minute or two
	@compat/bench_jsonata

measure: ## The release server against its goals, with ../shared/bench; ten minutes on a quiet machine (ARGS=--quick: three)
	@scripts/measure $(ARGS)

fuzz-smoke: ## Replays the fuzz corpora; fuzzes each target for a short while where nightly and cargo-fuzz are there
	@scripts/fuzz-smoke

clean-data: ## Deletes what `make run` keeps
	rm -rf -- "$(DATA)"
