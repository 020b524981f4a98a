# One command each. On a fresh machine every target first makes the environment that it needs
# (Python 3.11+ with venv and pip, and make, are enough), and a second run finds it there.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

NAME ?=
JSON ?=
ARGS ?=
DIR ?= handrail-demo
export PYTHON

BIN := .venv/bin
FRAME := scripts/bootstrap pyproject.toml requirements/build.lock
CODE := src tests $(wildcard benchmarks evals)

RUNTIME := .venv/.runtime
DEV := .venv/.dev
BENCH := .venv-bench/.ready
EVAL := .venv-eval/.ready

$(RUNTIME): $(FRAME) requirements/runtime.lock
	@scripts/bootstrap .venv requirements/runtime.lock
	@touch $@

$(DEV): $(FRAME) requirements/runtime.lock requirements/dev.lock
	@scripts/bootstrap .venv requirements/dev.lock
	@touch $@ $(RUNTIME)

$(BENCH): $(FRAME) requirements/bench.lock
	@scripts/bootstrap .venv-bench requirements/bench.lock
	@touch $@

$(EVAL): $(FRAME) requirements/eval.lock
	@scripts/bootstrap .venv-eval requirements/eval.lock
	@touch $@

.PHONY: help setup demo test check types bench docs screenshots eval lock format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup: $(DEV) ## only the environment for development, in .venv

demo: $(RUNTIME) ## the demo company's support desk, in DIR=handrail-demo; ARGS=--headless without a live table
	$(BIN)/handrail demo --dir $(DIR) $(ARGS)

test: $(DEV) ## all tests, on a PostgreSQL of their own; ARGS="-k refund" for some
	$(BIN)/python -m pytest $(or $(ARGS),-q -n auto --dist worksteal)

check: $(DEV) ## style, types, imports, shape and documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory types
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_shape.py $(wildcard tests/docs)

types: $(DEV) ## only the types
	$(BIN)/mypy --strict $(CODE)

bench: $(BENCH) ## what we claim about speed, beside the peers; NAME=decide for one, JSON=FILE for the rows
	.venv-bench/bin/python -m benchmarks $(if $(NAME),--name $(NAME)) $(if $(JSON),--json $(JSON))

docs: $(DEV) ## runs every example in the documentation, and asks that nothing public is missing there
	$(BIN)/python -m pytest tests/docs $(ARGS)

screenshots: $(DEV) ## every page of the board, from the demo's data, into docs/images; ARGS="log halts" for some
	$(BIN)/python -m tests.screenshots $(ARGS)

eval: $(EVAL) ## replays AgentDojo's tasks through the rail
	.venv-eval/bin/python -m evals.agentdojo $(ARGS)

lock: $(RUNTIME) ## pins all dependencies anew; ARGS=--upgrade for newer versions
	scripts/lock $(ARGS)

format: $(DEV) ## puts the code into the house style
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

clean: ## removes all that the other commands made
	rm -rf .venv .venv-bench .venv-eval handrail-demo build dist
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks evals -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
