# What people type. Everything is installed into .venv; nothing outside this directory is touched.
#   PYTHON    the interpreter to use (python3)         PORT      where the demo answers (8000)
#   DATA_DIR  where the demo keeps its data (.demo)    TESTS     what `make test` runs (tests)
#   BENCH     how `make bench` measures (--size 2G --rounds 3)

PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= .demo
AWS_DATA_DIR := $(if $(filter file,$(origin DATA_DIR)),.demo-aws,$(DATA_DIR))
TESTS ?= tests
export PORT DATA_DIR

BIN := .venv/bin
SETTINGS_FOR_LINT := SECRET_KEY=only-for-reading-the-settings-while-linting-0123456789 DATA_DIR=.venv/lint-data
COMPILE := pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header
export UV_NO_PROGRESS := 1
# Compiled once, whatever the environment says: dozens of programs start, and compiling takes each of them seconds.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-aws demo-reset test test-slow lint format bench lock lock-check clean

help: ## this list
	@echo "Usage: make TARGET"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: .venv/installed-demo ## install what the portal and its demo need
	@echo "Everything is installed. 'make demo' starts the portal."

demo: .venv/installed-demo ## start the portal with a demo company in it; Ctrl-C stops it
	@exec $(BIN)/python -m portal.demo

demo-aws: .venv/installed-demo-aws ## the demo with a simulated AWS account beside it; begins anew each time
	@DATA_DIR=$(AWS_DATA_DIR) exec $(BIN)/python -m portal.demo --aws

demo-reset: .venv/installed-demo ## forget the demo's data and start it anew
	@exec $(BIN)/python -m portal.demo --reset

test: .venv/installed-dev ## the everyday tests
	@$(BIN)/python -m pytest -n auto --dist loadgroup -m "not slow" $(TESTS)

test-slow: .venv/installed-dev ## the tests that take minutes: large data, kill -9 in every step
	@$(BIN)/python -m pytest -n auto --dist loadgroup -m slow $(TESTS)

lint: .venv/installed-dev ## style, types, import rules, templates, migrations, locks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(SETTINGS_FOR_LINT) $(BIN)/mypy
	$(BIN)/djlint --lint --quiet templates
	$(SETTINGS_FOR_LINT) $(BIN)/python manage.py makemigrations --check --dry-run
	$(SETTINGS_FOR_LINT) HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(MAKE) --no-print-directory lock-check

format: .venv/installed-dev ## put the code into its one format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: .venv/installed-dev ## speed and memory of backups and restores beside plain tools
	@$(BIN)/python -m tests.benchmarks $(BENCH)

lock: .venv/bin/uv ## resolve the dependencies of pyproject.toml anew into locks/
	$(BIN)/uv $(COMPILE) --upgrade --extra demo --extra demo-aws --extra test --extra lint --output-file locks/dev.txt pyproject.toml
	$(BIN)/uv $(COMPILE) --upgrade --constraint locks/dev.txt --output-file locks/base.txt pyproject.toml
	$(BIN)/uv $(COMPILE) --upgrade --constraint locks/dev.txt --extra demo --output-file locks/demo.txt pyproject.toml
	$(BIN)/uv $(COMPILE) --upgrade --constraint locks/dev.txt --extra demo --extra demo-aws --output-file locks/demo-aws.txt pyproject.toml
	echo uv | $(BIN)/uv $(COMPILE) --upgrade --no-annotate --output-file locks/uv.txt -

lock-check: .venv/bin/uv ## whether locks/ still fits pyproject.toml
	@rm -rf .venv/locks && cp -R locks .venv/locks
	@$(BIN)/uv $(COMPILE) --extra demo --extra demo-aws --extra test --extra lint --output-file .venv/locks/dev.txt pyproject.toml > /dev/null
	@$(BIN)/uv $(COMPILE) --constraint locks/dev.txt --output-file .venv/locks/base.txt pyproject.toml > /dev/null
	@$(BIN)/uv $(COMPILE) --constraint locks/dev.txt --extra demo --output-file .venv/locks/demo.txt pyproject.toml > /dev/null
	@$(BIN)/uv $(COMPILE) --constraint locks/dev.txt --extra demo --extra demo-aws --output-file .venv/locks/demo-aws.txt pyproject.toml > /dev/null
	@for name in base demo demo-aws dev; do \
		grep '^[a-z0-9]' .venv/locks/$$name.txt > .venv/locks/wanted; \
		grep '^[a-z0-9]' locks/$$name.txt | diff - .venv/locks/wanted > .venv/locks/difference || { \
			cat .venv/locks/difference; echo "locks/$$name.txt does not fit pyproject.toml: run 'make lock'."; exit 1; }; \
	done
	@echo "The locks fit pyproject.toml."

clean: ## remove the virtual environment and what tools leave behind; the demo's data stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results bench-results

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
		echo "The portal needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo not there)."; \
		echo "Install it, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; } >&2
	@$(PYTHON) -m venv --clear .venv || { \
		rm -rf .venv; echo "'$(PYTHON)' cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2; exit 1; }

# uv installs in seconds. Where it is not to be had, pip does the same from the same hashes.
.venv/bin/uv: | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/uv.txt

.venv/installed-%: locks/%.txt | .venv/bin/python
	@echo "Installing locks/$*.txt into .venv …"
	@sh tools/install.sh locks/$*.txt
	@touch $@
