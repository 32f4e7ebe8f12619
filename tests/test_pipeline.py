"""What `dvc repro` reruns and what it doesn't, with the real DVC on the made corpus."""

import json
import os
import re
from collections import defaultdict
from hashlib import sha256

import made_corpus
import pytest
from conftest import ROOT

from sentiment.corpus.encoding import IMDB_LABELS

pytestmark = pytest.mark.pipeline

ALL = ["fetch", "split", "pad", "train", "evaluate"]


def test_a_second_run_runs_nothing_whatever_python_has_compiled_since(finished):
    for package in (finished.folder / "sentiment").glob("**/__init__.py"):
        compiled = package.parent / "__pycache__/of_another_python.cpython-399.pyc"
        compiled.parent.mkdir(exist_ok=True)
        compiled.write_bytes(os.urandom(100))
    assert finished.repro() == []
    assert finished.run("git", "status", "--porcelain") == ""


def table_of_reruns() -> dict[str, set[str]]:
    """What docs/pipeline.md says under "What a change reruns" of code: by path, the stages that run for a changed line."""
    _, section = (ROOT / "docs/pipeline.md").read_text().split("\n## What a change reruns\n")
    section, *_ = section.split("\n## ")
    stages = {}
    for changed, runs in re.findall(r"^\| (a line of .+) \| (.+) \|$", section, re.MULTILINE):
        for name in re.findall("`([^`]+)`", changed):
            path = f"sentiment/{name}" if (ROOT / "sentiment" / name).exists() else name
            own, *_ = runs.split(", then")
            stages[path.removesuffix("/")] = set(ALL if own == "all five" else re.findall("|".join(ALL), own))
    return stages


def stages_by_change(project) -> dict[str, set[str]]:
    """By what has changed, the stages that read it: `dvc repro` runs them, and what reads their outputs."""
    stages = defaultdict(set)
    for stage, changes in json.loads(project.run("dvc", "status", "--json")).items():
        for change in changes:
            for name, state in change["changed deps"].items():
                for changed in state if name == "params.yaml" else [name]:
                    stages[changed].add(stage)
    return stages


def test_a_change_is_one_to_the_stages_that_the_documents_name(project):
    """Of each part of sentiment/ a line changes, and of each section a parameter; sentiment/predict.py is no stage's."""
    others = "requirements/stages.txt", "stages/__init__.py", "stages/pad.py"
    for path in *project.folder.glob("sentiment/[a-z]*"), *map(project.folder.joinpath, others):
        with (min(path.glob("[a-z]*.py")) if path.is_dir() else path).open("a") as file:
            file.write("# changed\n")
    project.set_params(
        fetch__source="archive", split__train_size=200, pad__maxlen=10, model__units=4, train__epochs=3, evaluate__threshold=0.6
    )
    assert stages_by_change(project) == table_of_reruns() | {
        "stages/__init__.py": set(ALL), "stages/pad.py": {"pad"},
        "fetch": {"fetch"}, "split": {"split"}, "pad": {"pad", "train"}, "model": {"train"}, "train": {"train"},
        "evaluate": {"evaluate"},
    }  # fmt: skip


def test_test_reviews_from_another_source_rerun_only_what_reads_test_reviews_and_going_back_nothing(project, tmp_path):
    archive = made_corpus.write_archive(tmp_path / "archive.tar.gz")
    before = project.outputs()
    project.set_params(fetch__source="archive", fetch__archive=str(archive))
    assert project.repro() == ["fetch", "split", "pad", "evaluate"]
    after = project.outputs()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {f"data/{folder}/test.npz" for folder in ("reviews", "split", "padded")} | {"metrics/metrics.json"}
    metrics = json.loads(after["metrics/metrics.json"])
    assert metrics["test"].keys() == metrics["validation"].keys()
    assert metrics["test"]["accuracy"] > 0.6
    project.run("git", "checkout", "--quiet", "params.yaml")
    assert project.repro() == []
    assert project.outputs() == before


@pytest.mark.slow
def test_after_a_change_that_changes_no_result_all_stages_give_the_same_bytes_also_on_one_core(project):
    before = project.outputs()
    with (project.folder / "requirements/stages.txt").open("a") as file:
        file.write("# changed\n")
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})  # inherited by what is started from here on
    try:
        assert project.repro() == ALL
    finally:
        os.sched_setaffinity(0, allowed)
    assert project.outputs() == before


def test_the_outputs_have_the_files_and_formats_of_the_design(finished):
    outputs = finished.outputs()
    names = "train", "validation", "test"
    assert set(outputs) - {"data/.gitignore", "data/README.md", "data/own/README.md"} == {
        *(f"data/reviews/{name}" for name in ("train.npz", "test.npz", "vocabulary.txt", "tokenizer.json")),
        *(f"data/{folder}/{name}.npz" for folder in ("split", "padded") for name in names),
        "data/split/copies.json",
        *(f"data/model/{name}" for name in ("model.keras", "preprocessing.json", "vocabulary.txt", "SHA256SUMS")),
        "metrics/metrics.json",
        *(f"plots/{name}.csv" for name in ("history", "confusion", "roc", "precision_recall", "embedding", "memory")),
        *(f"plots/{name}.png" for name in ("loss", "accuracy", "confusion", "roc", "precision_recall", "embedding", "memory")),
    }
    encoding = {
        "tokenizer": "keras_imdb",
        "labels": IMDB_LABELS.model_dump(),
        "vocabulary_sha256": sha256(outputs["data/reviews/vocabulary.txt"]).hexdigest(),
    }
    assert json.loads(outputs["data/reviews/tokenizer.json"]) == encoding
    assert json.loads(outputs["data/model/preprocessing.json"]) == encoding | {
        "num_words": 40, "skip_top": 3, "maxlen": 12, "padding": "pre", "truncating": "pre"
    }  # fmt: skip
    assert outputs["data/model/vocabulary.txt"] == outputs["data/reviews/vocabulary.txt"]
    metrics = json.loads(outputs["metrics/metrics.json"])
    assert metrics.keys() == {"validation", "model", "words"}
    scores = "loss accuracy precision recall f1 roc_auc unknown copies_of_training"
    assert list(metrics["validation"]) == scores.split()
    assert metrics["words"].keys() == {"pc1_variance", "pc1_log_odds_spearman"}
    assert metrics["model"] == {"parameters": 40 * 32 + 8 * (32 + 8 + 1) + 9, "input_bytes": 250 * 12 * 4}
    assert outputs["plots/history.csv"].startswith(b"epoch,loss,accuracy,val_loss,val_accuracy\n1,")
    assert outputs["plots/embedding.csv"].startswith(b"word,pc1,pc2,positive,negative,log_odds\n")
    for name in (name for name in outputs if name.startswith(("metrics/", "plots/")) and not name.endswith(".png")):
        decimals = re.findall(rb"\d\.(\d+)", outputs[name])
        assert (name == "plots/confusion.csv") == (decimals == [])
        assert max(map(len, decimals), default=0) <= 6, name
