# Every target makes the virtual environment first if it is not there.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: help demo test test-all check format lint types hooks bench results tasks startup lock clean
help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "rig needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(STAMP)

demo: $(STAMP)  ## train a simulated arm on Reach from pictures and show it
	$(BIN)/rig demo

test: $(STAMP)  ## the fast tests
	$(BIN)/python -m pytest -m "not slow" --numprocesses auto --dist worksteal

test-all: $(STAMP)  ## the slow tests too
	$(BIN)/python -m pytest

check: lint types test-ci  ## what CI runs

adapters: $(STAMP)  ## robot adapters against the real LeRobot, ROS 2 and ROS 1 (network)
	$(BIN)/python -m pytest tests/test_real_adapters.py -rs

.PHONY: test-ci adapters
test-ci: test
	$(BIN)/python -m pytest -m ci

format: $(STAMP)  ## rewrite the code in the house format
	$(BIN)/ruff format src tests benchmarks examples lerobot_policy_rig
	$(BIN)/ruff check --fix src tests benchmarks examples

lint: $(STAMP)  ## formatting and lint
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/ruff check src tests benchmarks examples

types: $(STAMP)  ## strict static types on src
	$(BIN)/mypy

hooks: $(STAMP)  ## format, lint and types before every commit
	$(BIN)/pre-commit install

bench: $(STAMP)  ## what it costs, next to its peers
	$(BIN)/python -m benchmarks.install
	$(BIN)/python -m benchmarks.run

tasks: $(STAMP)  ## draw docs/tasks.md again
	$(BIN)/python -m benchmarks.tasks

results: $(STAMP)  ## write docs/results.md again from the kept results
	$(BIN)/python -m benchmarks.results

startup: $(STAMP)  ## how long --help and `import rig` take
	$(BIN)/python -m benchmarks.startup

lock: $(STAMP)  ## resolve requirements.lock again (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --fork-strategy fewest --generate-hashes \
	  --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	  --upgrade --quiet --output-file requirements.lock

clean:  ## remove the virtual environment
	rm -rf .venv
