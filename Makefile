# Every target does all the set-up it needs: an environment in .venv, the pinned versions of constraints.txt, the
# package itself. A stamp file remembers what was installed, so that a target is quick when nothing changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench organisms clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1 - /'

demo: $(VENV)/.default ## set up, then test the default setup on the quick suite; ends with the verdict and the report's path
	@out=runs/demo; n=2; while [ -e $$out ]; do out=runs/demo-$$n; n=$$((n + 1)); done; \
	$(BIN)/organoid test --out $$out

test: $(VENV)/.dev ## set up, then run every test
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: $(VENV)/.dev ## set up, then check format, lint, types and the layout rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/python -m pytest --quiet tests/test_layout.py

format: $(VENV)/.dev ## set up, then format and mend what can be mended by itself
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.bench ## set up, then run the benchmarks; JSON into benchmarks/results/
	@$(BIN)/python -m benchmarks

organisms: $(VENV)/.default ## write the table of established organisms from RUNS='DIR...' of `test aftercare`, and its page
	@$(BIN)/python -m organoid.lab.zoo $(RUNS) --page docs/organisms.md

clean: ## remove the environment and the caches; runs/ stays
	rm -rf $(VENV) .pytest_cache .ruff_cache build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo 'organoid needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ...' >&2; exit 3; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.default: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo 'installing organoid into $(VENV); this takes a few minutes the first time' >&2
	@$(INSTALL) '.'
	@touch $@

$(VENV)/.dev: $(VENV)/.default
	@$(INSTALL) '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.default
	@$(INSTALL) '.[bench]'
	@touch $@
