"""A model that is taken along: predictions where only the package is installed, and the model in other releases of Keras."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
from conftest import Project, copy_of_project

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

TEXTS = "A wonderful film", "Awful, boring", "Xqzt"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Project:
    """An empty folder, and an environment of its own in which the package is installed from its wheel, and nothing besides."""
    checkout, wheels, folder = (tmp_path_factory.mktemp(name) for name in ("checkout", "wheels", "elsewhere"))
    copy_of_project(checkout)
    project = Project(folder)
    project.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(checkout))
    shutil.rmtree(checkout)
    venv.create(folder / "env", with_pip=True)
    (wheel,) = wheels.glob("imdb_sentiment-*.whl")
    project.run("env/bin/python", "-m", "pip", "install", "--quiet", str(wheel))
    project.environment["PATH"] = f"{folder}/env/bin:/usr/bin:/bin"
    return project


def test_the_installed_command_predicts_what_the_project_predicts_without_its_packages(installed, make_finished_project):
    project = make_finished_project()
    model = shutil.copytree(project.folder / "data/model", installed.folder / "model")
    command = "python", "-m", "sentiment.predict", "--json", *TEXTS
    expected = project.run(*command)
    assert installed.run("imdb-sentiment", "--model", "model", "--json", *TEXTS) == expected
    assert installed.run("python", "-m", "sentiment.predict", "--model", str(model), "--json", *TEXTS) == expected
    packages = json.loads(installed.run("python", "-m", "pip", "list", "--format=json", "--disable-pip-version-check"))
    names = {package["name"].lower().replace("_", "-") for package in packages} - {"pip", "setuptools"}
    assert names == {
        "imdb-sentiment", "numpy", "h5py", "pydantic",
        "annotated-types", "pydantic-core", "typing-extensions", "typing-inspection",
    }  # fmt: skip


def test_the_installed_command_tells_its_faults_in_sentences(installed):
    assert installed.run("imdb-sentiment", "text", status=1).startswith("ERROR: data/model has no model: ")
    assert "usage: " in installed.run("imdb-sentiment", "--threshold", "2", "text", status=2)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    """The lesson's network, and one with all that a network can have."""
    from sentiment.common.parameters import ModelSection, TrainSection
    from sentiment.training.fit import new_model
    from sentiment.training.saving import save_model

    train = TrainSection(
        optimizer="adam", learning_rate=None, schedule="linear", epochs=1, batch_size=32, seed=0, patience=None
    )
    lesson = {
        "input": "embedding", "embedding_dim": 32, "cell": "simple_rnn", "units": 8, "bidirectional": False, "pooling": "last",
        "dropout": 0.0, "output_dropout": 0.0,
    }  # fmt: skip
    everything = {"cell": "gru", "bidirectional": True, "pooling": "max_mean", "dropout": 0.3, "output_dropout": 0.3}
    paths = {}
    for name, values in {"lesson": lesson, "everything": lesson | everything, "one_hot": lesson | {"input": "one_hot"}}.items():
        paths[name] = tmp_path_factory.mktemp(name) / "model.keras"
        save_model(new_model(20, 100, ModelSection(**values), train, 1000), paths[name])
    return paths


@pytest.mark.parametrize("release", ["3.6.0", "3.10.0", "3.14.0"])
def test_earlier_releases_of_keras_open_the_model_and_predict_the_same(models, tmp_path, release):
    from sentiment.inference.forward import probabilities
    from sentiment.inference.saved_model import read_network

    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path / "keras")]
    subprocess.run([*install, f"keras=={release}"], check=True)
    ids = np.random.default_rng(0).integers(0, 100, (50, 20), np.int32)
    np.save(tmp_path / "ids.npy", ids)
    script = (
        "import sys, keras, numpy\n"
        f"assert keras.__version__ == '{release}'\n"
        "ids = numpy.load('ids.npy')\n"
        "for path in sys.argv[1:]:\n"
        "    numpy.save(path + '.npy', keras.saving.load_model(path).predict(ids, verbose=0)[:, 0])\n"
    )
    Project(tmp_path).run("python", "-c", script, *map(str, models.values()), PYTHONPATH=str(tmp_path / "keras"))
    for path in models.values():
        predicted = np.load(f"{path}.npy")
        np.testing.assert_allclose(predicted, probabilities(read_network(path), ids), rtol=0, atol=1e-6)
