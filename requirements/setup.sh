#!/bin/sh
# Sets up .venv with the pinned packages; `make` runs it. PYTHON names a Python, else it takes the first one that fits.
set -eu

fail() {
	printf '%s\n' "$@" >&2
	exit 1
}

command -v git >/dev/null || fail 'DVC needs git: install it, and run `make` again.'
# Where there is a repository and git refuses it, because another user owns it, say, git tells why and what helps.
[ ! -e .git ] || git rev-parse --git-dir >/dev/null
git rev-parse --verify --quiet HEAD >/dev/null || fail \
	'DVC needs a git repository with a commit, and this folder is none. `git clone` makes one; so do these commands:' \
	'    git init' '    git add --all' '    git commit --message "The first commit"'

# The Makefile notes in .venv/installed where .venv was set up: its commands work only there.
if [ -e .venv ] && [ "$(cat .venv/installed 2>/dev/null)" != "$(cd ./.venv && pwd -P)" ]; then
	echo 'Removing .venv: it was set up in another folder, or not to its end.'
	rm -rf .venv
fi

# Other builds have other names: a free-threaded one has 313t in it, one for Alpine musl, one of 32 bits i386.
fits='import platform, re, sys, sysconfig
names = platform.machine() + " " + sysconfig.get_config_var("SOABI")
sys.exit(not re.fullmatch(r"\S+ cpython-31[123]-(x86_64|aarch64)-linux-gnu|arm64 cpython-31[123]-darwin", names))'
[ -n "${PYTHON:-}" ] && set -- "$PYTHON" || set -- python3 python3.13 python3.12 python3.11
for python; do
	"$python" -c "$fits" 2>/dev/null && break
	python=
done
[ -n "$python" ] || fail \
	'This project needs Python 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.12' \
	'It has to be a build that TensorFlow has packages for: on Linux with glibc (x86-64 or arm64; on Windows, in WSL 2)' \
	'or on a Mac with Apple silicon, and not free-threaded.'

echo "Setting up .venv with $("$python" --version). On Linux on x86-64, it downloads 510 MB and takes 2.2 GB on disk."
echo 'Installing uv, which installs the other packages.'
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
.venv/bin/python requirements/install.py .venv requirements/stages.txt requirements/tools.txt
echo 'Writing .venv/charts.html, the page for charts.'
# `dvc plots` fills this page with charts. It opens without a network.
.venv/bin/python -m report.charts .venv/charts.html
.venv/bin/dvc config --local plots.html_template ../.venv/charts.html
cd studies && ../.venv/bin/dvc config --local plots.html_template ../../.venv/charts.html
