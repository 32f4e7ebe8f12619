"""Training: it computes what Keras would compute. That every processor computes the same is in test_processors.py."""

import json
import zipfile

import numpy as np
import pytest
from conftest import ROOT, Project

from sentiment.common.parameters import ModelSection, TrainSection, read_params
from sentiment.common.reviews import Padded
from sentiment.training import fit as training
from sentiment.training import logits, saving
from sentiment.training.reproducible import keras, tf

PARAMS = read_params(ROOT / "params.yaml")
MAXLEN, NUM_WORDS = 30, 50
# Four steps an epoch, the last one of 7 reviews.
N, EPOCHS = 3 * 32 + 7, 2
# Compiled in half the time.
IN_ONE_BATCH = {"batch_size": N + 1}
# All that a network can have.
EVERYTHING = {"bidirectional": True, "pooling": "max_mean", "dropout": 0.25, "output_dropout": 0.5}


def made_data(n: int, seed: int) -> Padded:
    """Padded reviews whose label the words tell, more or less."""
    random = np.random.default_rng(seed)
    x = random.integers(0, NUM_WORDS, (n, MAXLEN), np.int32)
    return Padded(x, (x.mean(axis=1) > NUM_WORDS / 2).astype(np.uint8))


def network(**changes: object) -> ModelSection:
    return ModelSection(**PARAMS.model.model_dump() | changes)


def settings(**changes: object) -> TrainSection:
    return TrainSection(**PARAMS.train.model_dump() | {"epochs": EPOCHS} | changes)


def new_model(model_params: ModelSection, train: TrainSection) -> keras.Model:
    return training.new_model(MAXLEN, NUM_WORDS, model_params, train, N)


@pytest.fixture
def float64():
    """Keras keeps a policy of its own from the first layer on that a process makes, whatever the default is then."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.mark.training
@pytest.mark.parametrize(
    ("changes", "train_changes"),
    [
        pytest.param({}, {}, id="the lesson"),
        pytest.param({"cell": "lstm", "pooling": "max"}, {"optimizer": "rmsprop"}, id="lstm"),
        pytest.param({"cell": "gru", "bidirectional": True, "pooling": "max_mean"}, {"schedule": "linear"}, id="gru"),
        pytest.param({"cell": "none", "pooling": "max_mean"}, {}, id="no cell"),
        pytest.param(
            {"input": "one_hot", "pooling": "mean"},
            {"optimizer": "sgd", "learning_rate": 0.5} | IN_ONE_BATCH,
            id="one-hot, in one batch",
        ),
    ],
)
def test_training_is_that_of_model_fit(float64, changes, train_changes):
    model_params, train = network(**changes), settings(**train_changes)
    (x, y), validation = made_data(N, 1), made_data(40, 2)
    fitted, trained = new_model(model_params, train), new_model(model_params, train)
    assert trained.compute_dtype == "float64"
    start = fitted.get_weights()
    expected = []
    for epoch in range(1, EPOCHS + 1):
        order = training.batch_order(N, train.seed, epoch)
        history = fitted.fit(x[order], y[order], train.batch_size, shuffle=False, verbose=0, validation_data=validation).history
        expected.append({name: values[0] for name, values in history.items()})
    history = list(training.fit(trained, model_params, Padded(x, y), validation, train))

    assert fitted.optimizer.iterations == trained.optimizer.iterations
    for ours, theirs, before in zip(trained.get_weights(), fitted.get_weights(), start, strict=True):
        assert np.abs(theirs - before).max() > 1e-4, "the weights must have moved for this to show anything"
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    for ours, theirs in zip(history, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.training
def test_dropout_is_of_the_embeddings_of_tokens_and_of_what_goes_into_the_last_layer(float64):
    model_params = network(cell="gru", **EVERYTHING)
    model = new_model(model_params, settings())
    embedding, dropout, *others, _, last = model.layers
    assert dropout.noise_shape == (None, MAXLEN, 1), "Keras, too, drops all of a token or nothing"
    ids = tf.constant(made_data(32, 1).x)
    mask, output_mask = (
        logits.dropout_mask(shape, rate, tf.constant([3, 0], tf.int64), model.compute_dtype)
        for shape, rate in ((ids.shape, 0.25), ((32, last.kernel.shape[0]), 0.5))
    )

    def expected() -> tf.Tensor:
        output = embedding(ids) * mask[:, :, tf.newaxis]
        for layer in others:
            output = layer(output)
        output = last(output * output_mask)
        return tf.squeeze(tf.math.log(output / (1 - output)), axis=1)

    def found() -> tf.Tensor:
        return logits.logits(model, model_params, ids, mask, output_mask)

    def with_gradients(function) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            output = function()
        gradients = tape.gradient(output, [variable.value for variable in model.trainable_variables])
        return [output, *map(tf.convert_to_tensor, gradients)]

    compiled = tf.function(with_gradients, jit_compile=True, autograph=False)
    for ours, theirs in zip(compiled(found), with_gradients(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_what_dropout_keeps_depends_on_seed_and_step_alone():
    compiled = tf.function(logits.dropout_mask, jit_compile=True, autograph=False)

    def draw(*seed: int) -> np.ndarray:
        return compiled((100, 100), 0.25, tf.constant(seed, tf.int64), "float32").numpy()

    assert set(np.unique(draw(3, 0))) == {0, np.float32(1 / 0.75)}
    assert draw(3, 0).mean() == pytest.approx(1, abs=0.02)
    assert (draw(3, 0) != draw(3, 1)).any() and (draw(3, 0) != draw(4, 0)).any()
    first = draw(2**32 - 1, 7)
    tf.random.set_seed(5)
    np.testing.assert_array_equal(draw(2**32 - 1, 7), first)


@pytest.mark.training
def test_each_dropout_changes_the_weights_and_none_the_validation():
    weights, train, validation = [], settings(epochs=1, **IN_ONE_BATCH), made_data(40, 2)
    for dropout in {}, {"dropout": 0.25}, {"output_dropout": 0.25}:
        model_params = network(**dropout)
        model = new_model(model_params, train)
        (row,) = training.fit(model, model_params, made_data(N, 1), validation, train)
        assert row["val_loss"] == pytest.approx(model.test_on_batch(*validation)[0], abs=1e-6)
        weights.append(model.get_weights()[0])
    none, of_tokens, of_outputs = weights
    assert (none != of_tokens).any() and (none != of_outputs).any() and (of_tokens != of_outputs).any()


@pytest.mark.training
def test_patience_ends_the_training_some_epochs_after_the_best_one_and_keeps_its_weights():
    data, model_params = (made_data(N, 1), made_data(10, 6)), network()
    train, patient = (settings(epochs=20, patience=patience, learning_rate=0.01, **IN_ONE_BATCH) for patience in (None, 3))
    model, history, weights = new_model(model_params, train), [], []
    for row in training.fit(model, model_params, *data, train):
        history.append(row)
        weights.append(model.get_weights())
    accuracies = [row["val_accuracy"] for row in history[:6]]
    assert accuracies.index(max(accuracies)) == 2 and accuracies[3] == accuracies[2], "the best epoch is the first of equals"

    model = new_model(model_params, patient)
    assert list(training.fit(model, model_params, *data, patient)) == history[:6]
    for ours, of_the_third in zip(model.get_weights(), weights[2], strict=True):
        np.testing.assert_array_equal(ours, of_the_third)


def test_the_order_of_the_batches_depends_on_seed_and_epoch_alone():
    np.random.seed(5)  # of the global generator: it must not count
    first = training.batch_order(N, seed=3, epoch=1)
    assert sorted(first) == list(range(N))
    np.testing.assert_array_equal(training.batch_order(N, seed=3, epoch=1), first)
    for other in training.batch_order(N, seed=3, epoch=2), training.batch_order(N, seed=4, epoch=1):
        assert (other != first).any()


@pytest.mark.training
def test_the_same_model_is_the_same_bytes_and_stock_keras_trains_it_on(tmp_path):
    contents, train = [], settings(epochs=1, **IN_ONE_BATCH)
    for name in "a.keras", "b.keras":
        model = new_model(network(), train)
        list(training.fit(model, network(), made_data(N, 1), made_data(40, 2), train))
        saving.save_model(model, tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    assert "date_saved" in json.loads(zipfile.ZipFile(tmp_path / "a.keras").read("metadata.json"))
    read = keras.saving.load_model(tmp_path / "a.keras")
    assert read.optimizer.iterations == 1, "the optimizer's state came with it"
    read.fit(*made_data(60, 3), verbose=0)


def test_the_learning_rate_is_that_of_keras_unless_the_parameters_give_one():
    for changes, rate in ({"optimizer": "rmsprop"}, 0.001), ({"optimizer": "sgd"}, 0.01), ({"learning_rate": 0.5}, 0.5):
        assert float(training.make_optimizer(settings(**changes), N).learning_rate) == pytest.approx(rate)


def test_a_linear_schedule_falls_from_the_learning_rate_to_zero_over_all_steps():
    optimizer = training.make_optimizer(settings(learning_rate=0.5, schedule="linear"), N)
    rates = []
    for step in range(2 * 4 + 1):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx(np.linspace(0.5, 0, 9))


@pytest.mark.pipeline
def test_a_terminal_shows_the_summary_and_a_progress_bar_with_loss_and_accuracy(project):
    in_a_terminal = "import pty; pty.spawn(['sh', '-c', 'stty cols 100 rows 24 && python -m stages.train'])"
    text = project.run("python", "-c", in_a_terminal)
    assert "Total params: " in text
    assert "epoch  2: loss 0." in text and "val_accuracy 0." in text
    assert "100%|" in text and "2/2" in text


def test_training_does_not_wait_for_what_keras_imports_for_tools_of_its_own_and_later_imports_find_it():
    code = (
        "import sys, stages.train; print({'matplotlib', 'pandas', 'sklearn'} & sys.modules.keys()); import matplotlib, sklearn"
    )
    assert Project(ROOT).run("python", "-c", code) == "set()\n"
