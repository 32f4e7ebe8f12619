import hashlib
import re
import shlex
import shutil
import sys
import zipfile
from importlib import metadata

import pytest
from conftest import ROOT, Project


@pytest.mark.parametrize("name", ["uv", "stages", "tools", "tests"])
def test_every_package_is_pinned_and_hashed_and_installed_as_pinned(name):
    text = (ROOT / f"requirements/{name}.txt").read_text()
    pinned = re.findall(r"^([\w.-]+)==(\S+)( ;[^\\]*)? \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^\w", text, re.MULTILINE)) > 0
    for package, version, only_somewhere in pinned:
        assert only_somewhere or metadata.version(package) == version


def test_a_new_release_of_what_decides_no_result_reruns_no_stage():
    packages = re.findall(r"^([\w.-]+)==", (ROOT / "requirements/stages.txt").read_text(), re.MULTILINE)
    assert not {"dvc", "pytest", "mypy", "ruff", "pre-commit"} & {*packages}


@pytest.mark.parametrize("for_uv", [{}, pytest.param({"UV_DEFAULT_INDEX": "file:///nowhere"}, marks=pytest.mark.slow)])
def test_packages_come_from_where_pip_is_set_up_to_take_them_and_pip_gets_what_uv_can_not(tmp_path, for_uv):
    wheel = tmp_path / "simple/made/made-1.0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("made.py", "")
        archive.writestr("made-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: made\nVersion: 1.0\n")
        archive.writestr("made-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("made-1.0.dist-info/RECORD", "made.py,,\n")
    wheel.with_name("index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    settings = f"[global]\nindex-url = https://not.this.example\n[install]\nindex-url = {(tmp_path / 'simple').as_uri()}\n"
    (tmp_path / "pip.conf").write_text(settings)
    pinned, environment = tmp_path / "made.txt", tmp_path / "environment"
    pinned.write_text(f"made==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    install = "python", "requirements/install.py", str(environment), str(pinned)
    variables = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "UV_CACHE_DIR": str(tmp_path / "cache")} | for_uv
    project = Project(ROOT)
    project.run("python", "-m", "venv", "--without-pip", str(environment))
    printed = project.run(*install, **variables)
    assert printed.startswith(f"Installing {pinned} into {environment}: ")
    assert ("now pip tries" in printed) == bool(for_uv)
    project.run(f"{environment}/bin/python", "-c", "import made")
    pinned.write_text("tqdm==1.0\n")
    project.run(*install, status=1, **variables)


def write_script(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{content}\n")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path) -> Project:
    """A clone for which `make` runs no real command: each writes into the file `given` what it was told to do."""
    project = Project(tmp_path / "checkout")
    shutil.copytree(ROOT / "requirements", project.folder / "requirements")
    shutil.copy(ROOT / "Makefile", project.folder)
    (project.folder / "studies").mkdir()
    project.run("git", "init", "--quiet")
    project.commit()
    set_up = '[ "$2" != venv ] || { mkdir -p .venv && cp -r ../commands .venv/bin; }'
    for name in "python", "dvc", "ruff", "mypy":
        write_script(tmp_path / "commands" / name, f'echo "${{0##*/}} $*" >>given\n{set_up}')
    project.environment["PYTHON"] = "../commands/python"
    return project


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
    ],
)
def test_make_says_for_which_machines_there_is_a_tensorflow_before_it_installs_anything(checkout, machine, build, fits):
    """A Python that says it were on another machine, and goes no further than that."""
    told = f"import platform as p, sysconfig as s; p.machine = lambda: {machine!r}; s.get_config_var = lambda name: {build!r}"
    write_script(checkout.folder / "../commands/python", f'[ "$1" = -c ] || exit 1\nexec {sys.executable} -c "{told}\n$2"')
    printed = checkout.run("make", status=2)
    assert ("Setting up .venv" in printed) == fits
    assert ("on Linux with glibc (x86-64 or arm64; on Windows, in WSL 2)\nor on a Mac with Apple silicon" in printed) != fits


def test_make_sets_up_once_and_anew_where_the_folder_was_moved_or_copied(checkout):
    assert "Setting up .venv" in checkout.run("make")
    assert "Setting up .venv" not in checkout.run("make")
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("moved"))
    (checkout.folder / ".venv/old").touch()
    assert "Removing .venv: it was set up in another folder" in checkout.run("make")
    assert not (checkout.folder / ".venv/old").exists()
    assert "Setting up .venv" not in checkout.run("make")


def test_a_shell_finds_every_command_of_make_in_the_environment(checkout):
    """The make of macOS, 3.81, finds them there only so, and is not available here. This shell tells what it is given."""
    checkout.run("make")
    write_script(checkout.folder / ".venv/bin/sh", 'echo "sh: $2" >>given')
    checkout.run("make", "run", "lint")
    for command in "python -m sentiment.common.parameters", "dvc repro", "dvc metrics diff --all", "ruff check", "mypy":
        assert f"sh: {command}\n" in checkout.run("cat", "given")


def test_what_only_tests_and_linters_need_is_installed_when_they_first_run(checkout):
    install = "python requirements/install.py .venv requirements/tests.txt"
    checkout.run("make")
    assert install not in checkout.run("cat", "given")
    checkout.run("make", "lint")
    checkout.run("make", "test", "test-all")
    given = checkout.run("cat", "given")
    assert given.count(install) == 1
    assert given.index(install) < given.index("ruff check")


def test_make_says_how_to_make_a_git_repository_before_it_installs_anything(checkout):
    shutil.rmtree(checkout.folder / ".git")  # as in a ZIP of the project
    needed = "DVC needs a git repository with a commit, and this folder is none."
    assert needed in checkout.run("make", status=2, GIT_CEILING_DIRECTORIES=str(checkout.folder.parent))
    checkout.run("git", "init", "--quiet")
    printed = checkout.run("make", status=2)
    assert needed in printed
    checkout.environment |= {f"GIT_{who}_{what}": "t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for command in re.findall("^    (git .+)$", printed, re.MULTILINE):
        checkout.run(*shlex.split(command))
    assert "This project needs Python 3.11, 3.12 or 3.13" in checkout.run("make", "PYTHON=false", status=2)
    assert not (checkout.folder / ".venv").exists()


def test_make_shows_what_git_says_of_a_repository_that_another_user_owns(checkout):
    checkout.environment |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    printed = checkout.run("make", status=2, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert "git config --global --add safe.directory" in printed
    assert "git init" not in printed


def test_the_analytics_of_dvc_are_off():
    assert Project(ROOT).run("dvc", "config", "core.analytics") == "false\n"


def test_make_help_names_all_that_there_is_to_make():
    printed = Project(ROOT).run("make", "--print-data-base", "help", LANG="C")
    goals = re.findall(r"^([\w-]+):.*\n#  Phony target", printed, re.MULTILINE)
    assert sorted(re.findall(r"^make ([\w-]+)  ", printed, re.MULTILINE)) == sorted(goals)
    assert "top folder" in printed


def test_style_and_types_are_checked_before_a_commit_by_those_who_want_it(tmp_path):
    project = Project(tmp_path)
    for name in ".pre-commit-config.yaml", "pyproject.toml":
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for folder in "sentiment", "stages", "studies", "report", "bench":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "bad.py").write_text("import os\n\n\ndef f() -> int:\n    return 'text'\n")
    project.run("git", "init", "--quiet")
    project.run("git", "add", "--all")
    printed = project.run("pre-commit", "run", "--all-files", status=1)
    for problem in "files were modified by this hook", "os` imported but unused", "Incompatible return value type":
        assert problem in printed
