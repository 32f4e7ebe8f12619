"""What goes wrong while stages run: nothing is lost, nothing is half there, and a sentence says what to do."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from conftest import ROOT, Project
from helpers import rows, told_of_damage

from sentiment.common.errors import UserError
from stages import evaluate, pad, split, train

pytestmark = pytest.mark.pipeline


def forget_results(project: Project) -> None:
    """Have DVC run everything anew; what the stages wrote stays where it is."""
    (project.folder / "dvc.lock").unlink(missing_ok=True)
    shutil.rmtree(project.folder / ".dvc/cache", ignore_errors=True)


def wait_for_stage(process: subprocess.Popen) -> None:
    """Wait until `dvc repro` runs a stage."""
    while not psutil.Process(process.pid).children():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


CUT_LOCKS = "Unable to read RWLock-file '.dvc/tmp/rwlock'. JSON structure is corrupted"


def empty_lock_file_removed(project: Project, printed: str) -> bool:
    """Whether DVC was killed in the moment in which it wrote its list of locks; then do what its user has to do."""
    if CUT_LOCKS in printed:
        (project.folder / ".dvc/tmp/rwlock").unlink()
        return True
    return False


@pytest.mark.slow
def test_killed_at_any_moment_the_next_run_ends_with_the_same_bytes(project):
    """Half of the ten times the whole group is killed, half of them the stage alone, if one runs."""
    expected, moments = project.outputs(), random.Random(7)

    def whole_outputs() -> dict[str, bytes]:
        """Without what a process was writing when it was killed: it has another name, and git ignores it."""
        return {name: content for name, content in project.outputs().items() if ".part" not in name}

    forget_results(project)
    killed = 0
    while killed < 10:
        process = project.start("dvc", "repro")
        try:
            printed, _ = process.communicate(timeout=moments.uniform(0.5, 9))
        except subprocess.TimeoutExpired:
            stages = psutil.Process(process.pid).children() if killed % 2 else []
            for stage in stages:
                stage.kill()
            if not stages:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            killed += 1
            assert whole_outputs().items() <= expected.items(), "a file is not what an undisturbed run writes"
        else:
            if not empty_lock_file_removed(project, printed):
                assert process.returncode == 0, printed
                assert whole_outputs() == expected
                forget_results(project)
    if empty_lock_file_removed(project, project.start("dvc", "repro").communicate()[0]):
        project.run("dvc", "repro")
    assert whole_outputs() == expected


@pytest.mark.slow
def test_ctrl_c_ends_without_a_traceback_and_the_next_run_finishes(project):
    before = project.outputs()
    project.set_params(train__epochs=10**6)
    process = project.start("dvc", "repro")
    wait_for_stage(process)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Running stage 'train'" in printed
    assert "Traceback" not in printed
    project.set_params(train__epochs=2)
    assert project.repro() == []
    assert project.outputs() == before


@pytest.mark.slow
def test_of_two_runs_at_once_the_second_is_told_so_by_dvc(project):
    project.set_params(model__units=4)
    first = project.start("dvc", "repro")
    wait_for_stage(first)
    printed = project.run("dvc", "repro", status=255)
    assert "is busy, it is being blocked by" in printed
    printed, _ = first.communicate(timeout=120)
    assert first.returncode == 0, printed


def test_a_loss_that_is_no_number_ends_the_training_and_going_back_runs_nothing(project):
    before = project.outputs()
    project.set_params(train__learning_rate=1e38)
    printed = project.run("dvc", "repro", status=255)
    assert (
        "ERROR: The loss is no longer a finite number after epoch 1, with a learning rate of 1e+38; "
        "try a lower `train.learning_rate`."
    ) in printed
    assert "Traceback" not in printed
    assert not list((project.folder / "data/model").glob("*")), "no model is written"
    project.set_params(train__learning_rate=None)
    assert project.repro() == []
    assert project.outputs() == before


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 20 MiB."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", tmp_path], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.slow
def test_a_full_disk_is_told_and_no_file_is_cut(project, small_disk):
    on_small_disk = Project(
        shutil.copytree(project.folder, small_disk / "project", ignore=shutil.ignore_patterns(".git", "cache"))
    )
    on_small_disk.environment = project.environment | {"PYTHONDONTWRITEBYTECODE": "1"}
    before = on_small_disk.outputs()
    free = shutil.disk_usage(small_disk).free
    (small_disk / "filler").write_bytes(bytes(free - 16384))
    for stage, file in ("fetch", "data/reviews/"), ("split", "data/split/"), ("train", "data/model/"), ("evaluate", "plots/"):
        printed = on_small_disk.run("python", "-m", f"stages.{stage}", status=1)
        (error,) = [line for line in printed.splitlines() if line.startswith("ERROR:")]
        assert error.startswith(f"ERROR: {file}")
        assert error.endswith("can't be written: No space left on device; make room for it, and run again.")
        assert "Traceback" not in printed
        assert on_small_disk.outputs() == before


def test_without_its_packages_a_stage_says_how_to_get_them(tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    printed = Project(ROOT).run(str(bare / "bin/python"), "-m", "stages.split", status=1)
    assert printed == (
        f"ERROR: {bare}/bin/python has no package `numpy`: activate the environment (`. .venv/bin/activate`), "
        "or run `make`, which sets it up.\n"
    )


@pytest.mark.parametrize(
    ("command", "parameter", "value"),
    [
        ("ulimit -v 900000 && exec python -m stages.pad", "pad__maxlen", 1_000_000),
        ("exec python -m stages.train", "model__embedding_dim", 2**31 - 1),
    ],
    ids=["pad", "train"],
)
def test_more_memory_than_there_is_is_told(project, command, parameter, value):
    project.set_params(**{parameter: value})
    printed = project.run("sh", "-c", command, status=1)
    error = printed.splitlines()[-1]
    assert error.startswith("ERROR: There is not enough memory (")
    assert error.endswith("): end other programs, or make the model smaller in params.yaml.")
    assert "Traceback" not in printed


@pytest.mark.parametrize("command", ["stages.fetch", "sentiment.predict text"])
def test_output_that_can_not_be_written_is_told_and_a_reader_that_has_gone_is_not(project, command):
    told = project.run("bash", "-c", f"python -m {command} > /dev/full", status=1)
    assert told.splitlines()[-1] == "ERROR: Standard output can't be written: No space left on device."
    gone = project.run("bash", "-c", f"python -m {command} | true; exit ${{PIPESTATUS[0]}}", status=1)
    for printed in told, gone:
        assert "Traceback" not in printed
        assert "Exception ignored" not in printed
    assert "ERROR" not in gone


INPUTS = {
    split: "data/reviews/train.npz",
    pad: "data/split/train.npz",
    train: "data/padded/train.npz",
    evaluate: "data/model/model.keras",
}


@pytest.mark.parametrize(("stage", "damaged"), INPUTS.items(), ids=INPUTS.values())
def test_a_damaged_input_is_refused(project, monkeypatch, stage, damaged):
    path = project.folder / damaged
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: len(content) // 2])
    monkeypatch.chdir(project.folder)
    with pytest.raises(UserError, match=f"^{told_of_damage(damaged)}$"):
        stage.main()


@pytest.mark.slow
def test_make_removes_a_cut_list_of_locks_and_says_so_unless_a_dvc_runs(project):
    """DVC leaves the list empty or cut when it is killed while it writes it. The moment is too short to hit it here."""
    make = "make", "--assume-old=.venv/installed"
    locks = project.folder / ".dvc/tmp/rwlock"
    project.set_params(train__epochs=10**6)
    process = project.start("dvc", "repro")
    wait_for_stage(process)
    cut = locks.read_bytes()[:-10]
    locks.write_bytes(cut)
    try:
        assert project.run("python", "requirements/unlock.py") == ""
        assert locks.read_bytes() == cut
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    project.set_params(train__epochs=2)
    for content in cut, b"":
        locks.write_bytes(content)
        assert CUT_LOCKS in project.run("dvc", "repro", status=255)
        printed = project.run(*make)
        assert ".dvc/tmp/rwlock, DVC's list of locks, was cut when DVC was killed. No DVC runs, so it is removed.\n" in printed
    assert "list of locks" not in project.run(*make)


def test_two_runs_of_a_stage_at_once_end_well_and_leave_whole_files(project):
    expected = project.outputs()
    for _ in range(3):
        for process in [project.start("python", "-m", "stages.pad") for _ in range(2)]:
            printed, _ = process.communicate()
            assert process.returncode == 0, printed
        assert project.outputs() == expected


@pytest.mark.slow
def test_the_loss_in_the_metrics_is_that_of_the_history_however_large_it_is(project, monkeypatch):
    project.set_params(train__optimizer="sgd", train__learning_rate=1e20)
    monkeypatch.chdir(project.folder)
    train.main()
    evaluate.main()
    *_, last_epoch = rows(project.folder / "plots/history.csv")
    loss = json.loads((project.folder / "metrics/metrics.json").read_text())["validation"]["loss"]
    assert loss > 1e15
    # Training computes in float32.
    assert loss == pytest.approx(float(last_epoch["val_loss"]), rel=1e-5)
