.DEFAULT_GOAL := help
.PHONY: help setup rehearse gate checks check test lint
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
TARGET ?= staging
PHASE ?= staging
BIN := .venv/bin

# `make rehearse` and `make test` may be the first command on a machine: everything below rests on this file.
READY := .venv/.ready

help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / && $$1 != "help" { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Try it on this machine

setup: $(READY) ## Create .venv and install everything, pinned; install the rehearsal's servers
	@echo "Ready. Next: make rehearse"

rehearse: $(READY) ## The release day on this machine, then a report to open   [SABOTAGE=id]
	@$(BIN)/noxgate rehearse run $(if $(SABOTAGE),--sabotage $(SABOTAGE))

##@ Check a real target

gate: $(READY) ## GO or NO-GO for one phase       TARGET=staging PHASE=staging
	@$(BIN)/noxgate gate --target $(TARGET) --phase $(PHASE)

checks: $(READY) ## Every check: runbook line, file, what it expects
	@$(BIN)/noxgate checks

##@ Work on the suite itself

check: lint test ## Everything CI runs
	@echo "Running the suite's own tests again, shuffled; about as long as the first time."
	@$(BIN)/pytest tests_self -q --random-order

test: $(READY) ## The suite's own tests: every check can fail
	@$(BIN)/pytest tests_self -q

lint: $(READY) ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Nothing is changed before the first line says that all the rest can be done.
$(READY): requirements.lock pyproject.toml src/noxgate/doctor.py
	@$(PYTHON) src/noxgate/doctor.py check
	@$(PYTHON) src/noxgate/doctor.py install
	@test -x $(BIN)/pip || { echo "Creating .venv; a few seconds." && $(PYTHON) -m venv .venv; }
	@echo "Installing the pinned packages into .venv; a minute or two the first time."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@
