# `make demo` runs thresher on real photos, `make test` tests it, `make help` lists all targets.

PYTHON ?= python3
IN := .venv/bin/
PAGES := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)

# The versions and hashes of locks/. No source distribution: building one would fetch a builder that is not locked.
INSTALL := $(IN)python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes

.PHONY: help setup demo test check coverage architecture lock bench chaos

help: ## list these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

setup: .venv/.ready src/thresher/server/static/.built-from ## install into .venv and build the web pages; quick if nothing changed

.venv/.ready: pyproject.toml locks/pip.txt locks/test.txt hatch_build.py
	$(PYTHON) scripts/need_python.py
	$(PYTHON) -m venv .venv
	$(INSTALL) --requirement locks/pip.txt
	@# Where this machine has npm, the pages are built meanwhile; where it has none, the next line borrows it.
	$(PYTHON) hatch_build.py >/dev/null 2>&1 & $(INSTALL) --requirement locks/test.txt; status=$$?; wait; exit $$status
	$(IN)python hatch_build.py
	$(IN)python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	touch $@

# The extra openvino in a folder that nothing imports from but the tests that mean it.
.venv/openvino/.ready: locks/openvino.txt | .venv/.ready
	$(INSTALL) --upgrade --no-deps --target .venv/openvino --requirement locks/openvino.txt
	touch $@

src/thresher/server/static/.built-from: $(PAGES) | .venv/.ready
	$(IN)python hatch_build.py

demo: setup ## certify labels of real photos, run the whole loop, then a server to try (ONCE=1: stop without the server)
	$(IN)python examples/food.py $(if $(ONCE),--once)

test: setup .venv/openvino/.ready ## run the whole test suite, browser tests included
	@$(IN)python scripts/need_browser.py
	$(IN)python -m pytest -n 2 --dist loadfile $(PYTEST)

check: setup ## check style and types only: seconds
	$(IN)ruff check && $(IN)ruff format --check && $(IN)mypy && $(IN)python scripts/npm.py --prefix web run check

coverage: setup .venv/openvino/.ready ## report which lines the suite runs, in .coverage/html too; fails nothing (PYTEST=tests/label: only its tests)
	@$(IN)python scripts/need_browser.py
	rm -rf .coverage && mkdir .coverage
	-$(IN)coverage run -m pytest -n 2 --dist loadfile $(PYTEST)
	$(IN)coverage combine --quiet
	$(IN)coverage html --quiet
	$(IN)coverage report

architecture: setup ## write docs/architecture.md from the source
	$(IN)python scripts/architecture.py

lock: setup ## write locks/ after a change of the dependencies (UPGRADE="numpy scipy" raises two versions, UPGRADE=all all)
	$(INSTALL) --requirement locks/lock.txt
	$(IN)python scripts/lock.py $(if $(UPGRADE),--upgrade $(UPGRADE))

bench: setup ## measure what docs/benchmarks.md reports (long; DATA=folder of real images)
	$(INSTALL) --requirement locks/bench.txt
	$(IN)python bench/house.py
	$(IN)python bench/catalog.py --rows 1000000
	$(IN)python bench/decision.py --images 1000000
	$(IN)python bench/turn.py --images 1000000
	$(IN)python bench/collusion.py --trials 100
	$(IN)python bench/budget.py
	$(IN)python bench/trust.py
	$(IN)python bench/certify.py $(if $(DATA),--data $(DATA))
	$(IN)python bench/compared.py
	$(if $(DATA),$(IN)python bench/beside.py --data $(DATA))
	$(IN)python bench/similar.py $(if $(DATA),--data $(DATA)/clothing.tar)
	$(IN)python bench/store.py --figures docs
	$(IN)python bench/rescore.py
	$(IN)python bench/embed.py $(if $(DATA),--data $(DATA)/clothing.tar)
	$(IN)python bench/selection.py --figure docs/figures/selection $(if $(DATA),--data $(DATA))
	$(if $(DATA),$(IN)python bench/arithmetic.py --data $(DATA))
	$(if $(DATA),$(IN)python bench/crowd_cost.py --data $(DATA)/cifar10n.tar --truth $(DATA)/cifar10n.csv --positive automobile --images 300)
	$(if $(DATA),$(IN)python bench/loop.py --data $(DATA)/cifar10n.tar --truth $(DATA)/cifar10n.csv,@echo "bench/loop.py and bench/crowd_cost.py need real images: make bench DATA=folder")

chaos: setup ## kill processes at random points, many times (long; `make test` has a short form)
	$(IN)python -m pytest -q tests/chaos --rounds 25
