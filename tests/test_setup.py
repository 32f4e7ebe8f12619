import functools
import hashlib
import re
import shlex
import shutil
import sys
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata

import pytest
from conftest import ROOT, Project, copy_of_project


@pytest.mark.parametrize(
    ("name", "fewest"),
    [
        ("requirements/uv.txt", 1),
        ("requirements/stages.txt", 31),
        ("requirements/tools.txt", 31),
        ("requirements/tests.txt", 20),
    ],
)
def test_every_package_is_pinned_and_hashed_and_installed_as_pinned(name, fewest):
    text = (ROOT / name).read_text()
    pinned = re.findall(r"^([\w.-]+)==(\S+)( ;[^\\]*)? \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^\w", text, re.MULTILINE)) >= fewest
    for package, version, only_somewhere in pinned:
        if not only_somewhere:
            assert metadata.version(package) == version


def test_all_requirements_files_pin_the_same_releases():
    run_time, tools, tests = (
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE))
        for name in ("stages", "tools", "tests")
    )
    for one, other in (run_time, tools), (run_time, tests), (tools, tests):
        assert {name: one[name] for name in one.keys() & other} == {name: other[name] for name in one.keys() & other}
    assert "dvc" not in run_time, "a new DVC decides no result, so it must not rerun the stages"
    assert not {"pytest", "mypy", "ruff", "pre-commit"} & {*run_time, *tools}, (
        "`make` installs what only tests and linters need"
    )


@pytest.fixture
def mirror(tmp_path):
    """The address of an index that has one package, and the file that pins it."""
    folder = tmp_path / "simple/made"
    folder.mkdir(parents=True)
    wheel = folder / "made-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("made.py", "")
        archive.writestr("made-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: made\nVersion: 1.0\n")
        archive.writestr("made-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("made-1.0.dist-info/RECORD", "made.py,,\n")
    (folder / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    pinned = tmp_path / "made.txt"
    pinned.write_text(f"made==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple", str(pinned)
        server.shutdown()


@pytest.mark.parametrize(
    "offline", [pytest.param({}, id="uv"), pytest.param({"UV_OFFLINE": "1"}, id="pip", marks=pytest.mark.slow)]
)
def test_packages_come_from_where_pip_is_set_up_to_take_them_and_pip_gets_what_uv_can_not(tmp_path, mirror, offline):
    index, pinned = mirror
    (tmp_path / "pip.conf").write_text(
        f"[global]\nindex-url = https://not.this.one.example/simple\n[install]\nindex-url = {index}\n"
    )
    settings = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "UV_CACHE_DIR": str(tmp_path / "cache")} | offline
    environment = str(tmp_path / "environment")
    project = Project(ROOT)
    project.run("python", "-m", "venv", "--without-pip", environment)
    printed = project.run("python", "requirements/install.py", environment, pinned, **settings)
    assert printed.startswith(f"Installing {pinned} into {environment}: ")
    assert ("now pip tries" in printed) == bool(offline)
    project.run(f"{environment}/bin/python", "-c", "import made")
    with open(pinned, "a") as file:
        file.write("tqdm==1.0\n")
    project.run("python", "requirements/install.py", environment, pinned, status=1, **settings)


def test_make_says_which_pythons_it_needs(tmp_path):
    project = Project(tmp_path)
    copy_of_project(tmp_path)
    project.run("git", "init", "--quiet")
    project.commit()
    printed = project.run("make", "PYTHON=false", status=2)
    assert "This project needs Python 3.11, 3.12 or 3.13" in printed
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("machine", "build", "fits"),
    [
        ("x86_64", "cpython-313-x86_64-linux-gnu", True),
        ("aarch64", "cpython-311-aarch64-linux-gnu", True),
        ("arm64", "cpython-312-darwin", True),
        pytest.param("x86_64", "cpython-312-darwin", False, id="a Mac with an Intel processor"),
        pytest.param("x86_64", "cpython-312-i386-linux-gnu", False, id="32 bits"),
        pytest.param("x86_64", "cpython-313t-x86_64-linux-gnu", False, id="free-threaded"),
        pytest.param("aarch64", "cpython-312-aarch64-linux-musl", False, id="Alpine"),
        pytest.param("AMD64", None, False, id="Windows"),
    ],
)
def test_make_says_for_which_machines_there_is_a_tensorflow_before_it_installs_anything(tmp_path, machine, build, fits):
    """A Python that says it were on another machine, and goes no further than that."""
    project = Project(tmp_path)
    copy_of_project(tmp_path)
    project.run("git", "init", "--quiet")
    project.commit()
    told = f"import platform as p, sysconfig as s; p.machine = lambda: {machine!r}; s.get_config_var = lambda name: {build!r}"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] || {{ echo goes on; exit 1; }}\nexec {sys.executable} -c "{told}\n$2"\n')
    python.chmod(0o755)
    printed = project.run("make", f"PYTHON={python}", status=2)
    assert ("goes on" in printed) == fits
    assert ("on Linux with glibc (x86-64 or arm64; on Windows, in WSL 2)\nor on a Mac with Apple silicon" in printed) != fits


@pytest.mark.parametrize("shell", ["the system's", "the environment's"])
def test_make_runs_the_commands_of_the_environment_whatever_else_the_machine_has(tmp_path, shell):
    """Those of the environment say their names; others of the same names fail.

    The make of macOS, 3.81, finds the environment's commands only through a shell, and is not available here. So a second run
    has a shell in the environment, which says what it was given: that has to be every command.
    """
    project = Project(tmp_path)
    copy_of_project(tmp_path)
    environment, elsewhere = tmp_path / ".venv/bin", tmp_path / "elsewhere"
    for folder, status in (environment, 0), (elsewhere, 1):
        folder.mkdir(parents=True)
        for name in "python", "dvc", "ruff", "mypy":
            (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/given\nexit {status}\n')
            (folder / name).chmod(0o755)
    if shell == "the environment's":
        (environment / "sh").write_text(f'#!/bin/sh\necho "$2" >> {tmp_path}/given\n')
        (environment / "sh").chmod(0o755)
    for made in "installed", "tests":
        (environment.parent / made).touch()
    project.run("make", "run", "lint", PATH=f"{elsewhere}:{project.environment['PATH']}")
    given = [line.strip() for line in (tmp_path / "given").read_text().splitlines()]
    for command in "python -m sentiment.common.parameters", "dvc repro", "dvc metrics diff --all", "ruff check", "mypy":
        assert command in given


def test_what_only_tests_and_linters_need_is_installed_when_they_first_run(tmp_path):
    project = Project(tmp_path)
    copy_of_project(tmp_path)
    environment = tmp_path / ".venv/bin"
    environment.mkdir(parents=True)
    for name in "python", "dvc", "ruff", "mypy":
        (environment / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/given\n')
        (environment / name).chmod(0o755)
    (environment.parent / "installed").touch()
    install = "python requirements/install.py .venv requirements/tests.txt\n"
    project.run("make", "run")
    assert install not in (tmp_path / "given").read_text()
    for goal in "lint", "test", "test-all":
        project.run("make", goal)
    given = (tmp_path / "given").read_text()
    assert given.count(install) == 1
    assert given.index(install) < given.index("ruff check") < given.index("python -m pytest")


def test_make_says_how_to_make_a_git_repository_before_it_installs_anything(tmp_path):
    """What a ZIP of the project lacks."""
    project = Project(tmp_path)
    copy_of_project(tmp_path)
    needed = "DVC needs a git repository with a commit, and this folder is none."
    assert needed in project.run("make", status=2, GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    project.run("git", "init", "--quiet")
    printed = project.run("make", status=2)
    assert needed in printed
    assert not (tmp_path / ".venv").exists()
    project.environment |= {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com"}
    project.environment |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com"}
    for command in re.findall("^    (git .+)$", printed, re.MULTILINE):
        project.run(*shlex.split(command))
    assert needed not in project.run("make", "PYTHON=false", status=2)


def test_the_analytics_of_dvc_are_off():
    assert Project(ROOT).run("dvc", "config", "core.analytics") == "false\n"


def test_make_help_names_all_that_there_is_to_make():
    (targets,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    printed = Project(ROOT).run("make", "--no-print-directory", "help")
    where, *lines = printed.splitlines()
    assert "top folder" in where
    assert [line.split()[1] for line in lines] == targets.split()


def test_style_and_types_are_checked_before_a_commit_by_those_who_want_it(tmp_path):
    project = Project(tmp_path)
    for name in ".pre-commit-config.yaml", "pyproject.toml":
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    for folder in "sentiment", "stages", "studies", "report", "bench":
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("runs", "__pycache__", ".dvc"))
    project.run("git", "init", "--quiet")
    project.run("git", "add", "--all")
    project.run("pre-commit", "run", "--all-files")
    (tmp_path / "stages/bad.py").write_text("import os\n\n\ndef f() -> int:\n    return 'text'\n")
    project.run("git", "add", "--all")
    printed = project.run("pre-commit", "run", "--all-files", status=1)
    assert "Incompatible return value type" in printed
    assert "os` imported but unused" in printed
