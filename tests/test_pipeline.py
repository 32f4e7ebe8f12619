"""What `dvc repro` reruns and what it doesn't, with the real DVC on the made corpus."""

import json
import os
import re

import made_corpus
import numpy as np
import pytest
from conftest import ROOT

pytestmark = pytest.mark.pipeline

ALL = ["fetch", "split", "pad", "train", "evaluate"]


@pytest.fixture(scope="module")
def project(make_finished_project):
    return make_finished_project()


@pytest.fixture
def put_back(project):
    """The same project; its parameters and code are put back after the test."""
    changed = *project.folder.glob("s*/**/*.py"), project.folder / "params.yaml", project.folder / "requirements/stages.txt"
    files = {path: path.read_bytes() for path in changed}
    yield project
    for path, content in files.items():
        path.write_bytes(content)


@pytest.fixture
def unchanged(project, put_back):
    """The same; and going back takes no work, since DVC has all results in its cache."""
    outputs, params = project.outputs(), (project.folder / "params.yaml").read_bytes()
    yield project
    (project.folder / "params.yaml").write_bytes(params)
    assert project.repro() == [], "going back to earlier parameters must run nothing"
    assert project.outputs() == outputs


def changed_stages(project) -> set[str]:
    """The stages of which something that they read has changed. `dvc repro` runs them, and what reads their outputs."""
    return set(json.loads(project.run("dvc", "status", "--json")))


def test_a_second_run_runs_nothing(project):
    assert project.repro() == []
    assert project.run("git", "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("parameter", "value", "stages"),
    [
        ("model__cell", "gru", ["train", "evaluate"]),
        ("split__seed", 7, ["split", "pad", "train", "evaluate"]),
    ],
)
def test_a_changed_parameter_reruns_the_stages_that_it_affects(unchanged, parameter, value, stages):
    unchanged.set_params(**{parameter: value})
    assert unchanged.repro() == stages


@pytest.mark.parametrize(
    ("parameter", "value", "stages"),
    [
        ("evaluate__threshold", 0.6, {"evaluate"}),
        ("train__epochs", 3, {"train"}),
        ("train__learning_rate", 0.01, {"train"}),
        ("model__units", 4, {"train"}),
        ("pad__maxlen", 10, {"pad", "train"}),
        ("split__train_size", 200, {"split"}),
        ("split__num_words", 30, {"split", "train"}),
        ("fetch__source", "archive", {"fetch"}),
    ],
)
def test_a_changed_parameter_is_a_change_to_the_stages_that_read_it(put_back, parameter, value, stages):
    put_back.set_params(**{parameter: value})
    assert changed_stages(put_back) == stages


def test_test_reviews_from_another_source_rerun_only_what_reads_test_reviews(unchanged, tmp_path):
    archive = made_corpus.write_archive(tmp_path / "archive.tar.gz")
    before = unchanged.outputs()
    unchanged.set_params(fetch__source="archive", fetch__archive=str(archive))
    assert unchanged.repro() == ["fetch", "split", "pad", "evaluate"]
    after = unchanged.outputs()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {f"data/{folder}/test.npz" for folder in ("reviews", "split", "padded")} | {"metrics/metrics.json"}
    metrics = json.loads(after["metrics/metrics.json"])
    assert metrics["test"].keys() == metrics["validation"].keys()
    assert metrics["test"]["accuracy"] > 0.6


def table_of_reruns() -> dict[str, set[str]]:
    """What docs/pipeline.md says under "What a change reruns" of code: by path, the stages that run for a changed line."""
    _, section = (ROOT / "docs/pipeline.md").read_text().split("\n## What a change reruns\n")
    section, *_ = section.split("\n## ")
    stages = {}
    for changed, runs in re.findall(r"^\| (a line of .+) \| (.+) \|$", section, re.MULTILINE):
        for name in re.findall("`([^`]+)`", changed):
            path = f"sentiment/{name}" if (ROOT / "sentiment" / name).exists() else name
            own, *_ = runs.split(", then")
            stages[path] = set(ALL) if own == "all five" else set(re.findall(r"fetch|split|pad|train|evaluate", own))
    return stages


RERUNS = table_of_reruns()


def test_the_documents_tell_of_every_room_what_a_changed_line_reruns():
    """Of each that a stage runs: the command for predictions, sentiment/predict.py, is none's."""
    folders = {f"sentiment/{path.parent.name}/" for path in (ROOT / "sentiment").glob("*/__init__.py")}
    files = {f"sentiment/{path.name}" for path in (ROOT / "sentiment").glob("[a-z]*.py")}
    assert RERUNS.keys() == (folders | files | {"requirements/stages.txt"}) - {"sentiment/predict.py"}


@pytest.fixture
def compiled(put_back):
    """The project after Python has compiled files into every room: a `__pycache__` with a file in it that is new."""
    folders = [path.parent / "__pycache__" for path in (put_back.folder / "sentiment").glob("**/__init__.py")]
    files = [folder / "of_another_python.cpython-399.pyc" for folder in folders]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(os.urandom(100))
    yield put_back
    for file in files:
        file.unlink()


@pytest.mark.parametrize(
    ("path", "stages"),
    [*RERUNS.items(), ("stages/pad.py", {"pad"}), ("stages/__init__.py", set(ALL)), ("sentiment/predict.py", set())],
)
def test_a_changed_line_is_a_change_to_the_stages_that_the_documents_name(compiled, path, stages):
    changed = compiled.folder / path
    if changed.is_dir():
        changed = sorted(changed.glob("[a-z]*.py"))[0]
    with changed.open("a") as file:
        file.write("# changed\n")
    assert changed_stages(compiled) == stages


@pytest.mark.slow
def test_a_changed_line_that_changes_no_result_reruns_the_stages_with_the_same_bytes(make_finished_project):
    project = make_finished_project()
    before = project.outputs()
    with (project.folder / "requirements/stages.txt").open("a") as file:
        file.write("# changed\n")
    assert project.repro() == ALL
    assert project.outputs() == before


@pytest.mark.slow
def test_every_output_is_the_same_bytes_with_one_core_and_with_all(project, make_project):
    other = make_project()
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})  # inherited by what is started from here on
    try:
        assert other.repro() == ALL
    finally:
        os.sched_setaffinity(0, allowed)
    assert other.outputs() == project.outputs()


def test_the_outputs_have_the_files_and_formats_of_the_design(project):
    outputs = project.outputs()
    names = "train", "validation", "test"
    assert set(outputs) - {"data/.gitignore", "data/README.md", "data/own/README.md"} == {
        *(f"data/reviews/{name}" for name in ("train.npz", "test.npz", "vocabulary.txt", "tokenizer.json")),
        *(f"data/{folder}/{name}.npz" for folder in ("split", "padded") for name in names),
        *(f"data/model/{name}" for name in ("model.keras", "preprocessing.json", "vocabulary.txt", "SHA256SUMS")),
        "metrics/metrics.json",
        *(f"plots/{name}.csv" for name in ("history", "confusion", "roc", "precision_recall", "embedding", "memory")),
        *(f"plots/{name}.png" for name in ("loss", "accuracy", "confusion", "roc", "precision_recall", "embedding", "memory")),
    }
    encoding = {
        "tokenizer": "keras_imdb",
        "labels": {"positive": ["positive", "pos", "1"], "negative": ["negative", "neg", "0"]},
        "vocabulary_sha256": made_corpus.sha256(outputs["data/reviews/vocabulary.txt"]),
    }
    assert json.loads(outputs["data/reviews/tokenizer.json"]) == encoding
    assert json.loads(outputs["data/model/preprocessing.json"]) == encoding | {
        "num_words": 40, "skip_top": 3, "maxlen": 12, "padding": "pre", "truncating": "pre"
    }  # fmt: skip
    assert outputs["data/model/vocabulary.txt"] == outputs["data/reviews/vocabulary.txt"]
    metrics = json.loads(outputs["metrics/metrics.json"])
    assert metrics.keys() == {"validation", "model", "words"}
    assert metrics["validation"].keys() == {"loss", "accuracy", "precision", "recall", "f1", "roc_auc"}
    assert metrics["words"].keys() == {"pc1_variance", "pc1_log_odds_spearman"}
    assert metrics["model"] == {"parameters": 40 * 32 + 8 * (32 + 8 + 1) + 9, "input_bytes": 250 * 12 * 4}
    assert outputs["plots/history.csv"].startswith(b"epoch,loss,accuracy,val_loss,val_accuracy\n1,")
    assert outputs["plots/embedding.csv"].startswith(b"word,pc1,pc2,positive,negative,log_odds\n")
    for name in (name for name in outputs if name.startswith(("metrics/", "plots/")) and not name.endswith(".png")):
        decimals = re.findall(rb"\d\.(\d+)", outputs[name])
        assert (name == "plots/confusion.csv") == (decimals == [])
        assert max(map(len, decimals), default=0) <= 6, name


def test_stock_keras_opens_the_model_without_code_of_the_project(project, tmp_path):
    script = (
        "import keras, numpy, sys\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "assert 'sentiment' not in sys.modules\n"
        "numpy.save(sys.argv[2], model.predict(numpy.load(sys.argv[3])['x'], verbose=0))\n"
    )
    model, padded = (project.folder / name for name in ("data/model/model.keras", "data/padded/validation.npz"))
    project.run("python", "-c", script, str(model), str(tmp_path / "p.npy"), str(padded), PYTHONSAFEPATH="1")
    probabilities = np.load(tmp_path / "p.npy")[:, 0]
    accuracy = np.mean((probabilities > 0.5) == np.load(padded)["y"])
    metrics = json.loads((project.folder / "metrics/metrics.json").read_text())
    assert accuracy == pytest.approx(metrics["validation"]["accuracy"], abs=1e-6)


def test_the_commands_of_dvc_work_as_they_are(unchanged):
    project = unchanged
    assert "| evaluate |" in project.run("dvc", "dag")
    project.run("dvc", "exp", "run", "--quiet", "--name", "longer", "-S", "train.epochs=3")
    assert "train.epochs" in project.run("dvc", "params", "diff")
    assert "validation.accuracy" in project.run("dvc", "metrics", "diff", "--all")
    table = project.run("dvc", "exp", "show", "--no-pager", "--md")
    assert "longer" in table and "validation.accuracy" in table
    for command in ("show",), ("diff", "HEAD"):
        project.run("dvc", "plots", *command)
        page = (project.folder / "dvc_plots/index.html").read_text()
        for title in (
            "Loss", "Accuracy", "Confusion matrix", "ROC curve", "Precision by recall",
            "The words in the embedding", "What a token does to the logit",
        ):  # fmt: skip
            assert page.count(f'"text": "{title}"') == 1 or page.count(f'"title": "{title}"') == 1, title
        for name in "loss", "accuracy", "confusion", "roc", "precision_recall", "embedding", "memory":
            assert page.count(f"<p>plots/{name}.png</p>") == 1
