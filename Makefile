# make demo: run the exporter on an inventory it makes itself.
# make test: install what is missing and run every check.
# make bench: measure against peers, in one run.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests mostly wait for servers, so there may be more workers than cores.
WORKERS ?= 3

.PHONY: demo test lint docs generate bench clean

$(STAMP): setup.cfg pyproject.toml
	sh tools/debian-packages python3-venv
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs,test]'
	touch $@

demo: $(STAMP)
	$(BIN)/bernard-exporter demo

docs: $(STAMP)
	$(BIN)/sphinx-build -W --keep-going -n -q -b html docs build/docs/html
	$(BIN)/sphinx-build -W --keep-going -n -q -b man docs build/docs/man

generate: $(STAMP)
	$(BIN)/python tools/generate.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: $(STAMP) lint
	sh tools/debian-packages @tests/debian-packages.txt
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n $(WORKERS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(STAMP)
	sh tools/debian-packages mariadb-server prometheus-sql-exporter wrk
	$(BIN)/python tools/bench.py

clean:
	rm -rf $(VENV) .tox build dist *.egg-info .coverage*
