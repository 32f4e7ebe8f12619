# `make` sets up .venv and runs the pipeline; `make help` says what else there is. Stand in this folder.

# The stages run as `python -m stages.…`: that python has to be the environment's.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHON
# And on macOS: its make, 3.81, finds commands in the PATH that it was started with, unless SHELL is other than /bin/sh.
SHELL := sh

# The commands of an environment work only where it was set up: a folder that was moved or copied since gets another one.
ifneq ($(shell cat .venv/installed 2>/dev/null),$(realpath .venv))
.PHONY: .venv/installed
endif

.PHONY: run help report demo test test-all lint study study-on-ray bench lock

run: .venv/installed ## set up .venv, run the pipeline and show the metrics (the default)
	python -m sentiment.common.parameters
	@python requirements/unlock.py
	dvc repro
	dvc metrics diff --all
	@echo 'The pictures are in plots/. `. .venv/bin/activate && dvc plots show` writes a page with interactive charts.'

help: ## show what there is to make
	@echo 'Commands of this project run in its top folder, the one with dvc.yaml.'
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/make \1	\2/p' Makefile | expand -t 22

report: run ## write report.html: one page on the run, to send or keep
	python -m report.run
	@echo 'The report is in report.html.'

demo: run ## write demo.html and open it: type a review, and see what each of its words does
	python -m report.demo --open

test: .venv/tests ## run the tests, but for the slow ones
	python -m pytest --numprocesses=auto --dist=loadscope -m 'not slow'

test-all: .venv/tests ## run all tests; CONTRIBUTING.md says what some of them need
	python -m pytest --numprocesses=auto --dist=loadscope

lint: .venv/tests ## check style and types
	ruff format --check
	ruff check
	mypy

study: .venv/installed ## train the variants of studies/variants.yaml that have changed (in a fresh clone all), and compare all
	python -m sentiment.common.parameters
	@python requirements/unlock.py
	dvc repro fetch
	python -m studies.variants
	cd studies && dvc repro && dvc metrics show

study-on-ray: .venv/ray ## the same with Ray: on all cores of this machine, or on the cluster that RAY_ADDRESS names
	python -m sentiment.common.parameters
	@python requirements/unlock.py
	dvc repro fetch
	python -m studies.variants
	python -m studies.on_ray
	cd studies && dvc commit --force train && dvc repro && dvc metrics show

bench: .venv/jax/installed ## time this project against stock Keras (see docs/benchmark.md)
	python -m bench.run $(PARTS) --repeats $(or $(REPEATS),1)

lock: .venv/installed ## pin the packages of requirements/*.in anew
	cd requirements && for name in uv stages tools tests ray jax remotes; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --excludes unused.in \
			--custom-compile-command 'make lock' --output-file $$name.txt $$name.in || exit; done

.venv/installed: requirements/setup.sh requirements/install.py $(addprefix requirements/,uv.txt stages.txt tools.txt)
	@sh requirements/setup.sh
	@cd ./.venv && pwd -P >installed

.venv/tests: requirements/tests.txt .venv/installed
	@python requirements/install.py .venv requirements/tests.txt
	touch $@

.venv/jax/installed: requirements/jax.txt .venv/installed
	@python -m venv --without-pip .venv/jax
	@python requirements/install.py .venv/jax requirements/jax.txt
	touch $@

.venv/remotes/installed: requirements/remotes.txt .venv/installed
	@python -m venv --without-pip .venv/remotes
	@python requirements/install.py .venv/remotes requirements/remotes.txt
	touch $@

.venv/ray: requirements/ray.txt .venv/installed
	@python requirements/install.py .venv requirements/ray.txt
	touch $@
