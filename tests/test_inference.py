"""The forward pass in NumPy is that of Keras, and that of the training: of every network that the parameters can describe."""

import itertools

import numpy as np
import pytest

from sentiment.common.parameters import ModelSection
from sentiment.inference import forward
from sentiment.inference.saved_model import read_network
from sentiment.training.logits import logits
from sentiment.training.network import build_model
from sentiment.training.reproducible import keras, tf
from sentiment.training.saving import save_model

pytestmark = pytest.mark.training

MAXLEN, NUM_WORDS = 7, 50
# By the names of the parameters: 48 networks.
NETWORKS = [
    dict(zip(("cell", "input", "bidirectional", "pooling"), values, strict=True))
    for values in itertools.product(
        ["simple_rnn", "lstm", "gru"], ["embedding", "one_hot"], [False, True], ["last", "max", "mean", "max_mean"]
    )
]


@pytest.fixture(autouse=True)
def eagerly():
    """Nothing is compiled: 100 networks would take minutes. What XLA makes of them is in test_training.py."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def set_dtype():
    def change(dtype: str) -> None:
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)

    yield change
    change("float32")


def parameters(dropout: float = 0.0, **network: object) -> ModelSection:
    return ModelSection(embedding_dim=5, units=3, dropout=dropout, output_dropout=dropout, **network)


def saved(path, model_params: ModelSection) -> keras.Model:
    """A model with random weights, all of them other than 0, saved at the path."""
    random = np.random.default_rng(0)
    model = build_model(MAXLEN, NUM_WORDS, model_params, seed=1)
    model.set_weights([random.normal(size=weights.shape) for weights in model.get_weights()])
    save_model(model, path)
    return model


def ids_of(n: int) -> np.ndarray:
    """More reviews than are computed at a time, with padding in front of some."""
    random = np.random.default_rng(1)
    ids = random.integers(1, NUM_WORDS, (n, MAXLEN), np.int32)
    ids[np.arange(MAXLEN) < random.integers(0, MAXLEN + 1, (n, 1))] = 0
    return ids


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: " ".join(map(str, network.values())))
def test_a_saved_network_gives_the_probabilities_of_keras_and_the_logits_of_the_training(tmp_path, set_dtype, network):
    """Both compute in float64, as the forward pass does, so that what is left is the last bits of sums."""
    model_params, ids = parameters(**network), ids_of(forward.REVIEWS_AT_ONCE + 20)
    weights = saved(tmp_path / "model.keras", model_params).get_weights()
    read = read_network(tmp_path / "model.keras")
    ours = forward.logits(read, ids)
    assert ours.std() > 0.1, "the reviews must differ for this to show anything"

    set_dtype("float64")
    model = build_model(MAXLEN, NUM_WORDS, model_params, seed=1)
    model.set_weights(weights)
    assert model.compute_dtype == "float64"
    np.testing.assert_allclose(forward.sigmoid(ours), model(ids).numpy()[:, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours, logits(model, model_params, tf.constant(ids)), rtol=0, atol=1e-12)
    # What `predict` and `metrics.json` have.
    np.testing.assert_allclose(forward.probabilities(read, ids), model(ids).numpy()[:, 0], rtol=0, atol=1e-10)
    assert forward.model_size(read, ids)["parameters"] == model.count_params()


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: " ".join(map(str, network.values())))
def test_dropout_is_of_the_training_alone(tmp_path, network):
    with_dropout, without = tmp_path / "with.keras", tmp_path / "without.keras"
    model = saved(with_dropout, parameters(dropout=0.3, **network))
    saved(without, parameters(**network))
    assert sum(layer.name in ("dropout", "output_dropout") for layer in model.layers) == 2
    ids = ids_of(20)
    ours = forward.logits(read_network(with_dropout), ids)
    np.testing.assert_array_equal(ours, forward.logits(read_network(without), ids))
    np.testing.assert_allclose(forward.sigmoid(ours), model(ids).numpy()[:, 0], rtol=0, atol=1e-6)


def test_no_reviews_have_no_probabilities(tmp_path):
    saved(tmp_path / "model.keras", parameters(**NETWORKS[0]))
    read = read_network(tmp_path / "model.keras")
    assert forward.probabilities(read, ids_of(0)).shape == (0,)


@pytest.mark.parametrize("size", [-1e6, -800, 0, 800, 1e6])
@pytest.mark.filterwarnings("error")
def test_the_sigmoid_never_overflows(size):
    assert forward.sigmoid(np.float64(size)) == {-1: 0, 0: 0.5, 1: 1}[np.sign(size)]
