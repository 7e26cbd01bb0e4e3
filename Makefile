# Needs make and Python 3.11 or newer; takes uv where there is one. Everything goes into .venv.

BIN := .venv/bin
READY := .venv/.ready
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

.PHONY: help demo test check bench eval lock

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile

demo: $(READY) ## the whole daemon at work on this machine alone
	@$(BIN)/liqwatch demo

test: $(READY) ## every test
	@$(BIN)/pytest -q

check: $(READY) ## lint, format, types, and the shipped configuration
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/liqwatch check config/liqwatch.yaml

bench: $(READY) ## the benchmarks, one after the other
	@for benchmark in tests/benchmarks/bench_*.py; do echo "== $$benchmark"; $(BIN)/python "$$benchmark" || exit 1; done

eval: $(READY) ## how good the alerts are, on 1,008 held-out simulated markets (the better part of an hour)
	@$(BIN)/liqwatch eval

lock: ## requirements.lock anew: newest versions, with hashes, without addresses (needs uv)
	@uv export --quiet --upgrade --no-emit-project --all-extras --all-groups --no-header --no-annotate --output-file requirements.lock

$(READY): requirements.lock pyproject.toml
	@if command -v uv >/dev/null; then \
		export UV_PYTHON_DOWNLOADS=never && \
		uv venv --quiet --allow-existing --python '>=3.11' .venv && \
		uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
		uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	elif [ -n "$(PYTHON)" ]; then \
		$(PYTHON) -m venv .venv && \
		$(INSTALL) --require-hashes -r requirements.lock && \
		$(INSTALL) --no-deps --no-build-isolation --editable .; \
	else \
		echo "liqwatch needs Python 3.11 or newer, and found none" >&2; exit 1; \
	fi
	@touch $@
