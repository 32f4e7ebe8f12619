"""Models as people have them: whole ones are read, and what is not a network of this project is refused in a sentence."""

import copy
import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from sentiment.common.errors import UserError
from sentiment.common.parameters import ModelSection
from sentiment.inference.model_folder import read_model
from sentiment.inference.saved_model import read_network

pytestmark = pytest.mark.training

PARAMS = {"embedding_dim": 4, "units": 3, "dropout": 0.2, "output_dropout": 0.2}
MADE = {
    "simple": {"input": "embedding", "cell": "simple_rnn", "bidirectional": False, "pooling": "last"},
    "pooled": {"input": "one_hot", "cell": "gru", "bidirectional": True, "pooling": "max_mean"},
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> dict[str, Path]:
    """The files of two models."""
    from sentiment.training.network import build_model
    from sentiment.training.saving import save_model

    paths = {}
    for name, values in MADE.items():
        model = build_model(7, 50, ModelSection(**PARAMS, **values), seed=1)
        model.compile("adam", "binary_crossentropy", jit_compile=False)
        paths[name] = tmp_path_factory.mktemp(name) / "model.keras"
        save_model(model, paths[name])
    return paths


def contents(path: Path) -> tuple[dict, bytes]:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json")), archive.read("model.weights.h5")


def write(path: Path, config: object, weights: bytes, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        archive.writestr("model.weights.h5", weights)
    return path


def refusal(path: Path) -> str:
    """What is said of the file: one sentence, and not the file itself."""
    with pytest.raises(UserError) as error:
        read_network(path)
    told = str(error.value)
    assert told.startswith(f"{path} can't be read (") and told.endswith("`: DVC then checks it and makes it again.")
    assert "\n" not in told and len(told) < 2 * len(str(path)) + 400
    return told


def layer(config: dict, name: str) -> dict:
    (found,) = (layer["config"] for layer in config["config"]["layers"] if layer["config"]["name"] == name)
    return found


def test_whole_models_are_read(saved):
    simple, pooled = (read_network(saved[name]) for name in ("simple", "pooled"))
    assert (simple.cell, simple.pooling, len(simple.directions), simple.embedding.shape) == ("simple_rnn", "last", 1, (50, 4))
    assert (pooled.cell, pooled.pooling, len(pooled.directions), pooled.embedding) == ("gru", "max_mean", 2, None)


CHANGES = {
    "another activation": ("simple", "simple_rnn", {"activation": "relu"}),
    "a cell that reads backwards": ("simple", "simple_rnn", {"go_backwards": True}),
    "padding that is masked": ("simple", "embedding", {"mask_zero": True}),
    "no sigmoid at the end": ("simple", "positive", {"activation": "linear"}),
    "two probabilities": ("simple", "positive", {"units": 2}),
    "a cell without bias": ("simple", "simple_rnn", {"use_bias": False}),
    "a cell that goes on where it ended": ("simple", "simple_rnn", {"stateful": True}),
    "more units than weights": ("simple", "simple_rnn", {"units": 4}),
    "units that are not a number": ("simple", "simple_rnn", {"units": "3"}),
    "no units": ("simple", "simple_rnn", {"units": 0}),
    "numbers of another precision": ("simple", "simple_rnn", {"dtype": "float16"}),
    "an option that is not known": ("simple", "simple_rnn", {"attention": True}),
    "outputs that are added": ("pooled", "gru", {"merge_mode": "sum"}),
    "counts of words": ("pooled", "one_hot", {"output_mode": "count"}),
}


@pytest.mark.parametrize(("model", "name", "change"), CHANGES.values(), ids=CHANGES)
def test_another_network_is_refused(saved, tmp_path, model, name, change):
    config, weights = contents(saved[model])
    layer(config, name).update(change)
    refusal(write(tmp_path / "model.keras", config, weights))


def test_other_layers_are_refused(saved, tmp_path):
    config, weights = contents(saved["simple"])
    path, layers = tmp_path / "model.keras", config["config"]["layers"]
    for others in (
        [*layers, layers[-1]],
        layers[:-1],
        layers[:1],
        [],
        [*layers[:-1], {"class_name": "BatchNormalization", "config": {"name": "normal"}}, layers[-1]],
        [*layers[:-1], layers[0], layers[-1]],
    ):
        refusal(write(path, config | {"config": {"layers": others}}, weights))
    renamed = copy.deepcopy(config)
    (cell,) = (layer for layer in renamed["config"]["layers"] if layer["class_name"] == "SimpleRNN")
    for change in {"class_name": "LSTM"}, {"class_name": "Mine"}, {"registered_name": "mine>SimpleRNN"}:
        refusal(
            write(
                path,
                renamed | {"config": {"layers": [cell | change if it is cell else it for it in renamed["config"]["layers"]]}},
                weights,
            )
        )
    layer(renamed, "simple_rnn")["name"] = "another"
    refusal(write(path, renamed, weights))


def test_the_mean_before_the_maximum_is_refused(saved, tmp_path):
    config, weights = contents(saved["pooled"])
    both = layer(config, "max_mean")["layers"][-1]
    both["inbound_nodes"][0]["args"][0].reverse()
    refusal(write(tmp_path / "model.keras", config, weights))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_weights_that_are_no_finite_numbers_are_refused(saved, tmp_path, number):
    config, weights = contents(saved["simple"])
    file = io.BytesIO(weights)
    with h5py.File(file, "r+") as opened:
        opened["layers/dense/vars/0"][1] = number
    assert "are not all finite numbers" in refusal(write(tmp_path / "model.keras", config, file.getvalue()))


def test_weights_that_are_missing_or_in_another_file_are_refused(saved, tmp_path):
    config, weights = contents(saved["simple"])
    (tmp_path / "other.h5").write_bytes(weights)
    for replaced in None, h5py.ExternalLink(str(tmp_path / "other.h5"), "layers/dense/vars/0"):
        file = io.BytesIO(weights)
        with h5py.File(file, "r+") as opened:
            del opened["layers/dense/vars/0"]
            if replaced:
                opened["layers/dense/vars/0"] = replaced
        refusal(write(tmp_path / "model.keras", config, file.getvalue()))


def test_files_that_are_no_model_are_refused(saved, tmp_path):
    config, weights = contents(saved["simple"])
    path = tmp_path / "model.keras"
    for content in b"", b"text", saved["simple"].read_bytes()[:-100], saved["simple"].read_bytes()[:1000]:
        path.write_bytes(content)
        refusal(path)
    for configuration in (
        "null",
        "[]",
        "{}",
        '{"config": {"layers": 3}}',
        "[" * 50_000,
        "x" * 50_000,
        '{"config": "\\u001b[2J"}',
    ):
        refusal(write(path, configuration, weights))
    for cut in b"", weights[:2000]:
        refusal(write(path, config, cut))
    layer(config, "simple_rnn")["activation"] = "relu" * 10_000
    refusal(write(path, config, weights))


def test_files_that_never_end_are_refused_before_they_are_read(saved, tmp_path):
    config, weights = contents(saved["simple"])
    path = tmp_path / "model.keras"
    spaces = json.dumps(config) + 3_000_000 * " "
    assert "config.json is compressed, or larger than" in refusal(write(path, spaces, weights))
    assert "config.json is compressed, or larger than" in refusal(write(path, spaces, weights, zipfile.ZIP_DEFLATED))
    path.unlink()
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert "at most" in refusal(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "not a regular file" in refusal(path)
    path.unlink()
    os.mkfifo(path)
    assert "not a regular file" in refusal(path)


@pytest.fixture
def folder(make_finished_project, tmp_path) -> Path:
    """A copy of a trained model's folder."""
    return shutil.copytree(make_finished_project().folder / "data/model", tmp_path / "model")


OTHER_WORDS = "it has other words, or other line ends, than it had when it was made"


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("vocabulary.txt", lambda content: content.replace(b"\n", b"\r\n"), OTHER_WORDS),
        ("vocabulary.txt", lambda content: content[: content.index(b"\n") + 1], OTHER_WORDS),
        ("vocabulary.txt", lambda content: b"".join(reversed(content.splitlines(keepends=True))), OTHER_WORDS),
        ("vocabulary.txt", lambda content: b"", OTHER_WORDS),
        ("preprocessing.json", lambda content: content.replace(b'"maxlen": 12', b'"maxlen": 13'), "files of different models"),
        ("preprocessing.json", lambda content: content.replace(b'"maxlen": 12', b'"maxlen": -1'), "`maxlen` is -1: "),
        ("preprocessing.json", lambda content: content.replace(b'"skip_top": 3', b'"skip_top": 40'), "or no word remains."),
        ("preprocessing.json", lambda content: content.replace(b'"skip_top": 3', b'"skip_top": -3'), "`skip_top` is -3: "),
        ("preprocessing.json", lambda content: content.replace(b"keras_imdb", b"mine"), "`tokenizer` is \"mine\": "),
        ("preprocessing.json", lambda content: b"{", "can't be read ("),
        ("preprocessing.json", lambda content: 50_000 * b"[", "can't be read ("),
    ],
    ids=[
        "Windows line ends", "cut", "reversed", "empty", "another length", "negative length", "no words", "negative",
        "tokenizer", "no JSON", "too long",
    ],
)  # fmt: skip
def test_a_folder_of_which_a_file_was_changed_is_refused(folder, name, change, told):
    content = (folder / name).read_bytes()
    changed = change(content)
    assert changed != content
    (folder / name).write_bytes(changed)
    with pytest.raises(UserError, match=re.escape(told)) as error:
        read_model(folder)
    assert str(folder) in str(error.value)


@pytest.mark.pipeline
def test_a_folder_of_which_a_file_is_missing_is_refused(folder):
    for name, told in (
        ("vocabulary.txt", "vocabulary.txt does not exist; run `dvc repro` in the folder with its dvc.yaml to make it."),
        (
            "preprocessing.json",
            "preprocessing.json does not exist; run `dvc repro` in the folder with its dvc.yaml to make it.",
        ),
        ("model.keras", " has no model: run `make` or `dvc repro`, which train one, or name its folder with `--model`."),
    ):
        (folder / name).unlink()
        with pytest.raises(UserError, match=f"{re.escape(told)}$"):
            read_model(folder)


@pytest.mark.pipeline
@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.keras", "vocabulary.txt", "preprocessing.json"])
def test_a_damaged_object_in_the_cache_of_dvc_is_found_and_the_command_that_is_told_heals_it(make_finished_project, name):
    """DVC takes a read-only object of its cache for whole, so that `dvc repro` alone says that all is up to date."""
    project = make_finished_project()
    before = project.outputs()
    cached = [path for path in (project.folder / ".dvc/cache/files").rglob("*") if path.is_file()]
    (damaged,) = (
        path for path in cached if path.read_bytes() == before[f"data/model/{name}"] and path.stat().st_mode & 0o200 == 0
    )
    content = damaged.read_bytes()
    half = content[: len(content) // 2]
    damaged.chmod(0o644)
    damaged.write_bytes(half + bytes(len(content) - len(half)))
    damaged.chmod(0o444)
    shutil.rmtree(project.folder / "data/model")
    project.run("dvc", "checkout")
    assert project.repro() == []
    printed = project.run("python", "-m", "sentiment.predict", "A wonderful film", status=1)
    assert printed.startswith(f"ERROR: data/model/{name} can't be read (")
    (command,) = re.findall("`(touch .*)`", printed)
    project.run("sh", "-c", command)
    assert project.outputs() == before
    shutil.rmtree(project.folder / "data/model")
    project.run("dvc", "checkout")
    assert project.outputs() == before
    assert subprocess.run(["cmp", damaged, project.folder / "data/model" / name], check=False).returncode == 0
