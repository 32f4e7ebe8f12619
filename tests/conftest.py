"""What the tests share: the made corpus as a project of its own, the real data, and the order of the tests."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import made_corpus
import pytest
import yaml
from filelock import FileLock
from helpers import is_missing
from yamlcore import CoreDumper

from sentiment.common.vocabulary import vocabulary_sha256
from sentiment.common.yaml_reader import read_yaml
from sentiment.corpus.sources import reviews_sha256

ROOT = Path(__file__).parents[1]
REAL_DATA = ROOT.parent / "shared/data"

# A test has what a user has who has just logged in, so that no setting of this machine hides a fault: with PYTHONUNBUFFERED,
# nothing is left to write at exit; with PYTHONDONTWRITEBYTECODE, no folder of code changes. (A Python may need LD_LIBRARY_PATH,
# and OpenBLAS be told about a processor.)
KEPT = "HOME|PATH|LANG|TERM|USER|LOGNAME|SHELL|TMPDIR|CI|(PYTEST|LD|DYLD|OPENBLAS)_.*"
for variable in list(os.environ):
    if not re.fullmatch(KEPT, variable):
        del os.environ[variable]
sys.dont_write_bytecode = False
# Of what tests start: without what modules set that this process imports, such as MPLBACKEND.
ENVIRONMENT = dict(os.environ)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first."""
    items.sort(key=lambda item: [marker in item.keywords for marker in ("real", "pipeline", "training")])


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real archive and the real word index."""
    if not all((REAL_DATA / name).exists() for name in ("aclImdb_v1_labelled.tar.gz", "imdb_word_index.json")):
        is_missing(f"the real reviews are not at {REAL_DATA.relative_to(ROOT.parent)}, beside the checkout")
    return REAL_DATA


def write_yaml(path: Path, values: dict) -> None:
    path.write_text(yaml.dump(values, Dumper=CoreDumper, sort_keys=False))


class Project:
    """A checkout of this project, and commands run in it as a user with the environment active would run them."""

    def __init__(self, folder: Path, python_path: Path | None = None):
        self.folder = folder
        self.environment = ENVIRONMENT | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        if python_path:
            self.environment["PYTHONPATH"] = str(python_path)

    def run(self, *command: str, status: int = 0, **environment: str) -> str:
        """What the command prints, standard error included; fails when it ends with another status."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        assert done.returncode == status, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def start(self, *command: str, **options) -> subprocess.Popen:
        """Start a command as a terminal would: in a process group of its own, which Ctrl-C reaches as a whole."""
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
        # Where the tests themselves run in the background, Ctrl-C is ignored, and that would be inherited.
        heeding = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
        options = output | {"env": self.environment, "process_group": 0, "preexec_fn": heeding} | options
        return subprocess.Popen(command, cwd=self.folder, **options)

    def repro(self) -> list[str]:
        """Run `dvc repro`; the stages that ran (and were neither skipped nor taken from the run cache), in order."""
        lines = self.run("dvc", "repro").splitlines()
        return [line.split("'")[1] for line in lines if line.startswith("Running stage '")]

    def set_params(self, **values: object) -> None:
        """Set parameters by their full names, with `__` for the dots."""
        path = self.folder / "params.yaml"
        params = read_yaml(path)
        for name, value in values.items():
            *sections, key = name.split("__")
            section = params
            for part in sections:
                section = section[part]
            section[key] = value
        write_yaml(path, params)

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "state")

    def outputs(self) -> dict[str, bytes]:
        """The bytes of everything that the stages wrote, by path."""
        folders = "data", "metrics", "plots"
        paths = [path for name in folders for path in (self.folder / name).rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}


def copy_of_project(folder: Path) -> None:
    """Copy what git tracks or would track of this checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id):
    """Folders that all test processes share: the first process that needs one fills it, while the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent

    def folder_of(name: str, fill: Callable[[Path], object]) -> Path:
        folder = shared / name
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                being_filled = tmp_path_factory.mktemp(name)
                fill(being_filled)
                being_filled.rename(folder)
        return folder

    return folder_of


def set_up_for_made_corpus(folder: Path) -> None:
    """Copy the project, with the digests of the made corpus, parameters that fit its size, and no results."""
    copy_of_project(folder)
    fetched = made_corpus.encoded()
    project = Project(folder)
    project.set_params(
        fetch__sha256__train=reviews_sha256(fetched.train),
        fetch__sha256__test=reviews_sha256(fetched.test),
        fetch__sha256__vocabulary=vocabulary_sha256(fetched.vocabulary),
        split__num_words=40,
        split__skip_top=3,
        split__train_size=250,
        pad__maxlen=12,
        train__epochs=2,
    )
    (folder / "dvc.lock").unlink(missing_ok=True)
    for path in *folder.glob("metrics/*"), *folder.glob("plots/*"):
        path.unlink()
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.commit()


@pytest.fixture(scope="session")
def make_project(made_once, tmp_path_factory):
    """Makes projects set up for the made corpus, in folders of their own, not run yet."""
    package = made_once("package", made_corpus.write_package)
    not_run = made_once("not_run", set_up_for_made_corpus)

    def make(like: Path = not_run) -> Project:
        return Project(shutil.copytree(like, tmp_path_factory.mktemp("project"), dirs_exist_ok=True), package)

    return make


@pytest.fixture(scope="session")
def make_finished_project(made_once, make_project):
    """Makes projects in which everything has run once and is committed."""

    def run_all(folder: Path) -> None:
        project = make_project()
        assert project.repro() == ["fetch", "split", "pad", "train", "evaluate"]
        project.commit()
        project.folder.rename(folder)

    finished = made_once("finished", run_all)
    return lambda: make_project(like=finished)


@pytest.fixture
def project(make_finished_project) -> Project:
    """One of these, for a test that changes it."""
    return make_finished_project()


@pytest.fixture(scope="module")
def finished(make_finished_project) -> Project:
    """One of these, for all tests of a file."""
    return make_finished_project()


@pytest.fixture
def predict(finished, tmp_path, monkeypatch, capfd):
    """The command for predictions, run by this process in a folder of its own; gives what it prints, `out` and `err`."""
    from sentiment.predict import main

    monkeypatch.chdir(tmp_path)

    def predict(*arguments: str):
        monkeypatch.setattr("sys.argv", ["predict", "--model", str(finished.folder / "data/model"), *arguments])
        main()
        return capfd.readouterr()

    return predict


@pytest.fixture
def answers(predict):
    """The same with `--json`: the objects that it prints."""
    return lambda *arguments: [json.loads(line) for line in predict("--json", *arguments).out.splitlines()]
