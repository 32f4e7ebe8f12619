"""Train the recurrent network on the padded reviews.

Takes data/padded/{train,validation}.npz and the vocabulary. Writes data/model, which is whole in itself: model.keras,
preprocessing.json (how a text becomes the model's input) and vocabulary.txt; and the history of the training:
plots/history.csv, plots/loss.png, plots/accuracy.png.
"""

import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from matplotlib.ticker import MaxNLocator

from stages.command import run
from stages.figures import TRAINING, VALIDATION, new_figure, save_figure
from stages.files import load_arrays, write_csv, written_whole
from stages.params import ModelSection, read_params

PADDED = Path("data/padded")
VOCABULARY = Path("data/reviews/vocabulary.txt")
MODEL = Path("data/model")
PLOTS = Path("plots")

CELLS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def build_model(maxlen: int, num_words: int, model: ModelSection) -> keras.Model:
    """The network: token ids, int32 of shape (batch, maxlen), to the probability of a positive review, (batch, 1)."""
    return keras.Sequential(
        [
            keras.Input((maxlen,), dtype="int32", name="tokens"),
            keras.layers.Embedding(num_words, model.embedding_dim, name="embedding"),
            CELLS[model.cell](model.units, name=model.cell),
            keras.layers.Dense(1, activation="sigmoid", name="positive"),
        ],
        name="sentiment",
    )


def save_model(model: keras.Model, path: Path) -> None:
    """Save as Keras does, but so that the same model is the same bytes (Keras issues 15143 and 15948).

    Keras writes `date_saved` into metadata.json, memory addresses as `shared_object_id` into config.json, and the time
    at which the archive got each of its members.
    """
    numbers: dict[bytes, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder, "model.keras")
        model.save(saved)
        with written_whole(path) as part, zipfile.ZipFile(saved) as source, zipfile.ZipFile(part, "w") as target:
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


def draw_history(history: dict[str, list[float]], metric: str, ylabel: str, path: Path) -> None:
    """A picture of one metric by epoch, training beside validation."""
    figure, axes = new_figure(f"{metric.capitalize()} by epoch", "epoch", ylabel)
    epochs = range(1, len(history[metric]) + 1)
    axes.plot(epochs, history[metric], "o-", color=TRAINING, label="training")
    axes.plot(epochs, history[f"val_{metric}"], "s--", color=VALIDATION, label="validation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)


def main() -> None:
    params = read_params()
    x, y = load_arrays(PADDED / "train.npz", x="int32", y="uint8")
    validation = load_arrays(PADDED / "validation.npz", x="int32", y="uint8")

    keras.utils.set_random_seed(params.train.seed)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    model = build_model(params.pad.maxlen, params.split.num_words, params.model)
    optimizer = keras.optimizers.get(params.train.optimizer)
    if params.train.learning_rate is not None:
        optimizer.learning_rate = params.train.learning_rate
    model.compile(optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    model.summary()
    history = model.fit(
        x, y, params.train.batch_size, params.train.epochs, validation_data=tuple(validation)
    ).history

    save_model(model, MODEL / "model.keras")
    shutil.copyfile(VOCABULARY, MODEL / "vocabulary.txt")
    preprocessing = {
        "num_words": params.split.num_words,
        "skip_top": params.split.skip_top,
        "maxlen": params.pad.maxlen,
        "padding": params.pad.padding,
        "truncating": params.pad.truncating,
    }
    with written_whole(MODEL / "preprocessing.json") as part:
        part.write_text(json.dumps(preprocessing, indent=2) + "\n")
    columns = "loss", "accuracy", "val_loss", "val_accuracy"
    write_csv(
        PLOTS / "history.csv",
        ["epoch", *columns],
        ([epoch, *row] for epoch, row in enumerate(zip(*(history[name] for name in columns)), start=1)),
    )
    draw_history(history, "loss", "loss (binary cross-entropy)", PLOTS / "loss.png")
    draw_history(history, "accuracy", "accuracy (share of reviews)", PLOTS / "accuracy.png")


if __name__ == "__main__":
    run(main)
