# `make` sets up .venv and runs the pipeline; `make test` sets up the same and runs all tests.

# The first Python that works with the pinned packages; `make PYTHON=/path/to/python3.12` names one.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && break; done)

# The stages are run as `python -m stages.…`: that python has to be the environment's.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: run report test lint study study-on-ray bench lock

run: .venv/installed
	.venv/bin/python -m stages.params
	.venv/bin/dvc repro
	.venv/bin/dvc metrics show
	@echo 'The pictures are in plots/. `. .venv/bin/activate && dvc plots show` writes a page with interactive charts.'

# One page for the run, with all that belongs to it inside.
report: run
	.venv/bin/python -m report.run
	@echo 'The report is in report.html.'

test: .venv/installed
	.venv/bin/python -m pytest

# Style, lint and types.
lint: .venv/installed
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy

# Compares the variants in studies/variants.yaml over seeds, and computes only what is new.
study: .venv/installed
	.venv/bin/python -m stages.params
	.venv/bin/dvc repro fetch
	cd studies && dvc repro && dvc metrics show

# Times the pipeline against the usual way of writing it, for about 20 minutes.
bench: .venv/installed
	.venv/bin/python -m bench.run

# Makes the pinned and hashed requirements anew of the .in files, one release for all supported Pythons.
lock: .venv/installed
	for name in requirements requirements-tools requirements-ray; do \
		.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--custom-compile-command 'make lock' --output-file $$name.txt $$name.in || exit; done

# The same, each run a task of a Ray cluster: of this machine alone, or of the cluster that RAY_ADDRESS names.
study-on-ray: .venv/ray
	.venv/bin/python -m stages.params
	.venv/bin/dvc repro fetch
	.venv/bin/python -m studies.on_ray
	cd studies && dvc commit --force train preset && dvc repro && dvc metrics show

.venv/ray: requirements-ray.txt .venv/installed
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-ray.txt
	touch $@

.venv/installed: requirements.txt requirements-tools.txt
	@$(or $(PYTHON),false) -c '$(SUPPORTED)' || \
		{ echo 'This project needs Python 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.12' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-tools.txt
	.venv/bin/python -m report.charts .venv/charts.html
	.venv/bin/dvc config --local plots.html_template ../.venv/charts.html
	cd studies && dvc config --local plots.html_template ../../.venv/charts.html
	touch $@
