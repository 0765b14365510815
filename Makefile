# Everything runs in an environment that is made here (.venv) and nowhere else; only Python 3.11+ has to be there.
# Another Python: make test PYTHON=python3.13

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# One stamp per set of packages. A stamp is renewed when pyproject.toml changes; the dev set includes the run set.
RUN    := $(VENV)/.installed-run
DEV    := $(VENV)/.installed-dev
BENCH  := $(VENV)/.installed-bench

.DEFAULT_GOAL := help
.PHONY: help demo serve test fuzz faults check lint types imports migrations wheel format bench clean
.DELETE_ON_ERROR:
ifndef BESIDE
.NOTPARALLEL:
endif

help:
	@echo 'make demo     run the main job on made-up recordings'
	@echo 'make serve    serve that lab to a browser on this machine (PORT=, LAB=)'
	@echo 'make test     run every test, on SQLite and on a real PostgreSQL'
	@echo 'make fuzz     half an hour of mutated input files, recordings, command lines and requests (SECONDS=, SEED=)'
	@echo 'make faults   kill, cut, fill and wind back, so often of each kind, and write docs/reliability.md (COUNT=, SEED=)'
	@echo 'make load     32 readers and 8 uploaders while PostgreSQL is restarted, and the server killed (LOAD_SECONDS=)'
	@echo 'make check    lint, types, import rules, migrations, and the wheel in an environment of its own'
	@echo 'make wheel    build the wheel, try it in an environment of its own, and leave it in dist/'
	@echo 'make format   lay out the code as make check wants it'
	@echo 'make bench    measure'
	@echo 'make clean    remove what these commands made'

# The lab that make demo leaves, and that make serve serves. One that is there is not played again: it may be in use.
LAB  ?= demo-lab
PORT ?= 8440

demo: $(RUN)
	@if [ -e '$(LAB)' ]; then $(BIN)/daybook demo; else $(BIN)/daybook demo --keep '$(LAB)'; fi
	@echo
	@echo 'See the lab of $(LAB) in the browser: make serve'

serve: $(RUN)
	@[ -e '$(LAB)' ] || $(BIN)/daybook demo --keep '$(LAB)' --json >/dev/null
	@echo 'The lab of $(LAB). If you forget the password of user_1: $(BIN)/daybook --config $(LAB)/daybook.toml user reset-password user_1' >&2
	@$(BIN)/daybook --config '$(LAB)/daybook.toml' serve --port $(PORT)

# -rs: what is skipped says why. At most four processes: each has a PostgreSQL server of its own.
test: $(DEV)
	@$(BIN)/python -m pytest -n auto --maxprocesses=4 --dist worksteal -rs

SECONDS ?= 1800
SEED    ?= 0

fuzz: $(DEV)
	@$(BIN)/python -m tests.fuzz all --seconds $(SECONDS) --seed $(SEED)

COUNT ?= 20

faults: $(DEV)
	@$(BIN)/python -m tests.faults --seed $(SEED) --count $(COUNT) --write docs/reliability.md

LOAD_SECONDS ?= 60

load: $(DEV)
	@$(BIN)/python -m tests.load --seconds $(LOAD_SECONDS)

# Its parts beside each other; what each says is shown whole, where make can.
check: $(DEV)
	@$(MAKE) --no-print-directory BESIDE=1 -j4 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) \
		wheel types imports migrations lint
	@echo 'All checks passed.'

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports --no-logo
	$(BIN)/python .ci/check_contracts.py

migrations: $(DEV)
	$(BIN)/python .ci/check_migrations.py

wheel: $(DEV)
	$(BIN)/python .ci/check_wheel.py

format: $(DEV)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(BENCH)
	@$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) demo-lab build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): pyproject.toml
	@$(MAKE) --no-print-directory python
	@echo 'Installing Daybook into $(VENV) ...'
	@$(PIP) -e '.[server]'
	@touch $@

$(DEV): pyproject.toml
	@$(MAKE) --no-print-directory python
	@echo 'Installing Daybook and what its tests and checks need into $(VENV) ...'
	@$(PIP) -e '.[dev]'
	@touch $(RUN) $@

$(BENCH): pyproject.toml
	@$(MAKE) --no-print-directory python
	@echo 'Installing Daybook and what its benchmarks need into $(VENV) ...'
	@$(PIP) -e '.[bench]'
	@touch $(RUN) $@

.PHONY: python
python:
	@command -v '$(PYTHON)' >/dev/null 2>&1 || \
		{ echo 'There is no $(PYTHON) here. Daybook needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ...' >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$('$(PYTHON)' -V 2>&1); Daybook needs 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo '$(PYTHON) cannot make environments; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@'$(PYTHON)' -m venv $(VENV)
