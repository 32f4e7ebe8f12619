# `make` sets up .venv and runs the pipeline; `make help` says what else there is.

# The first Python that works with the pinned packages; `make PYTHON=/path/to/python3.12` names one.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && break; done)

# The stages are run as `python -m stages.…`: that python has to be the environment's.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

INSTALL := .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: run help report test lint study study-on-ray bench lock

run: .venv/installed ## set up .venv, run the pipeline and show the metrics (the default)
	.venv/bin/python -m stages.params
	.venv/bin/dvc repro
	.venv/bin/dvc metrics show
	@echo 'The pictures are in plots/. `. .venv/bin/activate && dvc plots show` writes a page with interactive charts.'

help: ## show what there is to make
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/make \1	\2/p' Makefile | expand -t 22

report: run ## write report.html: one page for the run, with everything inside
	.venv/bin/python -m report.run
	@echo 'The report is in report.html.'

test: .venv/installed ## run all tests
	.venv/bin/python -m pytest --numprocesses=auto --dist=loadscope

lint: .venv/installed ## check style and types
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy

study: .venv/installed ## compare the variants of studies/variants.yaml over seeds; computes what is new
	.venv/bin/python -m stages.params
	.venv/bin/dvc repro fetch
	cd studies && dvc repro && dvc metrics show

study-on-ray: .venv/ray ## the same, on this machine's cores or on the Ray cluster that RAY_ADDRESS names
	.venv/bin/python -m stages.params
	.venv/bin/dvc repro fetch
	.venv/bin/python -m studies.on_ray
	cd studies && dvc commit --force train preset && dvc repro && dvc metrics show

bench: .venv/installed ## time the pipeline against the usual way of writing it; takes 20 minutes
	.venv/bin/python -m bench.run

lock: .venv/installed ## make the pinned and hashed requirements anew of the .in files, for all supported Pythons
	for name in requirements requirements-tools requirements-ray; do \
		.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--custom-compile-command 'make lock' --output-file $$name.txt $$name.in || exit; done

.venv/installed: requirements.txt requirements-tools.txt
	@$(or $(PYTHON),false) -c '$(SUPPORTED)' || \
		{ echo 'This project needs Python 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.12' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements.txt -r requirements-tools.txt
	.venv/bin/python -m report.charts .venv/charts.html
	.venv/bin/dvc config --local plots.html_template ../.venv/charts.html
	cd studies && dvc config --local plots.html_template ../../.venv/charts.html
	touch $@

.venv/ray: requirements-ray.txt .venv/installed
	$(INSTALL) -r requirements-ray.txt
	touch $@
