PYTHON_BIN := .venv/bin
# How pytest spreads the tests over the cores: see tests/README.md.
PYTEST := $(PYTHON_BIN)/python -m pytest @.ci/side-by-side
# What takes seconds, and what starts servers and programs, is left to the whole run.
SLOW := benchmarks comparison comparison_by_running cookie_jar_% cookie_reference docs edits example_% generated_models \
	lost_logins mapping_like_a_dict memory migrating_data payload_round_trip planted_faults running session_status_script setup \
	starlette_own_suite supply_chain token_cookies token_mutants
FAST_IN := cookies keys model project routes scope time
FAST := $(foreach path, $(wildcard $(FAST_IN:%=tests/%/test_*.py) tests/formats/test_foreign_*.py tests/formats/test_migrating*.py), $(if $(filter $(SLOW:%=test_%.py), $(notdir $(path))),, $(path)))
# What the tests start, besides what pip installs.
PROGRAMS := redis-server redis-sentinel postgres mariadbd pgbouncer chromium
PORT ?= 8000
# How long a session of the shop lasts without a visit: with 1, the timeout warning comes after half a minute.
IDLE_MINUTES ?= 30
# Node for the peers' packages comes with the Python environment where the machine has none.
export PATH := $(PATH):$(CURDIR)/.venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test coverage test-fast check docs bench soak screenshots linkcheck mutation test-all test-oldest audit format clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14

run: .venv/.example ## serve the example shop; PORT=8000 IDLE_MINUTES=30, TLS=1 for https
	$(PYTHON_BIN)/python -m example_app --port $(PORT) --idle-minutes $(IDLE_MINUTES) $(if $(TLS),--tls)

test: .venv/.test ## every test
	.ci/setup --programs $(PROGRAMS)
	$(PYTEST)

coverage: .venv/.test ## every test, and the branches of the package that none of them takes
	.ci/setup --programs $(PROGRAMS)
	CI=true $(PYTEST) --cov

test-fast: .venv/.test ## the core's fast tests
	$(PYTEST) -q $(FAST)

check: .venv/.check ## ruff, mypy, pyright, the documentation
	$(PYTHON_BIN)/ruff check .
	$(PYTHON_BIN)/ruff format --check .
	$(PYTHON_BIN)/mypy
	$(PYTHON_BIN)/pyright
	$(PYTHON_BIN)/python -m pytest -q tests/project/test_layers.py tests/project/test_public_names.py
	$(MAKE) docs

docs: .venv/.docs ## build the documentation
	$(PYTHON_BIN)/sphinx-build --fail-on-warning --keep-going -q -b html docs .build/docs
	@echo "docs: open .build/docs/index.html"

bench: .venv/.bench ## measure, side by side with the peers
	.ci/setup --programs redis-server wrk
	$(PYTHON_BIN)/python -m tests.benchmarks

soak: .venv/.soak ## the long runs: fuzzing, floods, many users, key rotation, outages; half an hour
	.ci/setup --programs redis-server wrk
	$(PYTHON_BIN)/python -m tests.soak

screenshots: .venv/.test ## the pictures of the shop in docs/_static/screenshots
	.ci/setup --programs chromium
	$(PYTHON_BIN)/python -m tests.browser.screenshots docs/_static/screenshots

linkcheck: .venv/.docs ## whether the pages that the documentation links to are there (needs a network)
	$(PYTHON_BIN)/sphinx-build -q -b linkcheck docs .build/linkcheck

mutation: .venv/.mutation ## whether the tests notice small changes of the code; MODULES="token cookies" for some
	$(PYTHON_BIN)/python -m tests.mutation $(MODULES)

test-all: ## every test on every Python we support
	.ci/test-all 3.11 3.12 3.13

test-oldest: .venv/.oldest ## every test on the lowest versions that pyproject.toml allows
	.ci/setup --programs $(PROGRAMS)
	.ci/test-oldest

audit: .venv/.audit ## known vulnerabilities of what the library needs (needs a network)
	$(PYTHON_BIN)/python .ci/audit

format: .venv/.check ## write the code as ruff has it
	$(PYTHON_BIN)/ruff check --fix .
	$(PYTHON_BIN)/ruff format .

clean: ## remove the virtual environments and everything that was built
	rm -rf .venv .venvs .build .cache

# One stamp a dependency group, older than pyproject.toml when it has to be installed again.
.venv/.%: pyproject.toml .ci/setup
	.ci/setup $*
	@touch $@
