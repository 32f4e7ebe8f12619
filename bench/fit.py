"""Times the fit alone, imports excluded and compiling included, on the fetched reviews; prints JSON. `make bench` runs it."""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from sentiment.inputs import padded_splits
from sentiment.padding import Padded
from sentiment.parameters import ModelSection, PadSection, SplitSection, TrainSection

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("way", choices=["usual", "pipeline"], help="model.fit as it is, or the fit of the train stage")
parser.add_argument("--cell", default="simple_rnn")
parser.add_argument("--units", type=int, default=8)
parser.add_argument("--num-words", type=int, default=1000)
parser.add_argument("--maxlen", type=int, default=100)
parser.add_argument("--times-the-reviews", type=int, default=1)
parser.add_argument("--epochs", type=int, default=10)
arguments = parser.parse_args()

splitting = SplitSection(num_words=arguments.num_words, skip_top=20, train_size=20_000, seed=42)
padding = PadSection(maxlen=arguments.maxlen, padding="pre", truncating="pre")
splits = padded_splits(Path("data/reviews"), splitting, padding)
training = Padded(*(np.concatenate([array] * arguments.times_the_reviews) for array in splits["train"]))
model_params = ModelSection(input="embedding", embedding_dim=32, cell=arguments.cell, units=arguments.units, dropout=0.0)
params = TrainSection(optimizer="adam", learning_rate=None, epochs=arguments.epochs, batch_size=32, seed=0, patience=None)
ends = []

if arguments.way == "usual":
    import keras

    model = keras.Sequential(
        [
            keras.Input((arguments.maxlen,), dtype="int32"),
            keras.layers.Embedding(arguments.num_words, 32),
            {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[arguments.cell](
                arguments.units
            ),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    at_the_end_of_an_epoch = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    start = time.perf_counter()
    model.fit(
        training.x,
        training.y,
        batch_size=params.batch_size,
        epochs=params.epochs,
        validation_data=splits["validation"],
        verbose=0,
        callbacks=[at_the_end_of_an_epoch],
    )
else:
    from sentiment.training import fit, new_model

    model = new_model(arguments.maxlen, arguments.num_words, model_params, params)
    start = time.perf_counter()
    for _ in fit(model, training, splits["validation"], params):
        ends.append(time.perf_counter())

print(
    json.dumps(
        {
            "fit_seconds": ends[-1] - start,
            "epoch_seconds": float(np.median(np.diff(ends))) if len(ends) > 1 else None,
        }
    )
)
