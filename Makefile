# make run and make test need only Python 3.11+, make and git; everything else is set up here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help run tour test check format soak bench system-packages clean
help:            ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: $(STAMP)    ## the simulator: a door to press, the alarms beside it
	$(BIN)/doorctl sim

tour: $(STAMP)   ## the story, told in the terminal; exits non-zero if a promise breaks
	$(BIN)/doorctl sim --tour

test: $(STAMP)   ## all tests, under 6 minutes on 2 cores
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m 'not soak'

check: $(STAMP)  ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## rewrite the layout of every file
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

soak: $(STAMP)   ## the long form of the kill -9 and backlog tests
	$(BIN)/python -m pytest -q -m soak

bench: $(STAMP)  ## speed and memory, side by side in one run
	$(BIN)/python -m tests.bench

system-packages: ## Debian packages the tests use
	@command -v strings >/dev/null || { apt-get update -q && apt-get install -yq --no-install-recommends binutils; }

clean:           ## forget the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
