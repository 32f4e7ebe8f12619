"""Models as people have them: whole ones are read, and what is not one that this project trained is refused in a sentence."""

import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import ROOT

from sentiment.common.errors import UserError
from sentiment.common.parameters import read_params
from sentiment.inference.model_folder import read_model
from sentiment.inference.saved_model import read_network


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """The file of a model with random weights."""
    from sentiment.training.network import build_model
    from sentiment.training.saving import save_model

    model = build_model(7, 50, read_params(ROOT / "params.yaml").model, seed=1)
    model.compile("adam", "binary_crossentropy", jit_compile=False)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    save_model(model, path)
    return path


@pytest.fixture(scope="module")
def contents(saved) -> tuple[str, bytes]:
    with zipfile.ZipFile(saved) as archive:
        return archive.read("config.json").decode(), archive.read("model.weights.h5")


def write(path: Path, config: str, weights: bytes, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("config.json", config)
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


@pytest.mark.training
@pytest.mark.parametrize("replaced", [np.nan, np.inf, "missing", "in another file", "of another shape"])
def test_weights_that_are_none_of_this_network_are_refused(contents, tmp_path, replaced):
    config, weights = contents
    (tmp_path / "other.h5").write_bytes(weights)
    file, name = io.BytesIO(weights), "layers/dense/vars/0"
    with h5py.File(file, "r+") as opened:
        if isinstance(replaced, float):
            opened[name][1] = replaced
        else:
            del opened[name]
        if replaced == "in another file":
            opened[name] = h5py.ExternalLink(str(tmp_path / "other.h5"), name)
        elif replaced == "of another shape":
            opened[name] = np.zeros((4, 1), np.float32)
    refusal(write(tmp_path / "model.keras", config, file.getvalue()))


@pytest.mark.training
def test_files_that_are_no_model_are_refused(saved, contents, tmp_path):
    config, weights = contents
    path = tmp_path / "model.keras"
    for content in b"", b"text", saved.read_bytes()[:-100], saved.read_bytes()[:1000]:
        path.write_bytes(content)
        refusal(path)
    for other in "null", "{}", '{"config": {"layers": 3}}', "[" * 50_000, config.replace("simple_rnn", "another"):
        refusal(write(path, other, weights))
    refusal(write(path, config, weights[:2000]))


@pytest.mark.training
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_model_larger_than_any_of_this_project_is_refused_before_it_is_read(contents, tmp_path, compression):
    config, weights = contents
    told = refusal(write(tmp_path / "model.keras", config + 3_000_000 * " ", weights, compression))
    assert "config.json has more than 100,000 bytes" in told


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("preprocessing.json", lambda content: content.replace(b'"skip_top": 3', b'"skip_top": 4'), id="a digit"),
        pytest.param("vocabulary.txt", lambda content: content.replace(b"\n", b"\r\n"), id="Windows line ends"),
        pytest.param("model.keras", lambda content: content[:-1] + b"\1", id="a byte"),
        pytest.param("SHA256SUMS", lambda content: b"", id="no digests"),
    ],
)
def test_a_folder_of_which_a_file_was_changed_is_refused(project, name, change):
    folder = project.folder / "data/model"
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder).returncode == 0
    content = (folder / name).read_bytes()
    changed = change(content)
    assert changed != content
    (folder / name).write_bytes(changed)
    with pytest.raises(UserError) as error:
        read_model(folder)
    named = "model.keras" if name == "SHA256SUMS" else name
    assert str(error.value).startswith(
        f"{folder}/{named} can't be read (its sha256 is not the one in SHA256SUMS); in its project, "
    )


@pytest.mark.pipeline
def test_a_folder_of_which_a_file_is_missing_is_refused(project):
    folder = project.folder / "data/model"
    for name, told in (
        ("vocabulary.txt", "vocabulary.txt does not exist; run `dvc repro` in the folder with its dvc.yaml to make it."),
        ("SHA256SUMS", " has no SHA256SUMS: an earlier release trained this model; train it anew with `dvc repro`."),
        ("model.keras", " has no model: run `make` or `dvc repro`, which train one, or name its folder with `--model`."),
    ):
        (folder / name).unlink()
        with pytest.raises(UserError, match=f"{re.escape(told)}$"):
            read_model(folder)


@pytest.mark.pipeline
@pytest.mark.slow
def test_a_damaged_object_in_the_cache_of_dvc_is_found_and_the_command_that_is_told_heals_it(make_project, tmp_path):
    """Wherever the cache is. DVC takes a read-only object of it for whole: `dvc repro` alone says that all is up to date."""
    project, cache = make_project(), tmp_path / "shared"
    project.run("dvc", "cache", "dir", "--local", str(cache))
    project.repro()
    before = project.outputs()
    for name in "vocabulary.txt", "preprocessing.json":
        (damaged,) = (
            path for path in cache.glob("files/**/*")
            if path.is_file() and not path.stat().st_mode & 0o200 and path.read_bytes() == before[f"data/model/{name}"]
        )  # fmt: skip
        damaged.chmod(0o644)
        damaged.write_bytes(before[f"data/model/{name}"][:-10] + bytes(10))
        damaged.chmod(0o444)
        shutil.rmtree(project.folder / "data/model")
        project.run("dvc", "checkout")
        assert project.repro() == []
        printed = project.run("python", "-m", "sentiment.predict", "A wonderful film", status=1)
        assert printed.startswith(f"ERROR: data/model/{name} can't be read (its sha256 is not the one in SHA256SUMS); ")
        (command,) = re.findall("`(touch .*)`", printed)
        project.run("sh", "-c", command)
        assert project.outputs() == before
        shutil.rmtree(project.folder / "data/model")
        project.run("dvc", "checkout")
        assert project.outputs() == before
