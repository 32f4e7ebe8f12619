"""What the tests share: the made corpus as a project of its own, the real data, and the order of the tests."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import made_corpus
import pytest
import yaml
from helpers import is_missing
from yamlcore import CoreDumper

from sentiment.common.vocabulary import vocabulary_bytes
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
        self.environment.pop("PYTHONPATH", None)
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
def made_project_template(tmp_path_factory) -> tuple[Path, Path]:
    """A project set up for the made corpus, not run yet, and the folder that its package is in."""
    folder, package = tmp_path_factory.mktemp("template"), tmp_path_factory.mktemp("package")
    copy_of_project(folder)
    made_corpus.write_package(package)
    fetched = made_corpus.encoded()
    project = Project(folder)
    project.set_params(
        fetch__sha256__train=reviews_sha256(fetched.train),
        fetch__sha256__test=reviews_sha256(fetched.test),
        fetch__sha256__vocabulary=made_corpus.sha256(vocabulary_bytes(fetched.vocabulary)),
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
    return folder, package


@pytest.fixture(scope="session")
def make_project(made_project_template, tmp_path_factory):
    """Makes projects set up for the made corpus, in folders of their own, not run yet."""
    folder, package = made_project_template
    return lambda: Project(shutil.copytree(folder, tmp_path_factory.mktemp("project"), dirs_exist_ok=True), package)


@pytest.fixture(scope="session")
def make_finished_project(make_project, tmp_path_factory):
    """Makes projects in which everything has run once and is committed; the run itself is done once for all of them."""
    finished = make_project()
    assert finished.repro() == ["fetch", "split", "pad", "train", "evaluate"]
    finished.commit()

    def make() -> Project:
        project = Project(shutil.copytree(finished.folder, tmp_path_factory.mktemp("project"), dirs_exist_ok=True))
        project.environment = finished.environment
        return project

    return make
