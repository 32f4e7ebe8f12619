"""Experiments as DVC has them: in the workspace, and a grid in a queue with two workers."""

import csv
import io
import re
from itertools import product

import pytest
from helpers import finish_queue, queue_states

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


def table(project, *options: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(project.run("dvc", "exp", "show", "--csv", "--no-pager", *options))))


def test_a_grid_of_experiments_runs_in_two_workers_and_none_is_lost(make_finished_project):
    """After `make`, so that the workers share nothing that is new to the cache."""
    project = make_finished_project()
    project.run("dvc", "exp", "run", "--queue", "-S", "train.seed=range(0,3)", "-S", "model.cell=simple_rnn,gru")
    finish_queue(project)
    assert queue_states(project) == ["Success"] * 6, project.run("dvc", "queue", "status")

    rows = table(project, "--sort-by=validation.accuracy", "--sort-order=desc")
    done = [row for row in rows if row["Experiment"]]
    assert {(row["train.seed"], row["model.cell"]) for row in done} == set(product("012", ["simple_rnn", "gru"]))
    accuracies = [float(row["validation.accuracy"]) for row in done]
    assert accuracies == sorted(accuracies, reverse=True)

    best, other = done[0]["Experiment"], done[-1]["Experiment"]
    project.run("dvc", "exp", "apply", best)
    assert done[0]["model.cell"] in (project.folder / "params.yaml").read_text()
    assert "validation.accuracy" in project.run("dvc", "metrics", "diff", "--all", other, best)
    project.run("dvc", "plots", "diff", other, best)
    page = (project.folder / "dvc_plots/index.html").read_text()
    assert best in page and other in page


def test_after_a_failed_experiment_the_way_back_is_told_and_trains_nothing(make_finished_project):
    project = make_finished_project()
    before = project.outputs()
    printed = project.run("dvc", "exp", "run", "-S", "train.learning_rate=1e38", status=255)
    (way_back,) = re.findall("results back, run `([^`]+)`", printed)
    assert project.run("git", "status", "--porcelain")
    printed = project.run("sh", "-c", way_back)
    assert "Running stage" not in printed
    assert project.outputs() == before
    assert not project.run("git", "status", "--porcelain")


def test_a_failed_experiment_of_a_queue_is_shown_as_failed_and_leaves_the_workspace_as_it_is(make_finished_project):
    project = make_finished_project()
    project.run("dvc", "exp", "run", "--queue", "--name", "steep", "-S", "train.learning_rate=1e38")
    finish_queue(project)
    assert [row["State"] for row in table(project) if row["Experiment"] == "steep"] == ["Failed"]
    log = project.run("dvc", "queue", "logs", "steep")
    assert "ERROR: The loss is no longer a finite number" in log
    assert "git checkout" not in log
    assert not project.run("git", "status", "--porcelain")


def test_going_back_in_a_fresh_clone_trains_nothing(make_finished_project, tmp_path):
    """DVC finds the result of evaluate in git there, so it runs once more, and once alone."""
    project = make_finished_project()
    project.run("git", "clone", "--quiet", ".", str(tmp_path / "clone"))
    project.folder = tmp_path / "clone"
    assert project.repro() == ["fetch", "split", "pad", "train"]
    project.set_params(model__cell="gru")
    assert project.repro() == ["train", "evaluate"]
    project.set_params(model__cell="simple_rnn")
    assert project.repro() == ["evaluate"]
    for cell in "gru", "simple_rnn":
        project.set_params(model__cell=cell)
        assert project.repro() == []


def test_after_dvc_gc_an_experiment_comes_back_without_training_and_other_parameters_train_again(make_finished_project):
    project = make_finished_project()
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


def test_dvc_removes_the_half_written_result_of_another_worker(make_finished_project):
    """Why docs/experiments.md says to run `make` before a queue. When this fails, DVC has mended it: then drop the advice."""
    project = make_finished_project()
    # What DVC has there for a moment, while another worker saves the result of a stage.
    half_written = [folder / ".half-written.tmp" for folder in (project.folder / ".dvc/cache/runs").glob("*/*")]
    for path in half_written:
        path.touch()
    (project.folder / "dvc.lock").unlink()
    assert "corrupted cache file" in project.run("dvc", "repro", "split")
    assert not all(path.exists() for path in half_written)
