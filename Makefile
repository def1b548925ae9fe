# Every target sets up what it needs: a Python 3.11 or newer with venv is enough (tools/pythons.sh).

VERSIONS := $(or $(shell sh tools/pythons.sh 2>/dev/null | cut -d " " -f 1),none)
FIRST := $(firstword $(VERSIONS))

# An environment is ready for one place, one lock and one pyproject.toml: its stamp carries their sum.
READY := ready-$(shell (pwd; cat requirements/*.txt pyproject.toml) 2>/dev/null | cksum | cut -d " " -f 1)
DEV := .venvs/dev
BIN := .venvs/$(FIRST)/bin

.PHONY: help demo test test-all quick chaos lint types bench lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 10

demo: .venvs/$(FIRST)/$(READY) ## the deploy in the middle of an import, shown
	@$(BIN)/continuable demo

test: .venvs/$(FIRST)/$(READY) ## the tests on one Python, of the slow ones a sample: under five minutes
	@$(BIN)/python tools/tests.py sample $(FIRST)

# After `make test` in the same call, what that has run is not run again.
test-all: $(VERSIONS:%=.venvs/%/$(READY)) ## every test, on each of Python 3.13, 3.12 and 3.11 that is here
	@$(BIN)/python tools/tests.py $(if $(filter test,$(MAKECMDGOALS)),after-sample,all) $(VERSIONS)

quick: .venvs/$(FIRST)/$(READY) ## the tests that need no server and are not slow, on one Python
	@$(BIN)/python tools/tests.py quick $(FIRST)

chaos: .venvs/$(FIRST)/$(READY) ## imports over every store and engine, while workers are killed and servers restarted
	@$(BIN)/python -m tests.chaos

lint: $(DEV)/$(READY) ## ruff: rules and format; which way imports run
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/lint-imports --no-cache

types: $(DEV)/$(READY) ## mypy on the package; mypy and pyright on what users write
	$(DEV)/bin/mypy src
	$(DEV)/bin/mypy typing_tests
	$(DEV)/bin/pyright --pythonpath $(DEV)/bin/python

bench: $(DEV)/$(READY) ## the benchmarks
	$(DEV)/bin/python -m benchmarks

$(DEV)/$(READY):
	@sh tools/venv.sh $(DEV) $(FIRST) requirements/dev.txt
	@touch $@

.venvs/%/$(READY):
	@sh tools/venv.sh .venvs/$* $* requirements/test.txt
	@touch $@

# The one target that wants more than a Python: it asks the package index for the newest releases.
COMPILE := .venvs/lock/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-emit-index-url --no-config \
	--custom-compile-command "make lock" --quiet

lock: ## pin the newest release of everything, with hashes
	@sh -c 'python=$$(sh tools/pythons.sh | head -n 1 | cut -d " " -f 2-) && "$$python" -m venv --clear .venvs/lock'
	@.venvs/lock/bin/python -m pip install --quiet uv
	@$(COMPILE) --upgrade --group dev --output-file requirements/dev.txt
	@$(COMPILE) --upgrade --group test --group build --constraint requirements/dev.txt --output-file requirements/test.txt

clean: ## forget the environments and what the tools left behind
	rm -rf .venvs .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
