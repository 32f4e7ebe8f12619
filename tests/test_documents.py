"""Every command in the documents does what stands there."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import documents
import pytest
from conftest import ROOT, Project, copy_of_project

DOCUMENTS = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
WITH_COMMANDS = [name for name in DOCUMENTS if "```console" in (ROOT / name).read_text()]
# An environment that is set up already is not set up again, and is where a clone has it.
VENV = f"""make() {{
    [ -e .venv ] || ln -s {shlex.quote(sys.prefix)} .venv
    command make --no-print-directory --old-file=.venv/installed "$@"
}}"""


@pytest.fixture(scope="module")
def origin(tmp_path_factory) -> Path:
    """A repository of git alone, with this checkout."""
    folder, bare = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("origin") / "imdb.git"
    copy_of_project(folder)
    project = Project(folder)
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.commit()
    project.run("git", "clone", "--quiet", "--bare", ".", str(bare))
    shutil.rmtree(folder)
    return bare


@pytest.fixture(scope="module")
def finished(origin, tmp_path_factory) -> Path:
    """A clone in which everything has run."""
    project = Project(tmp_path_factory.mktemp("finished") / "imdb")
    Project(project.folder.parent).run("git", "clone", "--quiet", str(origin), "imdb")
    project.run("dvc", "repro")
    # DVC finds the results of evaluate in git; so that it has them in its cache too, as where they were first made:
    project.run("dvc", "repro", "--force", "--single-item", "evaluate")
    assert project.run("git", "status", "--porcelain") == ""
    return project.folder


@pytest.mark.pipeline
@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_the_commands_of_a_document_print_what_stands_there(name, tmp_path, origin, request):
    """README.md begins where there is nothing; the others, where `make` has run."""
    bare = tmp_path / "origin.git"
    environment = documents.users_environment(tmp_path / "home", os.environ["PATH"])
    clones = 0

    def new_shell() -> documents.Shell:
        nonlocal clones
        clones += 1
        shutil.rmtree(bare, ignore_errors=True)
        shutil.copytree(origin, bare)
        folder = tmp_path / f"clones-{clones}"
        folder.mkdir()
        if name != "README.md":
            Project(folder).run("git", "clone", "--quiet", bare.as_uri(), "imdb")
            folder /= "imdb"
            finished = request.getfixturevalue("finished")
            shutil.copytree(finished / ".dvc/cache", folder / ".dvc/cache")
            (folder / ".venv").symlink_to(sys.prefix)
            active = environment | {"PATH": f"{folder}/.venv/bin{os.pathsep}{environment['PATH']}"}
            Project(folder).run("dvc", "checkout", "--quiet")
            return documents.Shell(folder, active, VENV)
        return documents.Shell(folder, environment, VENV)

    replaced = {"URL": bare.as_uri(), "/mnt/shared": str(tmp_path)}
    assert documents.check(name, (ROOT / name).read_text(), new_shell, replaced) > 0


def test_no_block_of_commands_is_overlooked():
    """Each is a `console` block, which begins with a prompt, and each mark stands before one."""
    for name in DOCUMENTS:
        text = (ROOT / name).read_text()
        prompts = len(re.findall(r"^\s*\$ ", text, re.MULTILINE))
        assert sum(len(block.commands) for block in documents.blocks(text)) == prompts, name
        marks = len(re.findall(rf"<!-- ({'|'.join(documents.MARKS)})", text))
        assert sum(len(block.marks) for block in documents.blocks(text)) == marks, name


DOCUMENT = """
<!-- before: word=three -->
```console
$ cd / && echo one two    # a comment
one   two
$ echo $word \\
      four
three four
$ pwd
/
```

```console
$ true
$ pwd; printf 'a\\nb\\nc\\nabcd\\n'
/
…
a…d
$ echo ERROR: no; false
ERROR: no
$ echo URL
URL
```
"""


def shell(folder: Path) -> documents.Shell:
    return documents.Shell(folder, {"PATH": os.environ["PATH"]})


def test_a_document_that_says_what_is_printed_agrees(tmp_path):
    assert documents.check("doc", DOCUMENT, lambda: shell(tmp_path), {"URL": "file:///x"}) == 7


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        pytest.param("one   two", "one 2", 4, id="another word"),
        pytest.param("three four\n", "", 6, id="nothing for something"),
        pytest.param("$ true", "$ true\ntrue", 14, id="something for nothing"),
        pytest.param("$ true", "$ false", 14, id="it fails"),
        pytest.param("ERROR: no; false", "ERROR: yes; false", 19, id="another error"),
        pytest.param("…\na…d", "a…d", 15, id="one line for many"),
        pytest.param("/\n```", "/\n/\n```", 9, id="a line too many"),
    ],
)
def test_a_document_that_says_something_else_fails_and_the_line_is_told(tmp_path, old, new, line):
    with pytest.raises(AssertionError, match=f"^doc, line {line}: "):
        documents.check("doc", DOCUMENT.replace(old, new, 1), lambda: shell(tmp_path), {})


def test_a_block_elsewhere_begins_afresh_and_a_command_is_repeated_where_it_says_so(tmp_path):
    document = f"""
```console
$ word=here
$ (sleep 0.5; echo late > {tmp_path}/late) >/dev/null &
```

<!-- until it prints this -->
```console
$ cat {tmp_path}/late
late
```

<!-- elsewhere -->
```console
$ echo $word

```
"""
    assert documents.check("doc", document, lambda: shell(tmp_path), {}) == 4


@pytest.mark.parametrize("wrong", ["<!-- perhaps -->\n```console\n$ true\n```\n", "```console\ntrue\n```\n"])
def test_a_mark_that_is_none_and_a_block_without_a_command_are_refused(wrong):
    with pytest.raises(ValueError, match=r"none of|not a command"):
        list(documents.blocks(wrong))
