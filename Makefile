# `make app` installs and serves the app on loopback; `make test` installs and passes the tests.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
READY := $(VENV)/.ready
PORT ?= 8501

.PHONY: app test test-fast test-all check format lock clean

app: $(READY)
	$(BIN)/sanilens app --port $(PORT)

# The fast suite and then the slow one; browser tests run where there is a Chromium.
test: test-fast
	$(BIN)/pytest -m "slow or e2e"

test-fast: $(READY)
	$(BIN)/pytest -n 2 -m "not slow and not e2e and not tofu"

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/pytest -q tests/test_imports.py

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# constraints.txt pins the whole environment: CI, users and developers run the same versions.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("SaniLens needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -q -c constraints.txt torch
	$(BIN)/pip install --disable-pip-version-check -q -c constraints.txt -e '.[dev]'
	touch $(READY)

lock:
	$(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//' | LC_ALL=C sort -f > constraints.txt

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache dist build
