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
def test_of_an_experiment_from_before_the_remote_dvc_pushes_no_result_and_run_again_it_does(make_finished_project, tmp_path):
    """As docs/sharing.md has it. When this fails, DVC has mended it, and the document can do without."""
    project = make_finished_project()
    project.run("dvc", "exp", "run", "--quiet", "--name", "before", "-S", "model.cell=gru")
    project.run("sh", "-c", "git checkout --quiet params.yaml && dvc repro --quiet")
    project.run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "bare"))
    project.run("git", "remote", "add", "origin", str(tmp_path / "bare"))
    project.run("dvc", "remote", "add", "--quiet", "--default", "storage", str(tmp_path / "storage"))
    project.commit()
    project.run("git", "push", "--quiet", "--set-upstream", "origin", "main")
    project.run("dvc", "push")
    assert "uploaded" not in project.run("dvc", "exp", "push", "origin", "before")

    project.run("git", "clone", "--quiet", str(tmp_path / "bare"), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.environment = project.environment
    clone.run("dvc", "exp", "pull", "origin", "before")
    assert "Checkout failed" in clone.run("dvc", "exp", "apply", "before", status=255)
    clone.run("sh", "-c", "git checkout --quiet . && dvc pull")
    assert clone.repro() == []
    assert clone.run("git", "status", "--porcelain") == ""

    printed = project.run("dvc", "exp", "run", "--name", "again", "-S", "model.cell=gru")
    assert "Running stage" not in printed
    assert "uploaded" in project.run("dvc", "exp", "push", "origin", "again")
    clone.run("dvc", "exp", "pull", "origin", "again")
    clone.run("dvc", "exp", "apply", "again")
    assert clone.outputs() == project.outputs()


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
