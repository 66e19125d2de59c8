# `make help` lists what there is. Everything runs from .venv, which `setup` makes and keeps up to date.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

BIN := .venv/bin
CRATE := crypto/native
PACKAGES := biometric_idp crypto evoting loadtests mix_net services verifier tests
JOBS ?= 2
SCALE ?= 1000
CONTEST ?=
ISSUANCE ?=
export SCALE CONTEST ISSUANCE
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python

.PHONY: help setup web check lint lint-rust test test-full demo bench crash mutate tampered wheel lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## virtual environment, dependencies, native arithmetic, commands; quick when nothing changed
	@tools/setup.sh

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-rust: setup
	@tools/lint-rust.sh

check: lint lint-rust ## the inner loop: lint, types, import rules, fast tests (under 3 minutes)
	$(BIN)/pytest -q -n $(JOBS) -x -m "not full and not slow"

test: lint lint-rust web ## everything that must hold: lint, types, import rules, tests in Rust, TypeScript and Python (under 20 minutes)
	$(BIN)/pytest -n $(JOBS) --dist loadfile

test-full: setup web ## also the full sizes; long
	HYPOTHESIS_PROFILE=wide $(BIN)/pytest -n $(JOBS) --dist loadfile -m "full or not full"

demo: setup ## a whole election, verified; SCALE=1000 is one ballot for a thousand, CONTEST=referendum only that one
	@$(BIN)/evoting-demo

bench: setup ## measure, write var/bench.json and a table; FULL=1 for a million ciphertexts
	@$(BIN)/python -m loadtests.bench

crash: setup ## kill -9 of identity provider and issuers, 200 times under load, both databases; goes on if interrupted
	@$(BIN)/python -m tests.crash

mutate: setup ## replace each verifier equation by "pass" and see that a test fails
	@$(BIN)/python -m tests.mutation

tampered: setup ## write a corpus of records with one defect each, for authors of other verifiers
	@$(BIN)/python -m tests.tampered

web: ## build the pages of the identity and the voting host into web/dist
	@tools/web.sh

wheel: setup ## build a wheel into dist/
	$(BIN)/maturin build --release --locked --out dist

lock: setup ## resolve the dependencies anew into requirements.lock
	$(BIN)/python tools/lock.py --upgrade

clean: ## remove what was built, but not .venv
	rm -rf $(CRATE)/target $(CRATE)/blst-shim/target crypto/group/*.so dist var
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
