# make demo: run the exporter on an inventory it makes itself.
# make test: install what is missing and run every check.
# make deb-test: build the Debian packages and try them in a fresh Debian.
# make bench: measure against peers, in one run.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Peers of the benchmark, apart from what is installed for the exporter; BENCH passes options on.
PEERS := $(VENV)/peers
BENCH ?=
# Tests mostly wait for servers, so there may be more workers than cores.
WORKERS ?= 4

.PHONY: demo test lint docs generate pictures deb deb-test release bench growth soak audit clean

$(STAMP): setup.cfg pyproject.toml
	sh tools/debian-packages python3-venv
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs,kubernetes,openapi,test]'
	touch $@

demo: $(STAMP)
	$(BIN)/bernard-exporter demo

docs: $(STAMP)
	$(BIN)/sphinx-build -W --keep-going -n -q -b html docs build/docs/html
	$(BIN)/sphinx-build -W --keep-going -n -q -b man docs build/docs/man

generate: $(STAMP)
	$(BIN)/python -m tools.generate

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: $(STAMP) lint
	sh tools/debian-packages @tests/debian-packages.txt
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n $(WORKERS) -m 'not alone'
	$(BIN)/coverage run -m pytest -m alone
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The Debian packages, built twice and judged by lintian, into dist/deb; needs root. deb-test also tries them.
deb deb-test: $(STAMP)
	sh tools/debian-packages debootstrap iproute2
	$(BIN)/python -m tools.debs $(if $(filter deb-test,$@),--install)

# Everything that is published, into dist/, once all agree on the version; needs root for the Debian packages.
release: $(STAMP)
	$(BIN)/python -m tools.release

bench: $(STAMP)
	sh tools/debian-packages mariadb-server nginx prometheus-sql-exporter wrk
	test -x $(PEERS)/bin/query-exporter || { python3 -m venv $(PEERS) && $(PEERS)/bin/pip install --quiet query-exporter pymysql; }
	$(BIN)/python -m tools.bench --query-exporter=$(PEERS)/bin/query-exporter $(BENCH)

# How cost grows with history and with jobs; draws pictures for the documentation.
growth: $(STAMP)
	sh tools/debian-packages mariadb-server
	$(BIN)/python -m tools.bench --growth

# The pictures of the pages in the documentation, taken of the demo.
pictures: $(STAMP)
	sh tools/debian-packages chromium chromium-driver
	$(BIN)/python -m tools.pictures

# Thirty simulated days of polling; prints what the process holds, day by day.
soak: $(STAMP)
	$(BIN)/python -m tests.faults.soak --days=30

# Known vulnerabilities of the dependencies. It asks the advisories of PyPI's own service, so it is no part of the tests;
# where that cannot be reached it fails, and does not say that all is well of what it could not ask about.
audit: $(STAMP)
	mkdir -p build
	$(BIN)/pip freeze --exclude-editable >build/audit.txt
	$(BIN)/pipx run pip-audit --strict --no-deps --disable-pip --requirement build/audit.txt

clean:
	rm -rf $(VENV) .cache .tox build dist *.egg-info .coverage*
