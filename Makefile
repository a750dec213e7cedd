.DEFAULT_GOAL := help
.PHONY: help setup install rehearse gate report load-test load-ui checks signoff check test test-all test-fast lint
.PHONY: bench-backup bench-gate bench-load bench-scaling bench-self bench-slower pictures steady attack faults
.PHONY: test-postgresql debian-packages science-environment
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory
# Where it is set, every start of Python would compile the whole suite again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
PHASE ?= staging
RAMP ?= quick
# Without TARGET each takes the same target as pytest would.
NAMED = $(if $(TARGET),--target "$(TARGET)")
BIN := .venv/bin

# Any verb may be the first command on a machine: they rest on these files.
UV := .venv/.uv
SUITE := .venv/.suite
ALL := .venv/.all
SERVERS := .venv/.servers
BROWSER := .venv/.browser
SUITE_IS_MADE_FROM := requirements-uv.lock requirements-install.lock requirements-build.lock pyproject.toml

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

install: $(SUITE) ## What checks a real target, pinned, in .venv: no server and nothing of the rehearsal

gate: $(SUITE) ## GO or NO-GO for one phase       [TARGET=staging PHASE=staging]
	@$(BIN)/noxgate gate $(NAMED) --phase "$(PHASE)" || { status=$$?; \
		echo "noxgate gate ended with exit status $$status; make ends with 2, whatever that is" >&2; exit $$status; }

report: $(SUITE) ## The release's runs in Allure, if Node.js is there   [RELEASE=8.0.0]
	@$(BIN)/noxgate report $(if $(RELEASE),--release "$(RELEASE)")

load-test: $(SUITE) ## Locust ramp, then the SLOs       [TARGET=staging RAMP=smoke|quick|full|rate]
	@$(BIN)/noxgate load $(NAMED) --ramp "$(RAMP)"

load-ui: $(SUITE) ## The same journeys in Locust's own web page, to play with   [TARGET=staging]
	@$(BIN)/noxgate load $(NAMED) --ui

checks: $(SUITE) ## Every check: runbook line, file, what it expects
	@$(BIN)/noxgate checks

signoff: $(SUITE) ## The release's sign-off page, from the newest run of each phase   [RELEASE=8.0.0]
	@$(BIN)/noxgate signoff $(if $(filter command,$(firstword $(origin RELEASE))),--release "$(RELEASE)") $(NAMED)

##@ Work on the suite itself

check: $(SERVERS) lint test ## Everything CI runs

# Two workers have rehearsals; the third gives way to them: more would leave what is timed little room.
TESTS := $(BIN)/pytest -q -n 3 --dist=loadscope --no-loadscope-reorder

test: $(BROWSER) ## The suite's own tests: every check can fail (about 20 minutes)
	@$(TESTS) tests_self

test-fast: $(BROWSER) ## Those that start no rehearsal, in random order: before each commit (a few minutes)
	@$(TESTS) tests_self/fast --random-order

test-all: $(BROWSER) ## All, with every near miss of each check (much longer)
	@NOXGATE_SABOTAGES=all $(TESTS) tests_self

test-postgresql: $(SERVERS) ## The tests of databases on PostgreSQL 16 and 18 of PyPI (5 minutes; as root)
	@$(BIN)/python -m tests_self.other_postgresql

pictures: $(BROWSER) ## The pictures of the README anew, of a rehearsal played for them (3 minutes)
	@$(BIN)/python -m tests_self.pictures

bench-self: ## What people wait for, beside an earlier commit    [ONLY="--only test --base c7f1ac9"]
	@$(PYTHON) benchmarks/itself.py $(ONLY)

bench-gate: $(SERVERS) ## The gate beside curl, psql, redis-cli and kubectl, timed in one run
	@$(BIN)/python benchmarks/gate.py

bench-load: $(SERVERS) ## The load engine beside k6 and wrk (about 13 minutes; of use on a machine at rest)
	@$(BIN)/python -m benchmarks.load

bench-slower: $(SERVERS) ## False alarms and found slowdowns of the comparison with the release before    [RUNS=40]
	@$(BIN)/python benchmarks/slower.py $(RUNS)

bench-scaling: $(SERVERS) ## What a core, a process and a master of the load test make: docs/SCALING.md (8 minutes)
	@$(BIN)/python -m benchmarks.scaling --write

bench-backup: $(SERVERS) ## The proof of a backup beside pg_dump | psql, on 10 million rows    [ROWS=100000]
	@$(BIN)/python benchmarks/backup.py $(if $(ROWS),--rows "$(ROWS)")

steady: $(BROWSER) ## 20 rehearsals and 5 times the tests beside busy loops (hours)   [ROUNDS="--rehearsals 2 --tests 0"]
	@$(BIN)/python benchmarks/steady.py $(ROUNDS)

attack: $(SUITE) ## Ways to a forged GO, against a target that is ill: a table (10 to 20 minutes)   [ONLY=regex]
	@$(BIN)/python -m tests_self.attack $(if $(ONLY),--only "$(ONLY)")

faults: $(SERVERS) ## Hostile and broken servers before gate and load test: docs/RELIABILITY.md (an hour)   [ONLY=regex]
	@$(BIN)/python -m tests_self.faults --write $(if $(ONLY),--only "$(ONLY)")

lint: $(ALL) ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Nothing is changed before the first line says that all the rest can be done. Debian's packages, the suite and the
# science environment do not wait for each other where they need not.
$(SERVERS): $(SUITE_IS_MADE_FROM) requirements.lock requirements-science.lock src/noxgate/machine/doctor.py
	@$(PYTHON) src/noxgate/machine/doctor.py check
	@$(PYTHON) src/noxgate/machine/doctor.py install-venv
	@$(MAKE) -j 2 $(ALL) science-environment
	@touch $@

debian-packages:
	@$(PYTHON) src/noxgate/machine/doctor.py install

science-environment: debian-packages $(UV)
	@PYTHONPATH=src $(PYTHON) -m nox_rehearsal.science.environment

$(BROWSER): $(SERVERS)
	@$(PYTHON) src/noxgate/machine/doctor.py install-for-tests
	@touch $@

$(UV): requirements-uv.lock
	@echo "Installing the pinned packages into .venv; less than a minute the first time."
	@PYTHONPATH=src $(PYTHON) -m noxgate.machine.packages uv
	@touch $@

$(SUITE): $(UV) $(SUITE_IS_MADE_FROM)
	@PYTHONPATH=src $(PYTHON) -m noxgate.machine.packages suite
	@echo "Installed. For the commands noxgate and pytest: . .venv/bin/activate"
	@touch $@

# All of the suite's packages, and more: neither is installed twice.
$(ALL): $(UV) $(SUITE_IS_MADE_FROM) requirements.lock
	@PYTHONPATH=src $(PYTHON) -m noxgate.machine.packages all
	@echo "Installed. For the commands noxgate and pytest: . .venv/bin/activate"
	@touch $(SUITE) $@
