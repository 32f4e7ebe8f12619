"""Times the fit alone, imports excluded and compiling included, on the fetched reviews. `make bench` runs it.

Prints a JSON list: the seconds from the start of the fit to the end of each epoch.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np

from sentiment.common.parameters import Params, change_params, read_params
from sentiment.common.reviews import Padded, load_reviews
from sentiment.preprocessing import training_and_validation


def fit_of_keras(params: Params, training: Padded, validation: Padded, jitted: bool) -> list[float]:
    """The ends of the epochs of stock Keras, in seconds after the start."""
    import keras

    units = params.model.units
    layers = {
        "simple_rnn": partial(keras.layers.SimpleRNN, units),
        "lstm": partial(keras.layers.LSTM, units),
        "gru": partial(keras.layers.GRU, units),
        "none": keras.layers.GlobalAveragePooling1D,
    }
    model = keras.Sequential(
        [
            keras.Input((params.pad.maxlen,), dtype="int32"),
            keras.layers.Embedding(params.split.num_words, params.model.embedding_dim),
            layers[params.model.cell](),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    # All 625 batches of an epoch in one call; the 157 of the validation are fewer, and one call as well.
    faster = {"jit_compile": True, "steps_per_execution": 625} if jitted else {}
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"], **faster)
    ends: list[float] = []
    at_the_end_of_an_epoch = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    start = time.perf_counter()
    model.fit(
        training.x,
        training.y,
        batch_size=params.train.batch_size,
        epochs=params.train.epochs,
        validation_data=validation,
        verbose=0,
        callbacks=[at_the_end_of_an_epoch],
    )
    return [end - start for end in ends]


def fit_of_this_project(params: Params, training: Padded, validation: Padded) -> list[float]:
    """The ends of the epochs of this project's fit, in seconds after the start."""
    from sentiment.training.fit import fit, new_model

    model = new_model(params.pad.maxlen, params.split.num_words, params.model, params.train, len(training.y))
    start = time.perf_counter()
    return [time.perf_counter() - start for _ in fit(model, params.model, training, validation, params.train)]


def main() -> None:
    parser = argparse.ArgumentParser("python -m bench.fit", description=__doc__)
    parser.add_argument(
        "way",
        choices=["usual", "jitted", "pipeline", "save"],
        help="model.fit as it is; model.fit told to compile; this project's fit; or save the arrays for bench/jax_way.py",
    )
    parser.add_argument("changes", type=json.loads, help="what to change of params.yaml, as JSON")
    parser.add_argument("--times-the-reviews", type=int, default=1)
    parser.add_argument("--to", help="for `save`: the .npz file")
    arguments = parser.parse_args()
    params = change_params(read_params(), arguments.changes)
    labelled = load_reviews(Path("data/reviews/train.npz"))
    training, validation = training_and_validation(labelled, params.split, params.pad)
    training = Padded(*(np.concatenate([array] * arguments.times_the_reviews) for array in training))
    if arguments.way == "save":
        np.savez(arguments.to, x=training.x, y=training.y, validation_x=validation.x, validation_y=validation.y)
    elif arguments.way == "pipeline":
        print(json.dumps(fit_of_this_project(params, training, validation)))
    else:
        print(json.dumps(fit_of_keras(params, training, validation, jitted=arguments.way == "jitted")))


if __name__ == "__main__":
    main()
