# make demo: run the exporter on a generated inventory.
# make quick: lint, and the tests that start no server.
# make test: install what is missing and run every check.
# make deb-test: build the Debian packages and test them in a fresh Debian system.
# make bench: compare with peers, in one run.
# make attack: run all attacks on an exporter, and measure its behaviour.
# make trust: simulate fleets for a thousand days, and check every promise about alerts.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Peers of the benchmark, installed separately from the exporter; BENCH passes options on.
PEERS := $(VENV)/peers
BENCH ?=
# Options of the attacks, such as ATTACK='--attack=silent --cost=12'.
ATTACK ?=
# Options of the simulation, such as TRUST='--days=10000 --seed=5000' or TRUST='--days=60 --mutate'.
TRUST ?=
# Tests mostly wait for servers, so there may be more workers than cores.
WORKERS ?= 4
# Without bytecode each of the hundreds of processes that the tests start would compile every module.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo quick test lint unit tests docs generate pictures deb deb-test release bench attack trust growth soak audit clean

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

# Each of these parts is also an environment of tox.ini, which sets BIN, and STAMP to nothing.
quick: lint unit

test: lint tests

unit: $(STAMP)
	$(BIN)/pytest -n auto -m 'not integration and not alone'

tests: $(STAMP)
	sh tools/debian-packages @tests/debian-packages.txt
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n $(WORKERS) -m 'not alone'
	$(BIN)/coverage run -m pytest -m alone
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Build the Debian packages twice, check them with lintian, and write them to dist/deb; needs root. deb-test also tests
# them.
deb deb-test: $(STAMP)
	sh tools/debian-packages autopkgtest dpkg-dev iproute2 mmdebstrap piuparts sbuild uidmap
	$(BIN)/python -m tools.debs $(if $(filter deb-test,$@),--install)

# Build everything that is published, into dist/, if all files agree on the version; the Debian packages need root.
release: $(STAMP)
	$(BIN)/python -m tools.release

bench: $(STAMP)
	sh tools/debian-packages mariadb-server nginx prometheus-sql-exporter wrk
	test -x $(PEERS)/bin/query-exporter || { python3 -m venv $(PEERS) && $(PEERS)/bin/pip install --quiet query-exporter pymysql; }
	$(BIN)/python -m tools.bench --query-exporter=$(PEERS)/bin/query-exporter $(BENCH)

# Run the attacks of the tests at full size; print requests, scrapes, memory, descriptors and threads.
attack: $(STAMP)
	sh tools/debian-packages mariadb-server openssl util-linux
	$(BIN)/python -m tools.attack $(ATTACK)

# Simulate fleets, and compare the alerts with what they promise; exit 1 if a promise is broken.
trust: $(STAMP)
	sh tools/debian-packages prometheus
	$(BIN)/python -m tools.trust $(TRUST)

# Measure how costs grow with history and with jobs; draw the pictures for the documentation.
growth: $(STAMP)
	sh tools/debian-packages mariadb-server
	$(BIN)/python -m tools.bench --growth

# Take the pictures of the pages for the documentation, from the demo.
pictures: $(STAMP)
	sh tools/debian-packages chromium chromium-driver
	$(BIN)/python -m tools.pictures

# Poll for thirty simulated days; print the resources of the process, day by day.
soak: $(STAMP)
	$(BIN)/python -m tools.soak --days=30

# Check the dependencies for known vulnerabilities. It queries the advisories of PyPI's own service, so it is not part of
# the tests; it fails if the service cannot be reached.
audit: $(STAMP)
	mkdir -p build
	$(BIN)/pip freeze --exclude-editable >build/audit.txt
	$(BIN)/pipx run pip-audit --strict --no-deps --disable-pip --requirement build/audit.txt

clean:
	rm -rf $(VENV) .cache .tox build dist *.egg-info .coverage*
