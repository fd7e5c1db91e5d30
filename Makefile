# Every command of the project. `make help` lists them.
#
# A bare machine needs python3 (3.11 or newer, with venv), make and git. All else is installed here, by exact version and
# hash: uv into .uv, the tools into .venv, and the libraries we are compared with into .venv-bench.

PYTHON ?= python3
UV     := .uv/bin/uv
BIN    := .venv/bin
JOBS   ?= 2

export UV_PYTHON_DOWNLOADS = never
export UV_LINK_MODE = copy

.DEFAULT_GOAL := help
.PHONY: help setup test test-lowest test-lowest-extras cover check lint imports types mypy pyright format api api-check docs docs-serve \
        bench bench-http bench-services bench-platform mutants slow soak examples demo watch up changelog pins build clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

# --- environments: each stamp is redone when its pins or pyproject.toml change

.uv/.stamp: constraints/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints/uv.txt
	@touch $@

.venv/.base: .uv/.stamp
	$(UV) venv --quiet --clear --python $(PYTHON) .venv
	@touch $@

.venv/.test: .venv/.base constraints/test.txt pyproject.toml reference-services/pyproject.toml
	$(UV) pip install --quiet --python .venv --require-hashes -r constraints/test.txt
	$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation -e . -e reference-services
	@touch $@

.venv/.dev: .venv/.base constraints/dev.txt pyproject.toml reference-services/pyproject.toml
	$(UV) pip sync --quiet --python .venv --require-hashes constraints/dev.txt
	$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation -e . -e reference-services
	@touch .venv/.test $@

.venv-bench/.stamp: .uv/.stamp constraints/bench.txt pyproject.toml
	$(UV) venv --quiet --clear --python $(PYTHON) .venv-bench
	$(UV) pip sync --quiet --python .venv-bench --require-hashes constraints/bench.txt
	$(UV) pip install --quiet --python .venv-bench --no-deps --no-build-isolation -e .
	@touch $@

setup: .venv/.dev ## Install everything a developer needs into .venv

# --- tests and checks

test: .venv/.test ## Run the tests (TESTS=path or ARGS="-k word" to choose)
	$(BIN)/python -m pytest -n $(JOBS) $(TESTS) $(ARGS)
	@$(if $(TESTS)$(ARGS),,mkdir -p .cache && touch .cache/tested)

# Whatever can change what the tests say. They are not run again for files that they have passed with.
.cache/tested: $(wildcard $(shell git ls-files --cached --others --exclude-standard)) | .venv/.dev
	@$(MAKE) test

test-lowest: test-lowest-extras ## Run the tests with the oldest anyio, and those of what extras are for with the oldest of all
	$(UV) venv --quiet --clear --python $(PYTHON) .venv-lowest
	$(UV) pip install --quiet --python .venv-lowest --require-hashes -r constraints/lowest.txt
	$(UV) pip install --quiet --python .venv-lowest --no-deps --no-build-isolation -e . -e reference-services
	.venv-lowest/bin/python -m pytest -n $(JOBS) $(TESTS) $(ARGS)

# Every package that an extra asks for, in the oldest version that it allows. anyio is that of the extras, then.
# Not tests/service/store: PostgreSQL's driver is no extra's, and an old one may be late with what it cancels.
EXTRAS := tests/integrations $(addprefix tests/service/,client framework idempotency proxy resolver streaming tokens)
test-lowest-extras: .uv/.stamp
	$(UV) venv --quiet --clear --python $(PYTHON) .venv-lowest-extras
	$(UV) pip install --quiet --python .venv-lowest-extras --require-hashes -r constraints/lowest-extras.txt
	$(UV) pip install --quiet --python .venv-lowest-extras --no-deps --no-build-isolation -e .
	.venv-lowest-extras/bin/python -m pytest -n $(JOBS) $(or $(TESTS),$(EXTRAS)) $(ARGS)

cover: .venv/.test ## Run the tests, and require all branches of uat_resilience and 95 % of uat_service
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(JOBS) $(ARGS)
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='src/uat_resilience/*' --fail-under=100
	$(BIN)/coverage report --include='src/uat_service/*' --fail-under=95

check: lint imports types docs .cache/tested ## Run every check that a commit must pass
	@echo "All checks passed."

lint: .venv/.dev ## Check format, style and spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md docs src tests examples reference-services

imports: .venv/.dev ## Check that nothing imports upward
	$(BIN)/lint-imports --no-logo

types: mypy pyright ## Check the types with mypy and pyright, both strict

mypy: .venv/.dev
	$(BIN)/mypy

pyright: .venv/.dev
	$(BIN)/pyright

format: .venv/.dev ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

api: .venv/.test ## Accept the public names and signatures as they are now
	$(BIN)/python tests/api/snapshot.py

mutants: .venv/.dev ## Break the core in small ways and see whether the tests notice
	HYPOTHESIS_PROFILE=mutants $(BIN)/mutmut run
	$(BIN)/mutmut results
	@$(BIN)/mutmut export-cicd-stats >/dev/null
	@$(BIN)/python -c 'import json, sys; \
	  found = json.load(open("mutants/mutmut-cicd-stats.json")); \
	  score = 100 * (found["killed"] + found["timeout"]) / found["total"]; \
	  print("%.1f %% of %d mutants were noticed" % (score, found["total"])); \
	  sys.exit(score < 95 and "That is less than 95 %.")'

soak: .venv/.test ## Run the property tests, and the calls with deadlines, for long
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -n $(JOBS) --timeout=3600 tests/core tests/service/deadlines $(ARGS)

slow: .venv/.test ## Run the tests that take ten seconds or more each
	$(BIN)/python -m pytest -n $(JOBS) --timeout=300 -m slow $(ARGS)

# --- things to look at

up: .venv/.test ## Start the platform: its services and a Redis (ARGS=--reload; Ctrl-C stops them)
	$(BIN)/python -m uat_service up $(ARGS)

demo: .venv/.test ## Watch a story on the platform: one replica dies, one gets ill, and nobody notices (ARGS=--stay)
	$(BIN)/python -m examples.story $(ARGS)

watch: .venv/.test ## Watch a pipeline handle a server that misbehaves
	$(BIN)/python -m examples.demo $(ARGS)

examples: .venv/.test ## Run every example
	@for script in examples/[0-9]*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

bench: .venv-bench/.stamp ## Compare the speed with other libraries, in one interleaved run
	.venv-bench/bin/python -m benchmarks $(ARGS)

bench-http: .venv/.dev ## Measure what a guarded HTTP client adds to a request, beside the bare one
	$(BIN)/python -m benchmarks.http $(ARGS)

bench-services: .venv/.dev ## Compare the reverse proxy with plain ones, side by side
	$(BIN)/python -m benchmarks.services $(ARGS)

bench-platform: .venv/.dev ## Compare the load balancer with others before ill replicas, and flood the logins
	$(BIN)/python -m benchmarks.platform $(ARGS)

docs: .venv/.dev ## Build the documentation, strictly
	$(BIN)/zensical build --strict --clean

docs-serve: .venv/.dev ## Serve the documentation on this machine while writing it
	$(BIN)/zensical serve

# --- releases and maintenance

changelog: .venv/.dev ## Show what the next release's notes would say
	$(BIN)/towncrier build --draft --version unreleased

build: .venv/.dev ## Build the wheel and the source archive into dist/
	rm -rf dist
	$(UV) build --quiet --python .venv --no-build-isolation

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate $(ARGS)

pins: export UV_CUSTOM_COMPILE_COMMAND = make pins
pins: .uv/.stamp ## Pin what pyproject.toml asks for, with hashes (ARGS=--upgrade to choose the newest)
	echo uv | $(COMPILE) --output-file constraints/uv.txt - >/dev/null
	$(COMPILE) --group pyproject.toml:dev --output-file constraints/dev.txt pyproject.toml >/dev/null
	$(COMPILE) --group pyproject.toml:test --constraint constraints/dev.txt --output-file constraints/test.txt pyproject.toml >/dev/null
	$(COMPILE) --group pyproject.toml:bench --constraint constraints/dev.txt --output-file constraints/bench.txt pyproject.toml >/dev/null
	sed -n 's/^dependencies = \["\(.*\)>=\(.*\),.*/\1==\2/p' pyproject.toml | $(COMPILE) --group pyproject.toml:test --constraint - --output-file constraints/lowest.txt pyproject.toml >/dev/null
	$(COMPILE) --resolution lowest-direct --all-extras --group pyproject.toml:test --no-emit-package uat-resilience --output-file constraints/lowest-extras.txt pyproject.toml >/dev/null
	@! grep -nE '://|--(extra-)?index|--find-links' constraints/*.txt || { echo "a pin names where it came from"; exit 1; }

clean: ## Remove everything that is not source
	rm -rf .uat .uv .venv .venv-* .cache .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
	       .ruff_cache .zensical dist htmlcov mutants site uv.lock
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
