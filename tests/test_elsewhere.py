"""The model in an earlier release of Keras."""

import numpy as np
import pytest

from sentiment.common.reviews import load_padded
from sentiment.inference.forward import probabilities
from sentiment.inference.saved_model import read_network

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

PREDICT = """
import keras, numpy
assert keras.__version__ == "3.6.0"
model = keras.saving.load_model("data/model/model.keras")
numpy.save("predicted.npy", model.predict(numpy.load("data/padded/validation.npz")["x"], verbose=0)[:, 0])
"""


def test_the_earliest_release_of_keras_that_is_told_opens_the_model_and_predicts_the_same(project, tmp_path):
    project.run("python", "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), "keras==3.6.0")
    project.run("python", "-c", PREDICT, PYTHONPATH=str(tmp_path))
    network = read_network(project.folder / "data/model/model.keras")
    expected = probabilities(network, load_padded(project.folder / "data/padded/validation.npz").x)
    np.testing.assert_allclose(np.load(project.folder / "predicted.npy"), expected, rtol=0, atol=1e-6)
