# `make app` installs and serves the app on loopback; `make test` installs and passes the tests.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PIP := $(BIN)/pip install --disable-pip-version-check -q -c constraints.txt
PORT ?= 8501
# What takes long, or needs a browser or files of others, is left to `make test-slow`.
FAST := -n 2 -m "not slow and not e2e and not tofu"

.PHONY: app test test-fast test-slow coverage check format tables hooks lock clean

app: $(VENV)/.app
	$(BIN)/sanilens app --port $(PORT)

test: test-fast test-slow

# Under three minutes on two cores. `make test COVERAGE=1` also says how much of the package it runs.
test-fast: $(VENV)/.dev
	$(BIN)/pytest $(FAST) $(if $(COVERAGE),--cov --cov-report=term:skip-covered)

# Browser tests run where there is a Chromium, TOFU's where its files are.
test-slow: $(VENV)/.dev
	$(BIN)/pytest -m "slow or e2e"

coverage:
	$(MAKE) test-fast COVERAGE=1

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/pytest tests/test_imports.py tests/research/test_tables.py

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The tables of the READMEs, from the figures that the benches wrote.
tables: $(VENV)/.dev
	$(BIN)/python -m research.tables

# Run `make check` before every commit.
hooks: $(VENV)/.dev
	$(BIN)/pre-commit install

# One stamp for each extra that is installed here: .app for users, .dev for everything.
# constraints.txt pins the whole environment: CI, users and developers run the same versions.
$(VENV)/.%: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("SaniLens needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) -e '.[$*]'
	touch $@

lock:
	$(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//' | LC_ALL=C sort -f > constraints.txt

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .coverage dist build
