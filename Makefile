# `make` alone shows what there is. `make demo` and `make test` do all their own set-up.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Seconds that each part of `make test` may take on two cores.
LIMIT_format := 60
LIMIT_lint := 60
LIMIT_template := 60
LIMIT_types := 300
LIMIT_imports := 60
LIMIT_tests := 480
LIMIT_storms := 420
LIMIT_browser := 180

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# Where it is set, each process of a test compiles the product anew, and pytest all tests.
export PYTHONDONTWRITEBYTECODE :=

# --- which Python ------------------------------------------------------------------------------
# A name on the path is not enough: a version manager leaves names there that start nothing, and
# Debian's python3 cannot make environments without python3-venv.

CAN_SET_UP := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))
usable = $(shell $(1) -c '$(CAN_SET_UP)' >/dev/null 2>&1 && echo $(1))

DEFAULT_PYTHON := $(or $(call usable,python3.11),$(call usable,python3))
PYTHON ?= $(DEFAULT_PYTHON)
VENV := $(if $(filter $(DEFAULT_PYTHON),$(PYTHON)),.venv,.venv-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
IN_PYTHON := $(if $(PYTHON),$(call usable,$(PYTHON)))

# The vendor's own clients judge the local media APIs from environments of their own: their
# dependencies are none of ours, and two generations of one client cannot share one.
VENDORS := vendor vendor-mts-3 vendor-legacy vendor-stores
VENDORS_INSTALLED := $(VENDORS:%=.venv-%/.installed)
TOOLS_INSTALLED := .venv-fuzz/.installed .venv-audit/.installed
export VENDOR_PYTHON := $(CURDIR)/.venv-vendor/bin/python
export VENDOR_MTS_3_PYTHON := $(CURDIR)/.venv-vendor-mts-3/bin/python
export VENDOR_STORES_PYTHON := $(CURDIR)/.venv-vendor-stores/bin/python
export VENDOR_LEGACY_PYTHON := $(CURDIR)/.venv-vendor-legacy/bin/python

# The vendor's clients for Node.js judge too, where there is a Node.js; else those tests say `not run`.
NODE_INSTALLED := $(if $(shell command -v npm),tests/node/node_modules/.installed)

CHECKS := test unit storms browser format-check lint lint-template types imports
TOOLS := demo invoke simulate fuzz audit format bench package

.PHONY: help clean lock $(CHECKS) $(TOOLS) tests-with-coverage

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  make test PYTHON=python3.12 runs on another Python, in an environment of its own"

ifeq ($(DEFAULT_PYTHON),)

$(CHECKS) $(TOOLS):
	@echo "No Python 3.10 or newer that can make environments. On Debian, install these packages:" >&2
	@echo "    apt-get install python3 python3-venv make" >&2
	@exit 1

else ifeq ($(IN_PYTHON),)

$(CHECKS) $(TOOLS):
	@if $(PYTHON) -c '' >/dev/null 2>&1; then \
		echo "not run: $(PYTHON) is older than 3.10, or has no venv module"; \
	else \
		echo "not run: $(PYTHON) is not installed"; \
	fi

else

# --- the two commands --------------------------------------------------------------------------

demo: $(VENV)/.installed ## Callbacks become records and rows, on this machine (ARGS="--dir out --json")
	@$(BIN)/media-ledger demo $(ARGS)

test: format-check lint lint-template types imports tests-with-coverage storms browser ## All checks, exactly as CI runs them

PYTEST = $(BIN)/python -m pytest --quiet --numprocesses=2

# --- parts of `make test` ----------------------------------------------------------------------

# $(call limited,PART,COMMAND) runs a command, and says so when the part's time is up. Without
# --foreground an interrupt from the keyboard would not reach the command.
limited = @echo "--- $(1)"; timeout --foreground --kill-after=10 $(LIMIT_$(1)) $(2) || { \
	status=$$?; \
	case $$status in 124|137) \
		echo "$(1): not finished after $(LIMIT_$(1)) s, stopped (LIMIT_$(1) in the Makefile)" >&2;; \
	esac; \
	exit $$status; }

format-check: $(VENV)/.installed
	$(call limited,format,$(BIN)/ruff format --check .)

lint: $(VENV)/.installed ## Lint only
	$(call limited,lint,$(BIN)/ruff check --quiet .)

lint-template: $(VENV)/.installed ## Check template.yml only, offline
	$(call limited,template,$(BIN)/media-ledger lint-template)

types: $(VENV)/.installed ## Type check only
	$(call limited,types,$(BIN)/mypy)

imports: $(VENV)/.installed ## Import rule only
	$(call limited,imports,$(BIN)/lint-imports)

# Thousands of runs of the same code: coverage would learn nothing from them and make them twice as long.
STORMS := tests/simulation tests/test_canaries_in_play.py tests/functions/test_crashes.py tests/shared/test_histories.py \
	$(wildcard tests/shared/test_*crashes*.py tests/shared/test_interleavings*.py)

tests-with-coverage: $(VENV)/.installed $(VENDORS_INSTALLED) $(NODE_INSTALLED)
	$(call limited,tests,$(PYTEST) --cov --cov-report=term $(STORMS:%=--ignore=%) --ignore=tests/browser $(ARGS))

storms: $(VENV)/.installed ## Crashes, interleavings and 50 simulated storms only
	$(call limited,storms,$(PYTEST) $(STORMS))

# Without coverage, and on one Python: the pages' own tests have both. Pictures are left in build/screenshots/.
browser: $(VENV)/.installed ## Pages in a real Chromium only, where there is one (ARGS="-k timeline")
	$(call limited,browser,$(PYTEST) tests/browser $(ARGS))

# --- at the desk -------------------------------------------------------------------------------

unit: $(VENV)/.installed $(VENDORS_INSTALLED) $(NODE_INSTALLED) ## Tests only, without the storms (ARGS="tests/shared -k lease")
	$(call limited,tests,$(PYTEST) --ignore=tests/simulation --ignore=tests/browser $(ARGS))

SEEDS ?= 200
FROM ?= 0
JOBS ?= 200

simulate: $(VENV)/.installed ## Storms over the whole product, one for each seed (SEEDS=200 FROM=0)
	@$(BIN)/python -m tests.simulation $(SEEDS) $(FROM) $(JOBS)

FUZZ_SECONDS ?= 60

# Findings are left in build/fuzz/findings/.
fuzz: .venv-fuzz/.installed ## Fuzz the parsers of what strangers write (FUZZ_SECONDS=60 for each, ARGS="xml pointer")
	@.venv-fuzz/bin/python -m tests.fuzz $(FUZZ_SECONDS) $(ARGS)

# Ends with 1 when a person has to look, with 3 when nobody could be asked about vulnerabilities.
audit: $(VENV)/.installed .venv-audit/.installed ## Licences of the pins, and what is known to be vulnerable (network)
	@$(BIN)/python -m audit .venv-audit/bin/python -m pip_audit

format: $(VENV)/.installed ## Format the code, and fix what lint can fix
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

invoke: $(VENV)/.installed ## Run one sample: make invoke F=callback E=events/callback/queue-array.json
	@test -n "$(F)" -a -n "$(E)" || { echo "say which: make invoke F=<function> E=<event file>" >&2; exit 2; }
	@$(BIN)/media-ledger invoke "$(F)" --event "$(E)" $(ARGS)

package: $(VENV)/.installed ## Zips to deploy, into dist/ (ARGS="--for python3.10")
	@$(BIN)/media-ledger package $(ARGS)

# What a benchmark needs beside this environment it installs for itself.
bench: $(VENV)/.installed ## Measure what the README promises, into benchmarks/RESULTS.md; fails when a figure misses its limit
	@$(BIN)/python benchmarks/results.py --date "$$(date -u +%F)" $(ARGS)

# --- environments ------------------------------------------------------------------------------
# The stamp is written last, so an interrupted set-up starts anew. Everything is pinned with hashes,
# the build backend first: nothing that is not listed is ever fetched or run.

PIP_INSTALL = -m pip install --quiet --require-hashes --no-build-isolation

$(VENV)/.requirements: requirements/build.txt requirements/dev.txt
	@echo "setting up $(VENV) with $(PYTHON)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP_INSTALL) -r requirements/build.txt
	@$(BIN)/python $(PIP_INSTALL) -r requirements/dev.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.requirements pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENDORS_INSTALLED) $(TOOLS_INSTALLED): .venv-%/.installed: requirements/build.txt requirements/%.txt
	@echo "setting up .venv-$* with $(DEFAULT_PYTHON)"
	@rm -rf .venv-$*
	@$(DEFAULT_PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python $(PIP_INSTALL) -r requirements/build.txt
	@.venv-$*/bin/python $(PIP_INSTALL) -r requirements/$*.txt
	@touch $@

tests/node/node_modules/.installed: tests/node/package.json tests/node/package-lock.json
	@echo "setting up tests/node"
	@cd tests/node && npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

endif

# --- upkeep ------------------------------------------------------------------------------------

UV ?= uv
COMPILE = $(UV) pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes --no-header

lock: ## Renew the pins in requirements/*.txt (needs uv: pip install uv)
	@cd requirements && $(COMPILE) build.in --output-file build.txt
	@cd requirements && $(COMPILE) function.in --output-file function.txt
	@cd requirements && $(COMPILE) function.in cli.in --constraints function.txt --output-file cli.txt
	@cd requirements && $(COMPILE) function.in tracing.in --constraints function.txt --output-file tracing.txt
	@cd requirements && $(COMPILE) function.in aliyun.in --constraints function.txt --output-file aliyun.txt
	@cd requirements && $(COMPILE) build.in function.in aliyun.in cli.in tracing.in dev.in --constraints build.txt \
		--constraints aliyun.txt --constraints cli.txt --constraints tracing.txt --output-file dev.txt
	@cd requirements && $(COMPILE) function.in bench-toolkit.in --constraints function.txt --output-file bench-toolkit.txt
	@cd requirements && $(COMPILE) build.in bench-cold-start.in --constraints build.txt --constraints aliyun.txt \
		--output-file bench-cold-start.txt
	@cd requirements && $(COMPILE) build.in function.in fuzz.in --constraints build.txt --constraints function.txt \
		--output-file fuzz.txt
	@cd requirements && $(COMPILE) build.in audit.in --constraints build.txt --output-file audit.txt
	@cd requirements && $(COMPILE) --no-deps ros-cdk.in --output-file ros-cdk.txt
	@cd requirements && for clients in $(VENDORS); do \
		$(COMPILE) build.in $$clients.in --constraints build.txt --output-file $$clients.txt; \
	done

clean: ## Remove environments, caches and build output
	@rm -rf .venv .venv-* tests/node/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis \
		.coverage build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
