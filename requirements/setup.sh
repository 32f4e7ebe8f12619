#!/bin/sh
# Sets up .venv with the pinned packages; `make` runs it. PYTHON names a Python, else it takes the first one that fits.
set -eu

fail() {
	printf '%s\n' "$@" >&2
	exit 1
}

command -v git >/dev/null || fail 'DVC needs git: install it, and run `make` again.'
git rev-parse --verify --quiet HEAD >/dev/null || fail \
	'DVC needs a git repository with a commit, and this folder is none. `git clone` makes one; so do these commands:' \
	'    git init' '    git add --all' '    git commit --message "The first commit"'

[ -n "${PYTHON:-}" ] && set -- "$PYTHON" || set -- python3 python3.13 python3.12 python3.11
for python; do
	"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break
	python=
done
[ -n "$python" ] || fail 'This project needs Python 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.12'

"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	-r requirements/stages.txt -r requirements/tools.txt
# `dvc plots` fills this page with charts. It opens without a network.
.venv/bin/python -m report.charts .venv/charts.html
.venv/bin/dvc config --local plots.html_template ../.venv/charts.html
cd studies && ../.venv/bin/dvc config --local plots.html_template ../../.venv/charts.html
