# authio: everything a developer or a CI machine runs. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
INI ?= development.ini
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Archives that are not wheels are built with the pinned setuptools, never with whatever is newest today.
PINNED := --require-hashes --no-build-isolation

DISTRIBUTIONS := . $(patsubst %/setup.py,%,$(wildcard plugins/*/setup.py))
PYTHON_PATHS := authio plugins tests tools benchmarks examples setup.py

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -- environment ------------------------------------------------------------------------------------

.PHONY: setup
setup: $(VENV)/.test-ready ## build .venv from the pinned requirements, with the core and every plugin in it

$(VENV)/bin/python:
	@$(PYTHON) tools/check_python.py
	@echo "authio: making $(VENV) with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: requirements/build.txt requirements/run.txt $(DISTRIBUTIONS:%=%/setup.py) | $(VENV)/bin/python
	@echo "authio: installing what the product needs"
	@$(PIP) install --require-hashes --only-binary=:all: -r requirements/build.txt
	@$(PIP) install $(PINNED) -r requirements/run.txt
	@PYTHONWARNINGS=ignore $(PIP) install --no-build-isolation --no-deps --no-index $(DISTRIBUTIONS:%=--editable %)
	@touch $@

$(VENV)/.test-ready: requirements/test.txt $(VENV)/.run-ready
	@echo "authio: installing what the tests and the linters need"
	@$(PIP) install $(PINNED) -r requirements/test.txt
	@touch $@

.PHONY: lock
lock: ## write requirements/*.txt (pins and hashes) anew from requirements/*.in
	@test -x $(VENV)/lock/bin/uv || { $(PYTHON) tools/check_python.py && $(PYTHON) -m venv $(VENV)/lock; }
	@$(VENV)/lock/bin/python -m pip --disable-pip-version-check -q install --require-hashes -r requirements/lock.txt
	@for name in build run test lock audit; do \
	  echo "authio: requirements/$$name.txt"; \
	  $(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    requirements/$$name.in --output-file requirements/$$name.txt; \
	done

# -- running ----------------------------------------------------------------------------------------

.PHONY: run
run: $(VENV)/.run-ready ## portal, API and worker in one process; prints a setup link to open
	@exec $(BIN)/authio serve $(INI)

.PHONY: bench
bench: setup ## measure speed and memory, on SQLite and on PostgreSQL (PEER=1: beside a peer)
	@$(BIN)/python -m tools.services -- $(BIN)/python -m benchmarks

# -- testing ----------------------------------------------------------------------------------------

.PHONY: test
test: setup ## everything that is tested, installing the services it needs where that is possible
	@$(BIN)/python -m tools.suite

.PHONY: test-fast
test-fast: setup ## what needs no service: units, functional tests on SQLite, providers in place
	@$(BIN)/python -m tools.suite fast

.PHONY: test-postgres
test-postgres: setup ## the functional tests on PostgreSQL, the queue on Redis
	@$(BIN)/python -m tools.suite postgresql

.PHONY: test-browser
test-browser: setup ## a real browser through the whole portal
	@$(BIN)/python -m tools.suite browser

.PHONY: test-peers
test-peers: setup ## people signed in by SimpleSAMLphp and oidc-provider, as they come (kept in var/peers)
	@$(BIN)/python -m tools.suite peers

.PHONY: test-wheels
test-wheels: setup ## built, installed as wheels, tested there; a provider from outside the tree
	@$(BIN)/python -m tools.suite wheels

# -- checking ---------------------------------------------------------------------------------------

.PHONY: lint
lint: lint-format lint-rules lint-types lint-imports lint-shell verify ## all static checks

.PHONY: lint-format
lint-format: setup ## is everything formatted
	@$(BIN)/ruff format --check --quiet $(wildcard $(PYTHON_PATHS))

.PHONY: lint-rules
lint-rules: setup ## lint rules, the security rules among them
	@$(BIN)/ruff check --quiet $(wildcard $(PYTHON_PATHS))

.PHONY: lint-types
lint-types: setup ## types; strict where a mistake would cost most (pyproject.toml says where)
	@$(BIN)/mypy

.PHONY: lint-imports
lint-imports: setup ## layers: who may import whom
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo

.PHONY: lint-shell
lint-shell:
	@bash -n .ci/run

.PHONY: verify
verify: setup ## do the generated files in docs/ equal what the code generates
	@$(BIN)/python -m tools.generated

.PHONY: generate
generate: setup ## write the generated files in docs/
	@$(BIN)/python -m tools.generated --write

.PHONY: format
format: setup ## format the code, and mend what the linter can mend
	@$(BIN)/ruff check --fix --exit-zero --quiet $(wildcard $(PYTHON_PATHS))
	@$(BIN)/ruff format --quiet $(wildcard $(PYTHON_PATHS))

.PHONY: audit
audit: $(VENV)/bin/python ## known vulnerabilities of what is pinned; what could not be looked up fails, too
	@test -x $(VENV)/audit/bin/python || $(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip --disable-pip-version-check -q install --require-hashes -r requirements/audit.txt
	@for name in build run test; do \
	  echo "authio: requirements/$$name.txt"; \
	  $(VENV)/audit/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes -r requirements/$$name.txt; \
	done

.PHONY: clean
clean: ## remove what was built, measured and cached; keep var/ and its data
	@rm -rf $(VENV) build dist *.egg-info plugins/*/build plugins/*/*.egg-info .mypy_cache .ruff_cache .pytest_cache
	@find authio plugins tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
