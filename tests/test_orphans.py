"""A stage that outlives the DVC that started it: what it computes is out of date, and stays out of the results."""

import signal
import subprocess

import psutil
import pytest
from conftest import Project

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


def start_training(project: Project, *command: str, **environment: str) -> subprocess.Popen:
    """Start a command that trains, and come back after the first of many epochs."""
    project.set_params(train__epochs=300)
    # In the group of the tests: of a group of its own, Linux would end a stage that is suspended when DVC goes.
    process = project.start(*command, env=project.environment | environment, process_group=None)
    lines = []
    for line in process.stdout:
        if line.startswith("epoch  1:"):
            return process
        lines.append(line)
    raise AssertionError(f"no epoch has come:\n{''.join(lines)}")


@pytest.mark.parametrize(("gone", "shell"), [(signal.SIGKILL, "/bin/sh"), (signal.SIGTERM, "/bin/bash")], ids=str)
def test_a_stage_whose_dvc_has_gone_leaves_the_results_of_a_later_run_as_they_are(project, gone, shell):
    """DVC starts its stages with the user's shell."""
    process = start_training(project, "dvc", "repro", SHELL=shell)
    (stage,) = psutil.Process(process.pid).children()
    stage.suspend()
    process.send_signal(gone)
    process.wait()
    project.set_params(train__epochs=3)
    assert project.repro() == ["train", "evaluate"]
    results = project.outputs()

    stage.resume()
    printed = process.stdout.read()
    assert "epoch 300:" in printed
    assert project.outputs() == results
    assert printed.endswith(
        "ERROR: The DVC process that started this stage has ended, so data/model/model.keras was left unchanged; "
        "run `dvc repro` again.\n"
    )
    assert "Traceback" not in printed
    assert "up to date" in project.run("dvc", "status")


def test_a_stage_started_by_hand_writes_its_results_though_its_shell_has_gone(project):
    before = project.outputs()["plots/history.csv"]
    process = start_training(project, "sh", "-c", "nohup python -m stages.train & wait")
    process.kill()
    process.wait()
    printed = process.stdout.read()
    assert "ERROR" not in printed
    after = project.outputs()["plots/history.csv"]
    assert after != before
    assert after.count(b"\n") == 1 + 300
