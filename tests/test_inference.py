"""The forward pass in NumPy is that of Keras, and that of the training: of every network that the parameters can describe."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations, product
from typing import get_args

import numpy as np
import pytest
from pydantic import ValidationError

from sentiment.common.parameters import ModelSection
from sentiment.inference import forward
from sentiment.inference.saved_model import read_network
from sentiment.training.logits import logits
from sentiment.training.network import build_model, cell_weights
from sentiment.training.reproducible import keras, tf
from sentiment.training.saving import save_model

MAXLEN, NUM_WORDS = 7, 50
# By the names of the parameters.
VALUES = {name: get_args(ModelSection.model_fields[name].annotation) for name in ("cell", "input", "pooling")} | {
    "bidirectional": [False, True],
    "dropout": [0.0, 0.3],
    "output_dropout": [0.0, 0.3],
}


def is_allowed(network: dict) -> bool:
    with suppress(ValidationError):
        return bool(ModelSection(embedding_dim=5, units=3, **network))
    return False


def in_pairs() -> Iterator[dict]:
    """Few of all networks: any two values of two parameters stand together in one of them."""

    def pairs(network: dict) -> set:
        return {*combinations(network.items(), 2)}

    networks = [dict(zip(VALUES, values, strict=True)) for values in product(*VALUES.values())]
    networks = [network for network in networks if is_allowed(network)]
    left = set().union(*map(pairs, networks))
    while left:
        yield (network := max(networks, key=lambda network: len(pairs(network) & left)))
        left -= pairs(network)


@pytest.fixture
def set_dtype():
    """Nothing is compiled, which would take minutes. What XLA makes of the networks is in test_training.py."""

    def change(dtype: str) -> None:
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)

    tf.config.run_functions_eagerly(True)
    yield change
    tf.config.run_functions_eagerly(False)
    change("float32")


@pytest.mark.training
@pytest.mark.parametrize("network", list(in_pairs()), ids=lambda network: " ".join(map(str, network.values())))
def test_a_saved_network_gives_the_probabilities_of_keras_and_the_logits_of_the_training(tmp_path, set_dtype, network):
    """Both compute in float64, as the forward pass does, so that what is left is the last bits of sums."""
    model_params, random = ModelSection(embedding_dim=5, units=3, **network), np.random.default_rng(0)
    model = build_model(MAXLEN, NUM_WORDS, model_params, seed=1)
    model.set_weights([random.normal(size=weights.shape) for weights in model.get_weights()])
    save_model(model, tmp_path / "model.keras")
    read = read_network(tmp_path / "model.keras")
    # More reviews than are computed at a time, with padding in front of some.
    ids = random.integers(1, NUM_WORDS, (forward.REVIEWS_AT_ONCE + 20, MAXLEN), np.int32)
    ids[np.arange(MAXLEN) < random.integers(0, MAXLEN + 1, (len(ids), 1))] = 0
    ours = forward.logits(read, ids)
    assert ours.std() > 0.1, "the reviews must differ for this to show anything"
    stock = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(forward.sigmoid(ours), stock(ids).numpy()[:, 0], rtol=0, atol=1e-6)

    set_dtype("float64")
    exact = build_model(MAXLEN, NUM_WORDS, model_params, seed=1)
    exact.set_weights(model.get_weights())
    assert exact.compute_dtype == "float64"
    np.testing.assert_allclose(forward.sigmoid(ours), exact(ids).numpy()[:, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours, logits(exact, model_params, tf.constant(ids)), rtol=0, atol=1e-12)
    # What `predict` and `metrics.json` have.
    np.testing.assert_allclose(forward.probabilities(read, ids), exact(ids).numpy()[:, 0], rtol=0, atol=1e-10)
    assert forward.probabilities(read, ids[:0]).shape == (0,)
    assert forward.model_size(read, ids)["parameters"] == model.count_params()
    kernels = [kernel.numpy() for kernel, _, _ in cell_weights(model, model_params)]
    vectors = np.hstack(kernels) if model_params.input == "one_hot" else model.layers[0].embeddings.numpy()
    np.testing.assert_array_equal(forward.word_vectors(read), vectors)


@pytest.mark.filterwarnings("error")
def test_the_sigmoid_never_overflows():
    assert forward.sigmoid(np.array([-1e6, -800, 0, 800, 1e6])).tolist() == [0, 0, 0.5, 1, 1]
