import itertools
import json
import os
import pty
import shutil
import subprocess
import sys
import sysconfig
import termios
import zipfile

import numpy as np
import pytest
from conftest import ROOT, Project
from helpers import is_missing

from sentiment.common.files import write_json
from sentiment.common.parameters import ModelSection, TrainSection
from sentiment.common.reviews import Padded, save_padded
from sentiment.common.vocabulary import vocabulary_sha256, write_vocabulary
from sentiment.training import fit as training
from sentiment.training import logits, network, saving
from sentiment.training.reproducible import keras, tf

MAXLEN, NUM_WORDS = 30, 50
# 10 steps an epoch, the last one of 7 reviews.
N, BATCH_SIZE, EPOCHS = 9 * 32 + 7, 32, 5


def made_data(n: int, seed: int) -> Padded:
    """Padded reviews whose label the words tell, more or less."""
    random = np.random.default_rng(seed)
    x = random.integers(0, NUM_WORDS, (n, MAXLEN), np.int32)
    return Padded(x, (x.mean(axis=1) > NUM_WORDS / 2).astype(np.uint8))


def made_model(cell: str, train: TrainSection | None = None, **changes: object) -> tuple[keras.Model, ModelSection]:
    """A model of the test's size, with these changes of its parameters; and its parameters."""
    values = {
        "input": "embedding",
        "embedding_dim": 16,
        "cell": cell,
        "units": 8,
        "bidirectional": False,
        "pooling": "last",
        "dropout": 0.0,
        "output_dropout": 0.0,
    }
    model_params = ModelSection(**values | changes)
    model = network.build_model(MAXLEN, NUM_WORDS, model_params, seed=1)
    optimizer = training.make_optimizer(train or params(), N)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model, model_params


def params(**changes: object) -> TrainSection:
    values = {
        "optimizer": "adam",
        "learning_rate": None,
        "schedule": "constant",
        "epochs": EPOCHS,
        "batch_size": BATCH_SIZE,
        "seed": 3,
        "patience": None,
    }
    return TrainSection(**values | changes)


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
    ("cell", "changes", "train_changes"),
    [
        *itertools.product(["simple_rnn", "lstm", "gru"], [{"input": "embedding"}, {"input": "one_hot"}], [{}]),
        ("lstm", {}, {"optimizer": "rmsprop"}),
        ("gru", {"input": "one_hot"}, {"optimizer": "sgd"}),
        ("simple_rnn", {"bidirectional": True}, {"schedule": "linear"}),
        pytest.param("lstm", {"bidirectional": True}, {"schedule": "linear"}, marks=pytest.mark.slow),
        pytest.param("gru", {"bidirectional": True}, {"schedule": "linear"}, marks=pytest.mark.slow),
        ("lstm", {"pooling": "max"}, {}),
        ("gru", {"pooling": "mean"}, {}),
        ("gru", {"bidirectional": True, "pooling": "max_mean"}, {"schedule": "linear"}),
        ("simple_rnn", {"input": "one_hot", "bidirectional": True, "pooling": "max_mean"}, {"optimizer": "rmsprop"}),
    ],
)
def test_training_is_that_of_model_fit(float64, cell, changes, train_changes):
    (x, y), validation = made_data(N, 1), made_data(100, 2)
    train = params(**train_changes)
    (fitted, _), (trained, model_params) = (made_model(cell, train, **changes) for _ in range(2))
    assert trained.compute_dtype == "float64"
    start = fitted.get_weights()
    expected = []
    for epoch in range(1, EPOCHS + 1):
        batches = training.batch_order(N, 3, epoch)
        history = fitted.fit(x[batches], y[batches], BATCH_SIZE, shuffle=False, verbose=0, validation_data=validation).history
        expected.append({name: values[0] for name, values in history.items()})
    history = list(training.fit(trained, model_params, Padded(x, y), validation, train))

    assert fitted.optimizer.iterations == trained.optimizer.iterations == 50
    for ours, theirs, before in zip(trained.get_weights(), fitted.get_weights(), start, strict=True):
        assert np.abs(theirs - before).max() > 1e-4, "the weights must have moved for this to show anything"
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    for ours, theirs in zip(history, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-9)


NETWORKS = [
    *itertools.product(["simple_rnn", "lstm", "gru"], [{"input": "embedding"}, {"input": "one_hot"}]),
    ("lstm", {"bidirectional": True}),
    ("gru", {"bidirectional": True, "pooling": "max"}),
    ("gru", {"pooling": "mean"}),
    ("gru", {"bidirectional": True, "pooling": "max_mean"}),
]


@pytest.mark.training
@pytest.mark.slow
@pytest.mark.parametrize(("cell", "changes"), NETWORKS)
def test_the_logits_are_those_of_the_keras_model(cell, changes):
    model, model_params = made_model(cell, dropout=0.5, output_dropout=0.5, **changes)
    x, _ = made_data(77, 1)
    found = logits.compile_logits(model, model_params)(tf.constant(x)).numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-found)), model.predict(x, verbose=0)[:, 0], atol=1e-6)


@pytest.mark.training
@pytest.mark.parametrize(
    ("cell", "changes"),
    [("simple_rnn", {}), ("lstm", {}), ("gru", {}), ("gru", {"bidirectional": True, "pooling": "max_mean"})],
)
def test_dropout_is_of_the_embeddings_of_tokens_and_of_what_goes_into_the_last_layer(float64, cell, changes):
    model, model_params = made_model(cell, dropout=0.25, output_dropout=0.5, **changes)
    ids = tf.constant(made_data(BATCH_SIZE, 1)[0])
    mask, output_mask = (
        logits.dropout_mask(shape, rate, tf.constant([3, 0], tf.int64), model.compute_dtype)
        for shape, rate in ((ids.shape, 0.25), ((BATCH_SIZE, model.layers[-1].kernel.shape[0]), 0.5))
    )
    embedding, dropout, *others, _, last = model.layers
    assert dropout.noise_shape == (None, MAXLEN, 1), "Keras, too, drops all of a token or nothing"

    def expected() -> tf.Tensor:
        output = embedding(ids) * mask[:, :, tf.newaxis]
        for layer in others:
            output = layer(output)
        output = last(output * output_mask)
        return tf.squeeze(tf.math.log(output / (1 - output)), axis=1)

    def with_gradients(function) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            output = function()
        gradients = tape.gradient(output, [variable.value for variable in model.trainable_variables])
        return [output, *map(tf.convert_to_tensor, gradients)]

    compiled = tf.function(with_gradients, jit_compile=True, autograph=False)
    found = with_gradients(expected), compiled(lambda: logits.logits(model, model_params, ids, mask, output_mask))
    for ours, theirs in zip(*found, strict=True):
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
@pytest.mark.slow
def test_dropout_makes_other_weights_and_the_same_ones_each_time():
    def trained(**dropouts: float) -> np.ndarray:
        model, model_params = made_model("gru", **dropouts)
        list(training.fit(model, model_params, made_data(N, 1), made_data(100, 2), params(epochs=2)))
        return np.concatenate([array.ravel() for array in model.get_weights()])

    none, of_tokens, of_outputs = trained(), trained(dropout=0.25), trained(output_dropout=0.25)
    np.testing.assert_array_equal(trained(dropout=0.25), of_tokens)
    np.testing.assert_array_equal(trained(output_dropout=0.25), of_outputs)
    assert (none != of_tokens).any() and (none != of_outputs).any() and (of_tokens != of_outputs).any()


@pytest.mark.training
@pytest.mark.parametrize("patience", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_patience_is_that_of_early_stopping(patience):
    data, epochs = (made_data(N, 1), made_data(40, 2)), 20
    (stopped, model_params), (trained, _) = made_model("gru"), made_model("gru")
    stopping = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=patience, restore_best_weights=True)
    stopping.set_model(stopped)
    stopping.on_train_begin()
    expected = []
    for row in training.fit(stopped, model_params, *data, params(epochs=epochs)):
        stopping.on_epoch_end(len(expected), row)
        expected.append(row)
        if stopped.stop_training:
            break
    last = stopped.get_weights()
    stopping.on_train_end()

    assert list(training.fit(trained, model_params, *data, params(epochs=epochs, patience=patience))) == expected
    assert any((best != of_last).any() for best, of_last in zip(stopped.get_weights(), last, strict=True))
    for ours, theirs in zip(trained.get_weights(), stopped.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.training
def test_a_batch_may_be_larger_than_the_data():
    model, model_params = made_model("simple_rnn", params(optimizer="sgd"))
    before = model.get_weights()
    (row,) = training.fit(model, model_params, made_data(20, 1), made_data(10, 2), params(optimizer="sgd", epochs=1))
    assert np.isfinite(row["loss"])
    assert any((now != then).any() for now, then in zip(model.get_weights(), before, strict=True))


def test_the_order_of_the_batches_depends_on_seed_and_epoch_alone():
    np.random.seed(5)  # of the global generator: it must not count
    first = training.batch_order(N, seed=3, epoch=1)
    assert sorted(first) == list(range(N))
    np.testing.assert_array_equal(training.batch_order(N, seed=3, epoch=1), first)
    for other in training.batch_order(N, seed=3, epoch=2), training.batch_order(N, seed=4, epoch=1):
        assert (other != first).any()


@pytest.mark.training
@pytest.mark.parametrize(
    ("cell", "changes", "train"),
    [
        ("lstm", {}, params(epochs=1)),
        (
            "gru",
            {"bidirectional": True, "pooling": "max_mean", "dropout": 0.25, "output_dropout": 0.25},
            params(epochs=1, schedule="linear"),
        ),
    ],
)
def test_the_same_model_is_the_same_bytes_and_stock_keras_reads_it(tmp_path, cell, changes, train):
    contents = []
    for name in "a.keras", "b.keras":
        model, model_params = made_model(cell, train, **changes)
        list(training.fit(model, model_params, made_data(N, 1), made_data(100, 2), train))
        saving.save_model(model, tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    assert "date_saved" in json.loads(zipfile.ZipFile(tmp_path / "a.keras").read("metadata.json"))
    x, y = made_data(60, 3)
    read = keras.saving.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(read.predict(x, verbose=0), model.predict(x, verbose=0))
    read.fit(x, y, verbose=0)  # the optimizer's state came with it


@pytest.mark.training
def test_the_learning_rate_is_that_of_keras_unless_the_parameters_give_one():
    assert float(training.make_optimizer(params(optimizer="rmsprop"), N).learning_rate) == pytest.approx(0.001)
    assert float(training.make_optimizer(params(optimizer="sgd"), N).learning_rate) == pytest.approx(0.01)
    assert float(training.make_optimizer(params(learning_rate=0.5), N).learning_rate) == pytest.approx(0.5)


@pytest.mark.training
def test_a_linear_schedule_falls_from_the_learning_rate_to_zero_over_all_steps():
    train = params(learning_rate=0.5, schedule="linear", epochs=3)
    model, model_params = made_model("simple_rnn", train)
    rates = []
    for _ in training.fit(model, model_params, made_data(N, 1), made_data(10, 2), train):
        rates.append(float(model.optimizer.learning_rate))
    assert rates == pytest.approx([0.5 * 2 / 3, 0.5 / 3, 0])


@pytest.mark.pipeline
def test_a_terminal_shows_the_summary_and_a_progress_bar_with_loss_and_accuracy(make_project):
    project = make_project()
    project.run("dvc", "repro", "--quiet", "pad")
    master, terminal = pty.openpty()
    termios.tcsetwinsize(master, (24, 100))
    with subprocess.Popen(
        ["python", "-m", "stages.train"], cwd=project.folder, env=project.environment, stdout=terminal, stderr=terminal
    ):
        os.close(terminal)
        printed = b""
        try:
            while piece := os.read(master, 65536):
                printed += piece
        except OSError:  # how Linux says that the other end has closed
            os.close(master)
    text = printed.decode(errors="replace")
    assert "Total params: " in text
    assert "epoch  2: loss 0." in text and "val_accuracy 0." in text
    assert "100%|" in text and "2/2" in text


SMALL = {"model__cell": "simple_rnn"}
LARGE = {"model__cell": "lstm", "model__units": 64}
# With all that a network can have.
POOLED = {
    "model__cell": "gru",
    "model__bidirectional": True,
    "model__pooling": "max_mean",
    "model__dropout": 0.3,
    "model__output_dropout": 0.3,
    "train__schedule": "linear",
}


@pytest.fixture(scope="module", params=[SMALL, LARGE, POOLED], ids=["small", "large", "pooled"])
def sized_project(request, make_project):
    """A project that has run on made ids of all words, with sums as long as those of the real reviews.

    Between them, the small and the large network changed with each setting of training/reproducible.py that the bytes
    depend on, with Keras's own orthogonal initialiser, and with a product that was left to Eigen.
    """
    project = make_project()
    project.set_params(split__num_words=1000, pad__maxlen=100, train__epochs=1, **request.param)
    project.run("dvc", "repro", "--quiet", "pad")
    reviews, words = project.folder / "data/reviews", [b"word%d" % rank for rank in range(1, 1001)]
    write_vocabulary(reviews / "vocabulary.txt", words)
    encoding = json.loads((reviews / "tokenizer.json").read_text())
    write_json(reviews / "tokenizer.json", encoding | {"vocabulary_sha256": vocabulary_sha256(words)})
    random = np.random.default_rng(0)
    for name, n in ("train", 250), ("validation", 50):
        x, y = random.integers(20, 1000, (n, 100), np.int32), random.integers(0, 2, n, np.uint8)
        # evaluate takes each token from each review without padding: on an emulated processor two are enough.
        x[2 if name == "validation" else n :, 0] = 0
        save_padded(project.folder / f"data/padded/{name}.npz", Padded(x, y))
    return project, rerun(project, "python")


def rerun(project, *python: str, **environment: str) -> dict[str, bytes]:
    for stage in "train", "evaluate":
        project.run(*python, "-m", f"stages.{stage}", **environment)
    return project.outputs()


@pytest.mark.pipeline
@pytest.mark.slow
def test_the_environment_decides_no_byte(sized_project, tmp_path):
    project, outputs = sized_project
    (tmp_path / "keras.json").write_text('{"floatx": "float64", "backend": "jax", "epsilon": 0.1}')
    assert outputs == rerun(project, "python", TF_ENABLE_ONEDNN_OPTS="0", PYTHONHASHSEED="1", LC_ALL="C", MPLBACKEND="svg")
    switches = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_NUM_INTRAOP_THREADS": "8", "TZ": "Asia/Tokyo", "OMP_NUM_THREADS": "1"}
    assert outputs == rerun(
        project,
        "python",
        **switches,
        XLA_FLAGS="--xla_cpu_max_isa=SSE4_2 --xla_cpu_enable_fast_math=true --xla_cpu_use_fusion_emitters=false "
        "--xla_backend_optimization_level=0 --xla_of_no_release=true",
        TF_XLA_FLAGS="--tf_xla_enable_xla_devices=true",
        DNNL_MAX_CPU_ISA="SSE41",
        KERAS_HOME=str(tmp_path),
        KERAS_NNX_ENABLED="true",
        PYTHONWARNINGS="error",
    )


def emulated(processor: str) -> list[str]:
    """What runs Python on an emulated processor.

    qemu runs the interpreter itself, which finds the packages of its virtual environment through PYTHONPATH alone.
    """
    if not shutil.which("qemu-x86_64"):
        is_missing("qemu-x86_64 (Debian's package qemu-user) is not installed")
    return ["qemu-x86_64", "-cpu", processor, os.path.realpath(sys.executable)]


@pytest.mark.pipeline
@pytest.mark.slow
@pytest.mark.parametrize(
    ("sized_project", "processor"),
    [
        pytest.param(SMALL, "EPYC-Milan,legacy-cache=on", id="small, AMD with a level 1 cache of 64 KiB"),
        pytest.param(LARGE, "Haswell", id="large, Intel with 32 KiB"),
        pytest.param(POOLED, "Haswell", id="pooled, Intel with 32 KiB"),
    ],
    indirect=["sized_project"],
)
def test_another_processor_with_avx2_gives_the_same_bytes(sized_project, processor):
    """Emulated processors, which have AVX2 and nothing newer. One process runs both stages, and imports TensorFlow once."""
    project, outputs = sized_project
    both = "import stages.train as train, stages.evaluate as evaluate; train.main(); evaluate.main()"
    project.run(*emulated(processor), "-c", both, PYTHONPATH=sysconfig.get_path("purelib"))
    assert project.outputs() == outputs


@pytest.mark.pipeline
@pytest.mark.slow
def test_a_processor_without_avx2_is_told(make_project):
    """This one has no AVX either: TensorFlow itself would end with an illegal instruction."""
    printed = make_project().run(*emulated("Nehalem"), "-m", "stages.train", status=1, PYTHONPATH=sysconfig.get_path("purelib"))
    assert printed.splitlines()[-1].startswith("ERROR: This processor has no AVX2, which training needs: ")
    assert "Traceback" not in printed


@pytest.mark.pipeline
@pytest.mark.slow
@pytest.mark.parametrize("processor", ["Nehalem", "SandyBridge"])
def test_predictions_and_metrics_need_no_avx2_and_are_the_same_bytes(make_finished_project, processor):
    project = make_finished_project()
    predict = "-m", "sentiment.predict", "--json", "A wonderful film", "Awful and boring, a waste"
    predicted, outputs = project.run("python", *predict).splitlines(), project.outputs()
    printed = project.run(*emulated(processor), *predict, PYTHONPATH=sysconfig.get_path("purelib")).splitlines()
    assert len(predicted) == 2
    assert printed[-2:] == predicted, "after qemu's own warnings"
    project.run(*emulated(processor), "-m", "stages.evaluate", PYTHONPATH=sysconfig.get_path("purelib"))
    assert project.outputs() == outputs


@pytest.mark.training
def test_an_arm64_processor_needs_no_avx2():
    """This processor under another name, its AVX2 hidden from NumPy, which the first run shows."""
    script, hidden = "import platform; platform.machine = lambda: {!r}; import sentiment.training.reproducible", "X86_V3"
    printed = Project(ROOT).run("python", "-c", script.format("x86_64"), status=1, NPY_DISABLE_CPU_FEATURES=hidden)
    assert "This processor has no AVX2" in printed
    Project(ROOT).run("python", "-c", script.format("aarch64"), NPY_DISABLE_CPU_FEATURES=hidden)
