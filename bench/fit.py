"""Times the fit alone, imports excluded and compiling included, on the fetched reviews; prints JSON. `make bench` runs it."""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from stages.pad import pad
from stages.params import ModelSection, TrainSection
from stages.reviews import load_reviews
from stages.split import keep_frequent, split

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("way", choices=["usual", "pipeline"], help="model.fit as it is, or the fit of the train stage")
parser.add_argument("--cell", default="simple_rnn")
parser.add_argument("--units", type=int, default=8)
parser.add_argument("--num-words", type=int, default=1000)
parser.add_argument("--maxlen", type=int, default=100)
parser.add_argument("--times-the-reviews", type=int, default=1)
parser.add_argument("--epochs", type=int, default=10)
arguments = parser.parse_args()

labelled = keep_frequent(load_reviews(Path("data/reviews/train.npz")), arguments.num_words, skip_top=20)
training, validation = (
    (pad(reviews, arguments.maxlen, "pre", "pre"), reviews.labels) for reviews in split(labelled, 20_000, seed=42)
)
ids, labels = (np.concatenate([array] * arguments.times_the_reviews) for array in training)
described = ModelSection(input="embedding", embedding_dim=32, cell=arguments.cell, units=arguments.units, dropout=0.0)
params = TrainSection(optimizer="adam", learning_rate=None, epochs=arguments.epochs, batch_size=32, seed=42, patience=None)
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
        ids,
        labels,
        batch_size=params.batch_size,
        epochs=params.epochs,
        validation_data=validation,
        verbose=0,
        callbacks=[at_the_end_of_an_epoch],
    )
else:
    from stages import train

    model = train.compiled_model(arguments.maxlen, arguments.num_words, described, params)
    start = time.perf_counter()
    for _ in train.fit(model, (ids, labels), validation, params):
        ends.append(time.perf_counter())

print(
    json.dumps(
        {
            "fit_seconds": ends[-1] - start,
            "epoch_seconds": float(np.median(np.diff(ends))) if len(ends) > 1 else None,
        }
    )
)
