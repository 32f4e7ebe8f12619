"""Train and score a network that is given what a regression knows: on words, pairs and triples of words.

A GRU reads the last tokens of a review. Beside the embedding of each, it is given the log-count ratios of the word, the pair
and the triple that end there. Beside its outputs, the last layer is given the logit of a regression on all terms of the whole
review (studies/reference.py). For a training review, ratios and logit come from the training reviews of other parts: otherwise,
the label that the network is to find would be in them.

The validation scores are of networks trained on the training reviews of params.yaml. The test scores, where there are test
reviews, are of others, trained on all labelled reviews. Takes the fetched reviews, params.yaml, and the first three seeds of
studies/variants.yaml. Writes studies/runs/with_ratios.json: a run a seed.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline

from sentiment.common.files import write_json
from sentiment.common.parameters import ModelSection, PadSection, TrainSection, read_params
from sentiment.common.reviews import Reviews, load_reviews
from sentiment.common.vocabulary import INDEX_FROM
from sentiment.evaluation.scores import Predicted, score_each
from sentiment.preprocessing import pad, split_reviews
from sentiment.training.fit import batch_order, compile_epoch, make_optimizer
from sentiment.training.logits import compile_logits, dropout_mask, logits_of_projections, product, projected_tokens
from sentiment.training.network import build_model, cell_weights
from sentiment.training.reproducible import keras, tf
from studies.reference import (
    bag_of_terms,
    columns_of,
    frequent_terms,
    parts_of,
    review_ids,
    terms_by_place,
    weighted_regression,
)
from studies.variants import RUNS, check_reviews, read_study

REVIEWS = Path("data/reviews")
MOST_SEEDS = 3
# Words in a term.
LONGEST = 3
PARTS = 20
C = 0.1
NUM_WORDS = 5_000
# The id of all words that are not frequent enough, as in `imdb.load_data`.
OTHER_WORD = 2
PADDING = PadSection(maxlen=400, padding="pre", truncating="pre")
MODEL = ModelSection(
    input="embedding",
    embedding_dim=24,
    cell="gru",
    units=24,
    bidirectional=True,
    pooling="max_mean",
    dropout=0.3,
    output_dropout=0.5,
)
TRAIN = TrainSection(optimizer="adam", learning_rate=0.006, schedule="linear", epochs=4, batch_size=128, seed=0, patience=None)
# Share of the training reviews of a step whose logit is dropped, so that the GRU does not leave all to the regression.
LOGIT_DROPOUT = 0.3


class Inputs(NamedTuple):
    """n reviews as the network takes them.

    ids: int32, shape (n, maxlen); 0 is padding, and 2 a word that is not among the frequent ones
    ratios: float32, shape (n, maxlen, LONGEST), of the terms that end at a token; 0 for a term that is not known
    logits: float32, shape (n,), of the regression
    """

    ids: np.ndarray
    ratios: np.ndarray
    logits: np.ndarray


def cross_fitted(training: Reviews, review_ids: np.ndarray, unseen: Reviews) -> tuple[Inputs, Inputs, int]:
    """The inputs for training reviews, from regressions without the part of each, and for unseen ones, from all parts.

    And the number of parameters of the regression: of each term a ratio and a weight, and the bias.
    """
    training_terms, unseen_terms = (terms_by_place(reviews, LONGEST) for reviews in (training, unseen))
    known = frequent_terms(training_terms)
    columns, unseen_columns = columns_of(training_terms, known), columns_of(unseen_terms, known)
    bag = bag_of_terms(columns, training.lengths, len(known))
    unseen_bag = bag_of_terms(unseen_columns, unseen.lengths, len(known))

    ratios, logits = np.empty(columns.shape), np.empty(len(training.labels))
    parts = parts_of(review_ids, PARTS)
    for part in np.unique(parts):
        own = parts == part
        own_tokens = np.repeat(own, training.lengths)
        others = weighted_regression(C).fit(bag[~own], training.labels[~own])
        logits[own], ratios[own_tokens] = others.decision_function(bag[own]), ratios_of(others, columns[own_tokens])
    model = weighted_regression(C).fit(bag, training.labels)
    unseen_logits, unseen_ratios = model.decision_function(unseen_bag), ratios_of(model, unseen_columns)
    return inputs(training, ratios, logits), inputs(unseen, unseen_ratios, unseen_logits), 2 * len(known) + 1


def ratios_of(model: Pipeline, columns: np.ndarray) -> np.ndarray:
    """The ratios of terms at their places, 0 for unknown ones; float64, in the shape of the columns."""
    return np.append(model[0].ratios_, 0)[columns]


def inputs(reviews: Reviews, ratios: np.ndarray, logits: np.ndarray) -> Inputs:
    ids = reviews.tokens + np.uint32(INDEX_FROM)
    ids[ids >= NUM_WORDS] = OTHER_WORD
    # Padded like ids: the numbers of the tokens, from 1.
    places = pad(reviews._replace(tokens=np.arange(1, len(ids) + 1)), PADDING).x
    # Rounded, since the last bits differ between processors.
    ratios = np.vstack([np.zeros(LONGEST), ratios.round(3)]).astype(np.float32)
    return Inputs(np.append(0, ids).astype(np.int32)[places], ratios[places], logits.round(3).astype(np.float32))


class Network:
    """A network of this project, given ratios beside the embedding and a logit beside the outputs of the cell."""

    def __init__(self, seed: int) -> None:
        self.model = build_model(PADDING.maxlen, NUM_WORDS, MODEL, seed)
        both_directions = sum(kernel.shape[1] for kernel, _, _ in cell_weights(self.model, MODEL))
        self.ratio_kernel = keras.Variable(keras.initializers.GlorotUniform(seed)((LONGEST, both_directions)))
        self.logit_weight = keras.Variable(1.0)
        self.variables = [*self.model.trainable_variables, self.ratio_kernel, self.logit_weight]

    def logits(self, batch: Inputs, masks: Sequence[tf.Tensor] = ()) -> tf.Tensor:
        """The logits (B,) of a batch. While it trains, masks for the tokens, the outputs and the regression's logits."""
        tokens = projected_tokens(self.model, MODEL, batch.ids)
        by_place = tf.reshape(tf.transpose(batch.ratios, (1, 0, 2)), (-1, LONGEST))
        kernel = tf.convert_to_tensor(self.ratio_kernel)
        tokens += tf.reshape(product(by_place, kernel, tf.transpose(kernel)), tokens.shape)
        regression = self.logit_weight * batch.logits
        if not masks:
            return logits_of_projections(self.model, MODEL, tokens) + regression
        of_tokens, of_outputs, of_regression = masks
        tokens *= tf.transpose(of_tokens)[..., tf.newaxis]
        return logits_of_projections(self.model, MODEL, tokens, of_outputs) + regression * of_regression[:, 0]

    def fit(self, training: Inputs, labels: np.ndarray, seed: int) -> None:
        """Train. Each epoch leaves out some reviews, which would not fill a batch."""
        optimizer = make_optimizer(TRAIN, len(labels))
        size = min(TRAIN.batch_size, len(labels))
        outputs = self.model.layers[-1].kernel.shape[0]
        dropouts = {PADDING.maxlen: MODEL.dropout, outputs: MODEL.output_dropout, 1: LOGIT_DROPOUT}

        def logits_with_dropout(batch: Inputs, step: tf.Tensor) -> tf.Tensor:
            masks = [
                dropout_mask((size, width), share, tf.stack([len(dropouts) * seed + kind, step]), "float32")
                for kind, (width, share) in enumerate(dropouts.items())
            ]
            return self.logits(batch, masks)

        train_epoch = compile_epoch(self.variables, optimizer, logits_with_dropout, size)
        inputs, labels = Inputs(*map(tf.constant, training)), tf.constant(labels)
        for epoch in range(1, TRAIN.epochs + 1):
            order = batch_order(len(labels), seed, epoch)
            train_epoch(inputs, labels, tf.constant(order[: len(order) // size * size]))

    def predict(self, unseen: Inputs) -> np.ndarray:
        """The logits of n reviews: float64, shape (n,)."""
        inputs = Inputs(*map(tf.constant, unseen))
        # Traced by hand: TensorFlow warns of functions that it traces at each call, as here, once for each network.
        all_logits = compile_logits(self.logits, "float32", TRAIN.batch_size).get_concrete_function(inputs)
        return all_logits(inputs).numpy().astype(np.float64)


def train_and_predict(training: Reviews, ids: np.ndarray, unseen: Reviews, seeds: list[int]) -> tuple[list[Predicted], int]:
    """Predictions for unseen reviews, by seed, of networks trained on reviews with these ids; and the number of parameters."""
    started = time.perf_counter()
    training_inputs, unseen_inputs, parameters = cross_fitted(training, ids, unseen)
    print(f"The regressions on {len(training.labels):,} reviews took {time.perf_counter() - started:.0f} s.")
    predictions = []
    for seed in seeds:
        started = time.perf_counter()
        network = Network(seed)
        network.fit(training_inputs, training.labels, seed)
        predictions.append(Predicted(unseen.labels, network.predict(unseen_inputs)))
        print(f"Seed {seed}: training and predictions took {time.perf_counter() - started:.0f} s.")
    return predictions, parameters + sum(variable.shape.num_elements() for variable in network.variables)


def main() -> None:
    check_reviews()
    params = read_params()
    labelled, test = (load_reviews(REVIEWS / name) for name in ("train.npz", "test.npz"))
    train, validation = split_reviews(labelled, params.split)
    ids = review_ids(labelled.labels)
    seeds = read_study().seeds[:MOST_SEEDS]
    of_validation, parameters = train_and_predict(train, split_reviews(ids, params.split)[0].tokens, validation, seeds)
    predictions = {"validation": of_validation}
    if len(test.labels):
        predictions["test"], _ = train_and_predict(labelled, ids.tokens, test, seeds)
    model = {"parameters": parameters, "input_bytes": train.tokens.nbytes}
    runs = [
        {"seed": seed, **score_each({name: of_seed[i] for name, of_seed in predictions.items()}, params.evaluate.threshold)}
        for i, seed in enumerate(seeds)
    ]
    write_json(RUNS / "with_ratios.json", [run | {"model": model} for run in runs])


if __name__ == "__main__":
    main()
