"""Train the recurrent network on the padded reviews.

Takes data/padded/{train,validation}.npz and the vocabulary. Writes data/model, which is whole in itself: model.keras,
preprocessing.json (how a text becomes the model's input) and vocabulary.txt; and the history of the training:
plots/history.csv, plots/loss.png, plots/accuracy.png.

`model.fit` would start thousands of tiny operations for every batch, and they would take most of its time. Here, XLA
compiles a whole epoch into one program; the mathematics is that of `model.fit` (tests/test_train.py).
"""

import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator
from tqdm import tqdm

from stages import StageError
from stages.figures import TRAINING, VALIDATION, new_figure, save_figure
from stages.files import load_arrays, write_csv, written_whole
from stages.network import build_model, compile_logits, draw_kept, logits
from stages.params import ModelSection, TrainSection, read_params
from stages.pinned_tensorflow import keras, tf

PADDED = Path("data/padded")
VOCABULARY = Path("data/reviews/vocabulary.txt")
MODEL = Path("data/model")
PLOTS = Path("plots")

# A row of the history: an epoch's loss and accuracy, each on the training and on the validation reviews.
COLUMNS = "loss", "accuracy", "val_loss", "val_accuracy"


def make_optimizer(train: TrainSection) -> keras.optimizers.Optimizer:
    """The optimizer of this name, with Keras's default learning rate where the parameters give none."""
    # Without a name of its own, the second optimizer of a process would get another one, which goes into model.keras.
    config: dict[str, str | float] = {"name": train.optimizer}
    if train.learning_rate is not None:
        config["learning_rate"] = train.learning_rate
    return keras.optimizers.get({"class_name": train.optimizer, "config": config})


def compiled_model(maxlen: int, num_words: int, described: ModelSection, train: TrainSection) -> keras.Model:
    """The network with the weights that it starts from, and its optimizer."""
    model = build_model(maxlen, num_words, described, train.seed)
    model.compile(make_optimizer(train), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def fit(
    model: keras.Model,
    training: Sequence[np.ndarray],
    validation: Sequence[np.ndarray],
    train: TrainSection,
) -> Iterator[dict[str, float]]:
    """Train a compiled model in place, and give a row of the history, a dict of COLUMNS, after each epoch.

    Both data sets are ids, int32 (n, maxlen), and labels, uint8 (n,). The batches of an epoch are taken in an order that
    the seed and the number of the epoch alone decide. The training loss and accuracy are means over the epoch, as each
    batch came to its turn; the validation ones are those of the weights at its end. With patience, the model is left with
    the weights of its best epoch, the first of equals, as by Keras's EarlyStopping.

    Raises:
        StageError: the loss is no longer a finite number.
    """
    train_epoch = compile_epoch(model, train.batch_size, train.seed)
    all_logits = compile_logits(model)
    ids, labels = map(tf.constant, training)
    validation_ids, positive = tf.constant(validation[0]), validation[1] > 0
    best_epoch, best_accuracy, best_weights = 0, -1.0, model.get_weights()
    for epoch in range(1, train.epochs + 1):
        order = np.random.RandomState([train.seed, epoch]).permutation(len(labels)).astype(np.int32)
        loss, accuracy = map(float, train_epoch(ids, labels, tf.constant(order)))
        output = all_logits(validation_ids).numpy().astype(np.float64)
        if not np.isfinite([loss, *output]).all():
            raise StageError(
                f"The loss is no finite number any more after epoch {epoch}, with a learning rate of "
                f"{float(model.optimizer.learning_rate):g}; try a lower `train.learning_rate`."
            )
        # The binary cross-entropy of sigmoid(z) is log(1 + exp(-z)) for a positive review and log(1 + exp(z)) for a negative.
        val_loss = np.logaddexp(0, np.where(positive, -output, output)).mean()
        val_accuracy = ((output > 0) == positive).mean()
        yield dict(zip(COLUMNS, (loss, accuracy, float(val_loss), float(val_accuracy)), strict=True))
        if train.patience and val_accuracy > best_accuracy:
            best_epoch, best_accuracy, best_weights = epoch, val_accuracy, model.get_weights()
        if train.patience and epoch - best_epoch == train.patience:
            break
    if train.patience:
        model.set_weights(best_weights)


def compile_epoch(model: keras.Model, batch_size: int, seed: int) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """A function that trains a compiled Keras model for one epoch, as one program of XLA.

    It takes ids, int32 (n, maxlen), labels, uint8 (n,), and the order of the reviews, int32 (n,). The last batch of an
    epoch has what is left. It gives the loss and the accuracy, means over the reviews as each batch came to its turn.
    Dropout, if the model has it, depends on the seed and the number of the step, counted from the first epoch on.
    """
    model.optimizer.build(model.trainable_variables)
    dropout = sum(layer.rate for layer in model.layers if layer.name == "dropout")

    def train_batch(ids: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        kept = None
        if dropout:
            step = tf.cast(model.optimizer.iterations, tf.int64)
            kept = draw_kept(ids.shape, dropout, tf.stack([seed, step]), model.compute_dtype)
        with tf.GradientTape() as tape:
            output = logits(model, ids, kept)
            losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, output.dtype), output)
            loss = tf.reduce_mean(losses)
        variables = model.trainable_variables
        model.optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast((output > 0) == (labels > 0), tf.int32))

    @tf.function(jit_compile=True, autograph=False)
    def train_epoch(ids: tf.Tensor, labels: tf.Tensor, order: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        n = order.shape[0]
        steps, rest = divmod(n, batch_size)
        batches = tf.reshape(order[: n - rest], (steps, batch_size))

        def train_step(step: tf.Tensor, loss: tf.Tensor, correct: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            batch_loss, batch_correct = train_batch(tf.gather(ids, batches[step]), tf.gather(labels, batches[step]))
            return step + 1, loss + batch_loss, correct + batch_correct

        loss, correct = tf.zeros((), model.compute_dtype), tf.zeros((), tf.int32)
        if steps:
            _, loss, correct = tf.while_loop(lambda step, *_: step < steps, train_step, (0, loss, correct))
        if rest:
            batch_loss, batch_correct = train_batch(tf.gather(ids, order[-rest:]), tf.gather(labels, order[-rest:]))
            loss, correct = loss + batch_loss, correct + batch_correct
        return loss / n, correct / n

    return train_epoch


def save_model(model: keras.Model, path: Path) -> None:
    """Save as Keras does, but so that the same model is the same bytes (Keras issues 15143 and 15948).

    Keras writes `date_saved` into metadata.json, memory addresses as `shared_object_id` into config.json, and the time
    at which the archive got each of its members.
    """
    numbers: dict[bytes, bytes] = {}
    with written_whole(path) as part, tempfile.TemporaryDirectory(".part", dir=part.parent) as folder:
        saved = Path(folder, "model.keras")
        model.save(saved)
        with zipfile.ZipFile(saved) as source, zipfile.ZipFile(part, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name == "metadata.json":
                    content = json.dumps(json.loads(content) | {"date_saved": "1980-01-01@00:00:00"}).encode()
                if name == "config.json":
                    content = re.sub(
                        rb'(?<="shared_object_id": )\d+',
                        lambda address: numbers.setdefault(address[0], b"%d" % len(numbers)),
                        content,
                    )
                # A ZipInfo of nothing but a name has the first date that zip knows: 1980-01-01.
                target.writestr(zipfile.ZipInfo(name), content)


def draw_history(history: list[dict[str, float]], metric: str, ylabel: str, path: Path) -> None:
    """A picture of one metric by epoch, training beside validation."""
    figure, axes = new_figure(f"{metric.capitalize()} by epoch", "epoch", ylabel)
    epochs = range(1, len(history) + 1)
    axes.plot(epochs, [row[metric] for row in history], "o-", color=TRAINING, label="training")
    axes.plot(epochs, [row[f"val_{metric}"] for row in history], "s--", color=VALIDATION, label="validation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)


def main() -> None:
    params = read_params()
    try:
        vocabulary = VOCABULARY.read_bytes()
    except OSError as error:
        raise StageError(f"{VOCABULARY} can't be read ({error}); run `dvc repro` to make it again.") from error
    training, validation = (load_arrays(PADDED / f"{name}.npz", x="int32", y="uint8") for name in ("train", "validation"))

    model = compiled_model(params.pad.maxlen, params.split.num_words, params.model, params.train)
    model.summary()
    history = []
    with tqdm(total=params.train.epochs, unit="epoch", disable=None) as progress:
        for row in fit(model, training, validation, params.train):
            history.append(row)
            progress.write(f"epoch {len(history):2}: " + "  ".join(f"{name} {row[name]:.4f}" for name in COLUMNS))
            progress.update()

    save_model(model, MODEL / "model.keras")
    with written_whole(MODEL / "vocabulary.txt") as part:
        part.write_bytes(vocabulary)
    preprocessing = {
        "num_words": params.split.num_words,
        "skip_top": params.split.skip_top,
        "maxlen": params.pad.maxlen,
        "padding": params.pad.padding,
        "truncating": params.pad.truncating,
    }
    with written_whole(MODEL / "preprocessing.json") as part:
        part.write_text(json.dumps(preprocessing, indent=2) + "\n")
    rows = ([epoch, *row.values()] for epoch, row in enumerate(history, start=1))
    write_csv(PLOTS / "history.csv", ["epoch", *COLUMNS], rows)
    draw_history(history, "loss", "loss (binary cross-entropy)", PLOTS / "loss.png")
    draw_history(history, "accuracy", "accuracy (share of reviews)", PLOTS / "accuracy.png")


if __name__ == "__main__":
    main()
