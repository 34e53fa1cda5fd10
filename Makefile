# `make help` is the index. Every target does its own set-up: a fresh machine needs make, Python 3.11 or newer with its
# venv module, and a package registry that pip reaches.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LINKED := $(VENV)/.linked
ARGS ?=

# The first interpreter that runs and is new enough.
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: help setup demo up test check format gen lock bench clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(LINKED) ## Make .venv with everything, exactly as locked; costs nothing when it is current

demo: setup ## Tell the whole story on a throw-away exchange and check every claim
	@$(BIN)/leadx demo $(ARGS)

up: setup ## Run the whole exchange on this machine until Ctrl-C
	@$(BIN)/leadx up $(ARGS)

test: setup ## Run all tests: unit, contract, integration, scenario, faults (ARGS goes to pytest)
	$(BIN)/python -m pytest tests/unit tests/contract tests/integration -q -n 2 --dist worksteal $(ARGS)
	$(BIN)/python -m pytest tests/scenario tests/faults -q $(ARGS)

check: setup ## Style, types, layers, contract, and that generated code is current
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy services gateway tests protos/generate.py
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import-linter
	$(BIN)/python protos/generate.py --check
	$(BIN)/buf lint

format: setup ## Lay out the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

gen: setup ## Generate protos/gen from the contract
	$(BIN)/python protos/generate.py

lock: setup ## Pin what pyproject.toml allows; ARGS=--upgrade takes the newest
	$(COMPILE) $(ARGS) --output-file requirements.lock
	$(COMPILE) $(ARGS) --group dev --constraints requirements.lock --output-file requirements-dev.lock

bench: setup ## Measure against the baselines
	@$(BIN)/leadx bench $(ARGS)

clean: ## Remove what make made; an exchange's data in .leadx stays
	rm -rf $(VENV) .cache build dist *.egg-info

$(INSTALLED): requirements-dev.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); echo "On Debian, the venv module is in the package python3-venv." >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# Editable: what is changed in the checkout is what runs.
$(LINKED): $(INSTALLED) pyproject.toml setup.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q services gateway protos/gen
	@touch $@
