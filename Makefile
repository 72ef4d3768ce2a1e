# Two commands matter: `make demo` and `make test`. Everything else is for builders.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-stamp
DEV_STAMP := $(VENV)/.setup-dev-stamp

COMETBFT_VERSION := v0.38.25

.PHONY: help setup setup-dev demo cometbft test test-slow test-consortium lint contracts contracts-setup web bench-ledger bench-capture bench-lookup bench-consortium bench-idle bench-joining bench-pools bench-book bench-finance bench-alignment bench-vertical bench-horizontal clean

help:            ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=python3.12 make …)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Tallystick into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(DEV_STAMP): $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,federation]'
	@touch $@

setup: $(STAMP)           ## build .venv with what running needs

setup-dev: $(DEV_STAMP)   ## the same with what testing and building need

demo: setup      ## a small consortium with a story; scan the code it prints
	@$(BIN)/tally demo

cometbft: setup  ## install the engine of distributed mode (needs Go 1.22 or newer)
	@command -v go >/dev/null || { echo "Go is missing: install it (1.22 or newer), then run 'make cometbft' again"; exit 2; }
	go install github.com/cometbft/cometbft/cmd/cometbft@$(COMETBFT_VERSION)
	@$(BIN)/python -c 'from ledger.consensus.cometbft import find_engine; print(find_engine())'

test: setup-dev  ## the test suite (minutes)
	$(BIN)/python -m pytest -m "not slow" -n 4 --dist worksteal

test-slow: setup-dev  ## the long tests (crash rounds, full disk, soak)
	$(BIN)/python -m pytest -m "slow and not consortium" -n 2 --dist load --maxschedchunk 1

test-consortium: setup-dev  ## faults of a consortium with real processes (needs the engine; a quarter of an hour)
	$(BIN)/python -m pytest -m consortium -n 2 --dist load --maxschedchunk 1

lint: setup-dev  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

$(VENV)/.setup-analysis-stamp: $(DEV_STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[analysis]'
	@touch $@

contracts-setup: $(VENV)/.setup-analysis-stamp

contracts: contracts-setup  ## rebuild check of the artifacts, Forge tests, Slither (needs Node.js)
	PATH="$(CURDIR)/$(BIN):$$PATH" contracts/toolchain/check

web: ## rebuild check of the page's vendored asset (needs Node.js)
	api/web/build/check

bench-ledger: setup-dev   ## transactions through JSON-RPC, beside anvil
	$(BIN)/python -m benchmarks.ledger

bench-capture: setup-dev  ## events from HTTP to provable
	$(BIN)/python -m benchmarks.capture

bench-lookup: setup-dev   ## consumer look-ups with proofs
	$(BIN)/python -m benchmarks.lookup

bench-consortium: setup-dev  ## four and seven validators: throughput and time to finality, beside CometBFT's kvstore
	$(BIN)/python -m benchmarks.consortium

bench-idle: setup-dev     ## four idle nodes for five minutes: processor, blocks, disk
	$(BIN)/python -m benchmarks.idle

bench-joining: setup-dev  ## state sync with a million slots and 100,000 blocks, beside replay
	$(BIN)/python -m benchmarks.joining

bench-pools: setup-dev    ## a pool of 1,500,000 assets: load, a day's changes, proofs
	$(BIN)/python -m benchmarks.pools

bench-book: setup-dev     ## 100,000 live receipts: list, filter, reconcile
	$(BIN)/python -m benchmarks.book

bench-finance: setup-dev  ## receipts issued, pledged, handed over, released, beside a plain route and the engine alone
	$(BIN)/python -m benchmarks.finance

bench-alignment: setup-dev  ## two parties' ids aligned over TLS, beside the bare multiplications
	$(BIN)/python -m benchmarks.alignment

bench-vertical: setup-dev  ## boosted trees of two parties over TLS: accuracy, time, bytes, beside pooled XGBoost
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[benchmarks]'
	$(BIN)/python -m benchmarks.vertical

bench-horizontal: setup-dev  ## banks with the same columns: federated, alone, pooled; with noise; unlike banks
	$(BIN)/python -m benchmarks.horizontal

clean:           ## remove what can be rebuilt
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
