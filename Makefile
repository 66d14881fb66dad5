# make run: the demo fleet in the full-screen application. make test: all tests. Both set up what they lack.

PYTEST = .venv/bin/python -m pytest
WORKERS ?= 2
ROUNDS ?= 20

.PHONY: help run setup test quick test-all fuzz pictures-under-load check format bench lab-setup lab clean

help:
	@echo 'make run        set up, then open the demo fleet in the full-screen application'
	@echo 'make test       set up, then run all tests (real libvirt hosts included where make lab-setup has been run)'
	@echo 'make quick      while you work: tests without screens, terminals and real hosts'
	@echo 'make test-all   as make test, and ten times as many examples, new ones in each run'
	@echo 'make fuzz       damaged texts for whatever reads them: 2 minutes for each reader, two at once'
	@echo 'make pictures-under-load  all pictures, ROUNDS=20 times, beside eight busy processes'
	@echo 'make setup      install what is missing; leaves .venv/bin/realms'
	@echo 'make check      format, lint, strict types, import contracts'
	@echo 'make bench      the benchmarks'
	@echo 'make lab-setup  install the daemons that the tests on real libvirt hosts need'
	@echo 'make lab        start real libvirt hosts on this machine and keep them until Ctrl-C'
	@echo 'make clean      remove what the above made in this folder'

setup:
	@tools/setup.sh

run: setup
	@.venv/bin/realms demo

test:
	@tools/setup.sh --tests
	@$(PYTEST) -n $(WORKERS) --dist loadgroup --durations=20

quick: setup
	@$(PYTEST) -n $(WORKERS) --dist loadgroup -m 'not slow and not lab and not oracle' --ignore tests/lab

test-all: export REALMS_EXPLORE = 1
test-all: test

fuzz: setup
	@.venv/bin/python -m tests.fuzz

pictures-under-load: setup
	@tools/pictures-under-load.sh $(ROUNDS)

check: setup
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: setup
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: setup
	@.venv/bin/python -c 'import ortools' 2>/dev/null || .venv/bin/python -m pip --quiet --disable-pip-version-check \
	  install --constraint constraints.txt --no-build-isolation --editable '.[bench]'
	.venv/bin/python -m bench

lab-setup:
	@tools/lab-setup.sh

lab: setup
	.venv/bin/python -m tests.lab

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache snapshot_report.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
