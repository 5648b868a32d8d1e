# thresher: `make demo` shows it, `make test` proves it. `make help` lists the rest.

PYTHON ?= python3
IN := .venv/bin/
PAGES := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: help setup demo test check bench chaos

help: ## list what make can do
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

setup: .venv/.ready src/thresher/server/static/.built-from ## prepare .venv and the pages; quick when nothing changed

.venv/.ready: pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) scripts/need_python.py
	$(PYTHON) -m venv .venv
	$(IN)python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(IN)python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . --group test
	touch $@

src/thresher/server/static/.built-from: $(PAGES) | .venv/.ready
	$(IN)python hatch_build.py

demo: setup ## the whole loop on real photos, then a server to try (ONCE=1 ends instead)
	$(IN)python examples/food.py $(if $(ONCE),--once)

test: setup ## the whole suite, browser tests included
	@$(IN)python scripts/need_browser.py
	$(IN)python -m pytest -n 2 --dist loadfile $(PYTEST)

check: setup ## only style and types: seconds
	$(IN)ruff check && $(IN)ruff format --check && $(IN)mypy && $(IN)python scripts/npm.py --prefix web run check

bench: setup ## what docs/benchmarks.md reports (long; DATA names the folder of real pictures)
	$(IN)python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group bench
	$(IN)python bench/catalog.py --rows 1000000
	$(IN)python bench/store.py --figures docs
	$(IN)python bench/rescore.py $(if $(DATA),--data $(DATA)/tiny-vehicles.tar)
	$(IN)python bench/selection.py --figure docs/figures/selection $(if $(DATA),--data $(DATA))
	$(if $(DATA),$(IN)python bench/crowd_cost.py --data $(DATA)/cifar10n.tar --truth $(DATA)/cifar10n.csv --positive automobile --images 300)
	$(if $(DATA),$(IN)python bench/loop.py --data $(DATA)/cifar10n.tar --truth $(DATA)/cifar10n.csv,@echo "bench/loop.py and bench/crowd_cost.py need real pictures: make bench DATA=folder")

chaos: setup ## kill it at random points, again and again (long; the suite has the short form)
	$(IN)python -m pytest -q tests/chaos --rounds 25
