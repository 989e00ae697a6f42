# make run and make test need only Python 3.11+, make and git; everything else is set up here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
AXE_VERSION := 4.14.1
AXE_STAMP := $(VENV)/axe/.$(AXE_VERSION)

.PHONY: help run tour test deb pins board-test board-packages metal-test metal-packages check format drawn soak fuzz bench browser screenshots system-packages clean
help:            ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): pyproject.toml
	@echo "make: setting up $(VENV): doorctl and what it needs, once, up to two minutes" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: $(STAMP)    ## the simulator: a door to press, the alarms beside it
	@$(BIN)/doorctl sim

tour: $(STAMP)   ## the story, told in the terminal; exits non-zero if a promise breaks
	@$(BIN)/doorctl sim --tour

# What cannot be had here the browser tests name themselves, and skip; with CI=true they fail.
test: $(STAMP)   ## all tests, under 10 minutes on 2 cores
	@$(MAKE) --silent browser || echo "make: no browser tests: see the skipped tests below" >&2
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m 'not soak and not board and not metal'

deb: $(STAMP)    ## the Debian package into dist/; SUITE=bookworm or trixie, ARCH=amd64 or arm64
	$(BIN)/python systemd/packaging/build_deb.py --suite $(or $(SUITE),bookworm) --arch $(or $(ARCH),amd64)

pins: $(STAMP)   ## the newest wheels that pyproject.toml allows, into systemd/packaging/wheels.txt
	$(BIN)/python systemd/packaging/pin.py

board-test: $(STAMP) board-packages ## the package on a real systemd, in containers; on Debian 12, as root
	$(BIN)/python -m pytest -q -m board tests/board

BOARD := systemd-container mmdebstrap iproute2 procps lintian
board-packages: ## the Debian packages of make board-test, where root and apt are there to install them
	@dpkg-query -W $(BOARD) >/dev/null 2>&1 || { apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $(BOARD); }

metal-test: $(STAMP) metal-packages ## real gpio chips in a virtual machine, docs/rigs.md; as root on Debian 12, four minutes, then two
	$(BIN)/python -m pytest -q -s -m metal tests/metal

METAL := qemu-system-x86 mmdebstrap busybox-static kmod e2fsprogs cpio build-essential linux-headers-amd64 linux-source-6.1
metal-packages: ## the Debian packages of make metal-test, where root and apt are there to install them
	@dpkg-query -W $(METAL) >/dev/null 2>&1 || { apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $(METAL); }

check: $(STAMP)  ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --no-error-summary systemd/packaging/build_deb.py systemd/packaging/pin.py
	$(BIN)/lint-imports

format: $(STAMP) ## rewrite the layout of every file
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

drawn: $(STAMP)  ## what docs/ has drawn from the code: manuals, completion, the door's tables, a board's wires
	@for one in docs/draw_*.py; do $(BIN)/python $$one || exit 1; done

soak: $(STAMP)   ## the long form of the kill -9 and backlog tests
	$(BIN)/python -m pytest -q -m soak

fuzz: $(STAMP)   ## a million hostile byte streams into the OSDP line, in a minute or two
	$(BIN)/python -m tests.fuzz.osdp

bench: $(STAMP)  ## speed and memory, side by side in one run
	$(BIN)/python -m tests.bench

screenshots: $(STAMP) browser ## both pages at three sizes into docs/screenshots/, to be looked at
	$(BIN)/python -m tests.browser.pictures docs/screenshots

browser: system-packages $(AXE_STAMP) ## what the browser tests need: Chromium, and axe-core from npm

$(AXE_STAMP): | $(STAMP)
	npm install --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error \
		--prefix $(VENV)/axe axe-core@$(AXE_VERSION) >/dev/null
	@touch $@

# command:package, each installed only where the command is missing
DEBIAN := mandoc:mandoc groff:groff-base man:man-db systemd-sysusers:systemd zsh:zsh fish:fish unshare:util-linux strings:binutils cc:gcc cc:libc6-dev chromium:chromium npm:npm
system-packages: ## Debian packages the tests use, where root and apt are there to install them
	@lacking=; for one in $(DEBIAN); do \
		command -v $${one%:*} >/dev/null || lacking="$$lacking $${one#*:}"; done; \
	if [ -z "$$lacking" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "make: not installed:$$lacking; as root on Debian: make system-packages" >&2; exit 1; fi; \
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $$lacking

clean:           ## forget the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
