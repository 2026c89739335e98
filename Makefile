# What a person types. A target makes the environment that it needs in .venv, from the locks in .requirements, and again when a lock changes.
SHELL := bash
.NOTPARALLEL:
.DEFAULT_GOAL := help

MINGBAI_HOME ?= ./var
MINGBAI_PORT ?= 8001
PIP := .venv/bin/python -m pip -qq --disable-pip-version-check --no-input
# Nothing that has no hash is fetched: wheels alone, but for feedgen and flask-websub, which have none and are built with the locked tools, as we are ourselves.
INSTALL := $(PIP) install --require-hashes --no-deps --only-binary :all:
INSTALL_ALL := $(INSTALL) --no-binary feedgen,flask-websub --no-build-isolation
INSTALL_SELF := $(PIP) install --no-deps --no-build-isolation --no-index --editable .
NOT_RUN := playwright greenlet pyee  # of axe-playwright-python, of which tests read one file
UV := uv==0.13.9
# Where it is set, every process of a test compiles all that it imports: 0.2 s for a command of ours, 10 for each of pytest's.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint bench trials audit matrix lock clean

help:  ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

demo: export MINGBAI_HOME := $(MINGBAI_HOME)
demo: export MINGBAI_PORT := $(MINGBAI_PORT)
demo: .venv/.run  ## Serve a release extracted from the reference platform (MINGBAI_HOME=./var, MINGBAI_PORT=8001); Ctrl-C ends it
	@exec .venv/bin/mingbai demo

# The files that take long come first (tests/conftest.py): at the end one core would wait for the other.
test: .venv/.dev  ## Run the tests, a file on each core; ARGS="-k words -x" goes to pytest
	@bash .ci/debian
	@.venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/.dev  ## Check style, format and types
	@.venv/bin/ruff check --output-format=concise .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy publish search feeds

bench: .venv/.dev  ## Measure a run at full size; ARGS go to tests/bench/run.py (--history 365, --withdrawal 365: a year of releases, --search 200000: what is found, --feeds 20000, --downloads 200000)
	@.venv/bin/python tests/bench/run.py $(ARGS)

trials: .venv/.dev  ## Run the tests that take long (marked bench); ARGS go to pytest
	@.venv/bin/python -m pytest -m bench $(ARGS)

audit: .venv/.dev  ## Look a site over with pa11y and Lighthouse (needs Node 20 and Chromium); ARGS=WORDS looks at the pages of that name alone
	@.venv/bin/python tests/audit/run.py $(ARGS)

matrix: .venv/.dev  ## Do every fault to a clean delivery and write tests/faults/MATRIX.md; ARGS=WORDS tries those alone and writes nothing
	@cd tests && ../.venv/bin/python -m faults.matrix $(ARGS)

lock: | .venv/bin/python  ## Write the locks anew from pyproject.toml, keeping what still fits; ARGS=--upgrade takes the newest
	@.venv/bin/python -m venv .venv/lock
	@.venv/lock/bin/python -m pip -qq --disable-pip-version-check install $(UV)
	@compile() { ../.venv/lock/bin/uv --quiet --no-config pip compile --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock' $(ARGS) "$$@"; }; \
	cd .requirements && \
	compile --output-file run.txt ../pyproject.toml && \
	compile --output-file dev.txt --constraints run.txt --extra test --extra dev $(NOT_RUN:%=--no-emit-package %) ../pyproject.toml && \
	compile --output-file build.txt --constraints run.txt --group ../pyproject.toml:build

clean:  ## Remove what these targets made, but not the data in MINGBAI_HOME
	rm -rf .venv dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find publish search feeds tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.run: .requirements/run.txt .requirements/build.txt pyproject.toml | .venv/bin/python
	@echo "Installing what mingbai needs into .venv (under a minute, once) ..."
	@$(INSTALL) -r .requirements/build.txt
	@$(INSTALL_ALL) -r .requirements/run.txt
	@$(INSTALL_SELF)
	@touch $@

.venv/.dev: .requirements/dev.txt .requirements/build.txt pyproject.toml | .venv/bin/python
	@echo "Installing what mingbai and its tests need into .venv (under a minute, once) ..."
	@$(INSTALL) -r .requirements/build.txt
	@$(INSTALL_ALL) -r .requirements/dev.txt
	@$(INSTALL_SELF)
	@touch $@ .venv/.run

.venv/bin/python:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	  if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1; then \
	    exec "$$python" -m venv .venv; \
	  fi; \
	done; \
	echo "No Python 3.11 or later that can make a venv was found (tried: $(PYTHON) python3.13 python3.12 python3.11 python3)." >&2; \
	echo "On Debian or Ubuntu: apt-get install python3 python3-venv. One that is elsewhere: make PYTHON=/path/to/python3.12" >&2; \
	exit 1
