.DEFAULT_GOAL := help
.PHONY: help setup install rehearse gate report load-test load-ui checks signoff check test test-all lint bench-gate bench-load
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory
# Where it is set, every start of Python would compile the whole suite again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
TARGET ?= staging
PHASE ?= staging
RAMP ?= quick
# A load test without TARGET takes the same target as pytest would.
NAMED = $(if $(filter command environment,$(firstword $(origin TARGET))),--target "$(TARGET)")
BIN := .venv/bin

# Any verb may be the first command on a machine: they rest on these files.
SUITE := .venv/.suite
SERVERS := .venv/.servers
BROWSER := .venv/.browser

help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / && $$1 != "help" { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Try it on this machine

setup: $(SERVERS) ## Create .venv and install everything, pinned; install the rehearsal's servers
	@echo "Ready. Next: make rehearse"

rehearse: $(SERVERS) ## The release day on this machine, then a report to open   [SABOTAGE=id]
	@$(BIN)/noxgate rehearse run $(if $(SABOTAGE),--sabotage "$(SABOTAGE)")

##@ Check a real target

install: $(SUITE) ## The suite alone, pinned, in .venv: no server is installed

gate: $(SUITE) ## GO or NO-GO for one phase       TARGET=staging PHASE=staging
	@$(BIN)/noxgate gate --target "$(TARGET)" --phase "$(PHASE)"

report: $(SUITE) ## The release's runs in Allure, if Node.js is there   [RELEASE=8.0.0]
	@$(BIN)/noxgate report $(if $(RELEASE),--release "$(RELEASE)")

load-test: $(SUITE) ## Locust ramp, then the SLOs       TARGET=staging [RAMP=smoke|quick|full|rate]
	@$(BIN)/noxgate load $(NAMED) --ramp "$(RAMP)"

load-ui: $(SUITE) ## The same journeys in Locust's own web page, to play with   TARGET=staging
	@$(BIN)/noxgate load $(NAMED) --ui

checks: $(SUITE) ## Every check: runbook line, file, what it expects
	@$(BIN)/noxgate checks

signoff: $(SUITE) ## The release's sign-off page, from the newest run of each phase   [RELEASE=8.0.0]
	@$(BIN)/noxgate signoff $(if $(filter command,$(firstword $(origin RELEASE))),--release "$(RELEASE)") $(NAMED)

##@ Work on the suite itself

check: lint test ## Everything CI runs

# One at a time: by default one worker would get nearly all of the rehearsal at once, and the other end early.
test: $(BROWSER) ## The suite's own tests: every check can fail (about 20 minutes)
	@$(BIN)/pytest tests_self -q -n 2 --maxschedchunk=1

test-all: $(BROWSER) ## The same with every near miss of each check (much longer)
	@NOXGATE_SABOTAGES=all $(BIN)/pytest tests_self -q -n 2 --maxschedchunk=1

bench-gate: $(SERVERS) ## The gate beside curl, psql, redis-cli and kubectl, timed in one run
	@$(BIN)/python benchmarks/gate.py

bench-load: $(SERVERS) ## The load engine beside k6 (about 6 minutes; of use on a machine at rest)
	@$(BIN)/python -m benchmarks.load

lint: $(SUITE) ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Nothing is changed before the first line says that all the rest can be done.
$(SERVERS): $(SUITE) src/noxgate/doctor.py requirements-science.lock
	@$(PYTHON) src/noxgate/doctor.py check
	@$(PYTHON) src/noxgate/doctor.py install
	@$(BIN)/python -m noxgate.rehearsal.science_environment
	@touch $@

$(BROWSER): $(SERVERS)
	@$(PYTHON) src/noxgate/doctor.py install-for-tests
	@touch $@

$(SUITE): requirements.lock pyproject.toml
	@$(if $(filter-out install gate report load-test load-ui checks signoff lint,$(or $(MAKECMDGOALS),setup)),$(PYTHON) src/noxgate/doctor.py check)
	@test -x $(BIN)/pip || { echo "Creating .venv; a few seconds." && $(PYTHON) -m venv .venv; }
	@echo "Installing the pinned packages into .venv; a minute or two the first time."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@echo "Installed. For the commands noxgate and pytest: . .venv/bin/activate"
	@touch $@
