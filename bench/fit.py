"""Times the fit alone, imports excluded and compiling included, on the fetched reviews. `make bench` runs it.

Prints JSON: `ends`, the seconds from the start of the fit to the end of each epoch.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from sentiment.inputs import padded_splits
from sentiment.padding import Padded
from sentiment.parameters import ModelSection, PadSection, SplitSection, TrainSection

parser = argparse.ArgumentParser("python -m bench.fit", description=__doc__)
parser.add_argument(
    "way",
    choices=["usual", "jitted", "pipeline", "save"],
    help="model.fit as it is; model.fit told to compile; this project's fit; or save the arrays for bench/jax_way.py",
)
parser.add_argument("--cell", default="simple_rnn")
parser.add_argument("--units", type=int, default=8)
parser.add_argument("--num-words", type=int, default=1000)
parser.add_argument("--maxlen", type=int, default=100)
parser.add_argument("--times-the-reviews", type=int, default=1)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--to", help="for `save`: the .npz file")
arguments = parser.parse_args()

splitting = SplitSection(num_words=arguments.num_words, skip_top=20, train_size=20_000, seed=42)
padding = PadSection(maxlen=arguments.maxlen, padding="pre", truncating="pre")
splits = padded_splits(Path("data/reviews"), splitting, padding)
training = Padded(*(np.concatenate([array] * arguments.times_the_reviews) for array in splits["train"]))
model_params = ModelSection(input="embedding", embedding_dim=32, cell=arguments.cell, units=arguments.units, dropout=0.0)
params = TrainSection(optimizer="adam", learning_rate=None, epochs=arguments.epochs, batch_size=32, seed=0, patience=None)
ends = []

if arguments.way == "save":
    np.savez(arguments.to, x=training.x, y=training.y, validation_x=splits["validation"].x, validation_y=splits["validation"].y)
elif arguments.way in ("usual", "jitted"):
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
    # All 625 batches of an epoch in one call; the 157 of the validation are fewer, and one call as well.
    faster = {"jit_compile": True, "steps_per_execution": 625} if arguments.way == "jitted" else {}
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"], **faster)
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

if ends:
    print(json.dumps({"ends": [end - start for end in ends]}))
