"""What the documents tell of DVC beside the commands that stand there, which test_documents.py runs."""

import pytest
from conftest import Project

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


def test_going_back_in_a_fresh_clone_trains_nothing(project, tmp_path):
    """DVC finds the result of evaluate in git there, so it runs once more, and once alone."""
    project.run("git", "clone", "--quiet", ".", str(tmp_path / "clone"))
    project.folder = tmp_path / "clone"
    assert project.repro() == ["fetch", "split", "pad", "train"]
    project.set_params(model__cell="gru")
    assert project.repro() == ["train", "evaluate"]
    project.set_params(model__cell="simple_rnn")
    assert project.repro() == ["evaluate"]
    project.set_params(model__cell="gru")
    assert project.repro() == []


def test_after_dvc_gc_an_experiment_comes_back_without_training_and_other_parameters_train_again(project):
    committed = project.outputs()
    project.run("dvc", "exp", "run", "--name", "with-gru", "-S", "model.cell=gru")
    with_gru = project.outputs()
    project.run("git", "checkout", "--quiet", ".")
    project.run("dvc", "checkout")
    project.run("dvc", "gc", "--force", "--all-commits", "--all-experiments")

    project.run("dvc", "exp", "apply", "with-gru")
    assert project.outputs() == with_gru
    assert "up to date" in project.run("dvc", "status")
    project.set_params(model__cell="simple_rnn")
    assert project.repro() == ["train", "evaluate"]
    assert project.outputs() == committed


def test_dvc_removes_the_half_written_result_of_another_worker(project):
    """Why docs/experiments.md says to run `make` before a queue. When this fails, DVC has mended it: then drop the advice."""
    # What DVC has there for a moment, while another worker saves the result of a stage.
    half_written = [folder / ".half-written.tmp" for folder in (project.folder / ".dvc/cache/runs").glob("*/*")]
    for path in half_written:
        path.touch()
    (project.folder / "dvc.lock").unlink()
    assert "corrupted cache file" in project.run("dvc", "repro", "split")
    assert not all(path.exists() for path in half_written)


def test_of_an_experiment_from_before_the_remote_dvc_pushes_no_result_and_run_again_it_does(project, tmp_path):
    """As docs/sharing.md has it. When this fails, DVC has mended it, and the document can do without."""
    project.run("dvc", "exp", "run", "--quiet", "--name", "before", "-S", "model.cell=gru")
    project.run("sh", "-c", "git checkout --quiet params.yaml && dvc repro --quiet")
    project.run("dvc", "remote", "add", "--quiet", "--default", "storage", str(tmp_path / "storage"))
    project.commit()
    project.run("git", "clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    project.run("git", "remote", "add", "origin", str(tmp_path / "bare"))
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
