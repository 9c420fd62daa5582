# make run    serve the example shop          make bench   measure, side by side with the peers
# make test   every test                      make docs    build the documentation
# make check  ruff, mypy, pyright, docs       make test-all  the tests on every Python we support
# make screenshots  the pictures of the shop in docs/_static/screenshots
# make linkcheck  whether the pages of others that the documentation links to are there (needs a network)
# make test-oldest  the tests on the lowest versions that pyproject.toml allows
# make audit      known vulnerabilities of what the library needs (needs a network)
# make soak     the long runs: fuzzing, floods, many users, key rotation, outages; half an hour
# make mutation   whether the tests notice small changes of the code; MODULES="token cookies" for some
PYTHON_BIN := .venv/bin
PORT ?= 8000
# How long a session of the shop lasts without a visit: with 1, the timeout warning comes after half a minute.
IDLE_MINUTES ?= 30
# Node for the peers' packages comes with the Python environment where the machine has none.
export PATH := $(PATH):$(CURDIR)/.venv/bin

.PHONY: run screenshots test check docs linkcheck bench soak mutation test-all test-oldest audit format clean

run: .venv/.example
	$(PYTHON_BIN)/python -m example_app --port $(PORT) --idle-minutes $(IDLE_MINUTES)

screenshots: .venv/.test
	.ci/setup --programs chromium
	$(PYTHON_BIN)/python -m tests.browser.screenshots docs/_static/screenshots

test: .venv/.test
	.ci/setup --programs redis-server chromium
	# A second try for what a busy machine made late: some tests wait for real servers within 0.3 s.
	$(PYTHON_BIN)/python -m pytest --reruns 1

check: .venv/.check
	$(PYTHON_BIN)/ruff check .
	$(PYTHON_BIN)/ruff format --check .
	$(PYTHON_BIN)/mypy
	$(PYTHON_BIN)/pyright
	$(PYTHON_BIN)/python -m pytest -q tests/test_layers.py tests/test_public_names.py
	$(MAKE) docs

docs: .venv/.docs
	$(PYTHON_BIN)/sphinx-build --fail-on-warning --keep-going -q -b html docs .build/docs
	@echo "docs: open .build/docs/index.html"

linkcheck: .venv/.docs
	$(PYTHON_BIN)/sphinx-build -q -b linkcheck docs .build/linkcheck

bench: .venv/.bench
	.ci/setup --programs redis-server wrk
	$(PYTHON_BIN)/python -m tests.benchmarks

soak: .venv/.soak
	.ci/setup --programs redis-server wrk
	$(PYTHON_BIN)/python -m tests.soak

mutation: .venv/.mutation
	$(PYTHON_BIN)/python -m tests.mutation $(MODULES)

test-all:
	.ci/test-all 3.11 3.12 3.13

test-oldest: .venv/.oldest
	.ci/setup --programs redis-server
	.ci/test-oldest

audit: .venv/.audit
	$(PYTHON_BIN)/python .ci/audit

format: .venv/.check
	$(PYTHON_BIN)/ruff check --fix .
	$(PYTHON_BIN)/ruff format .

clean:
	rm -rf .venv .venvs .build .cache

# One stamp a dependency group, older than pyproject.toml when it has to be installed again.
.venv/.%: pyproject.toml .ci/setup
	.ci/setup $*
	@touch $@
