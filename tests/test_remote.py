"""Work shared between machines: results through a DVC remote, experiments through a git remote."""

import json

import pytest
from conftest import Project

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def origin(make_finished_project, tmp_path_factory):
    """A project in which everything has run, pushed to a bare git repository and to a folder as its DVC remote."""
    project = make_finished_project()
    project.run("dvc", "remote", "add", "--default", "storage", str(tmp_path_factory.mktemp("storage")))
    project.commit()
    bare = tmp_path_factory.mktemp("bare")
    project.run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    project.run("git", "remote", "add", "origin", str(bare))
    project.run("git", "push", "--quiet", "--set-upstream", "origin", "main")
    project.run("dvc", "push")
    return project


@pytest.fixture
def clone(origin, tmp_path):
    """A fresh clone of the pushed project, as on another machine: without anything that was computed."""
    bare = origin.run("git", "remote", "get-url", "origin").strip()
    origin.run("git", "clone", "--quiet", bare, str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.environment = origin.environment
    assert {path.name for path in (clone.folder / "data").iterdir()} == {".gitignore", "README.md", "own"}
    return clone


def test_what_was_pushed_is_pulled_into_a_fresh_clone_where_nothing_has_to_run(origin, clone):
    clone.run("dvc", "pull")
    assert clone.repro() == []
    assert clone.outputs() == origin.outputs()
    assert clone.run("git", "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_model_that_was_registered_is_fetched_by_name_and_predicts(origin, clone, tmp_path):
    """With the commands of docs/sharing.md."""
    bare = origin.run("git", "remote", "get-url", "origin").strip()
    get = "dvc", "artifacts", "get", bare, "sentiment"
    assert "Unable to find artifact 'sentiment'" in clone.run(*get, status=1)
    clone.environment = clone.environment | {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com"}
    clone.run("git", "tag", "-a", "sentiment@v1.0.0", "-m", "The first model")
    clone.run("git", "push", "origin", "sentiment@v1.0.0")
    clone.run(*get, "--rev", "v1.0.0", "--out", str(tmp_path / "model"))
    predict = "python", "-m", "sentiment.predict", "--model"
    fetched, made = clone.run(*predict, str(tmp_path / "model"), "word"), origin.run(*predict, "data/model", "word")
    assert fetched.splitlines()[-1] == made.splitlines()[-1]


@pytest.mark.slow
def test_an_experiment_that_was_pushed_is_pulled_and_applied_elsewhere(origin, clone):
    origin.run("dvc", "exp", "run", "--quiet", "--name", "with-a-gru", "-S", "model.cell=gru")
    expected = origin.outputs()
    origin.run("dvc", "exp", "push", "origin", "with-a-gru")

    assert "with-a-gru" in clone.run("dvc", "exp", "list", "origin")
    clone.run("dvc", "exp", "pull", "origin", "with-a-gru")
    clone.run("dvc", "exp", "apply", "with-a-gru")
    assert clone.repro() == []
    assert clone.outputs() == expected
    compared = json.loads(clone.run("dvc", "params", "diff", "--json"))
    assert compared == {"params.yaml": {"model.cell": {"old": "simple_rnn", "new": "gru"}}}
