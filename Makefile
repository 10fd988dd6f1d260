# Each target sets up .venv by itself; all that must be there is Python 3.11 or newer with venv, and make.

PYTHON ?= python3
WORKERS ?= $(shell $(PYTHON) -c "import os; print(len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1)")
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench bench-worth clean
.DEFAULT_GOAL := help

.PHONY: help
help:
	@echo "make demo    make a small dataset and its report in runs/demo"
	@echo "make test    run the tests"
	@echo "make check   lint, format, types, import rules"
	@echo "make bench   print the figures the README quotes"
	@echo "make bench-worth LFW=lfw.bin   train on rendered faces alone, judge on real ones"
	@echo "make clean   remove .venv and caches"

demo: $(VENV)/base.stamp
	$(BIN)/synth run configs/demo.yaml --run-dir runs/demo --workers $(WORKERS)

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n auto $(PYTEST_OPTIONS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The recogniser's accuracy needs pairs of real faces, which are not part of the repository: make bench LFW=lfw.bin
bench: $(VENV)/dev.stamp
	@set -e; for script in $(filter-out benchmarks/killing.py benchmarks/recogniser_lfw.py benchmarks/unmeasured.py benchmarks/worth.py,$(wildcard benchmarks/*.py)); do \
	    echo "== $$script"; $(BIN)/python "$$script"; \
	done
	@if [ -n "$(LFW)" ]; then echo "== benchmarks/recogniser_lfw.py"; $(BIN)/python benchmarks/recogniser_lfw.py "$(LFW)"; \
	else echo "== benchmarks/recogniser_lfw.py: skipped, name an insightface .bin of pairs with LFW=..."; fi

# From nothing to the accuracy of a recogniser that never saw a photo; runs/ keeps what was made.
bench-worth: $(VENV)/dev.stamp
	@[ -n "$(LFW)" ] || { echo "name an insightface .bin of pairs with LFW=..." >&2; exit 2; }
	$(BIN)/python benchmarks/worth.py "$(LFW)" --workers $(WORKERS) $(WORTH)

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	    { echo "synth needs Python 3.11 or newer, $(PYTHON) is `$(PYTHON) --version`; name another: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# A stamp is older than what it was made from only when that changed, so nothing is installed twice.
$(VENV)/base.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev,diffusion,insightface,ray,train]"
	@touch $@ $(VENV)/base.stamp
