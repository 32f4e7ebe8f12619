"""Train and score a network that is given what a regression knows: on words, pairs and triples of words.

A GRU reads the last tokens of a review. Beside the embedding of each, it is given the log-count ratios of the word, the pair
and the triple that end there. Beside its outputs, the last layer is given the logit of a regression on all terms of the whole
review (studies/reference.py). For a training review, ratios and logit come from other training reviews, none of its film and
label: otherwise, the label that the network is to find would be in them.

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
from sentiment.training.fit import batch_order, make_optimizer
from sentiment.training.logits import dropout_mask, pooled_outputs, project_embedded
from sentiment.training.network import build_model, cell_weights
from sentiment.training.reproducible import keras, tf
from studies.reference import bag_of_terms, columns_of, frequent_terms, review_ids, terms_by_place, weighted_regression
from studies.variants import RUNS, check_reviews, read_study

REVIEWS = Path("data/reviews")
MOST_SEEDS = 3
# Words in a term.
LONGEST = 3
# Of neighbouring ids: within a label, these are of one film.
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


def cross_fitted(training: Reviews, review_ids: np.ndarray, unseen: Reviews) -> tuple[Inputs, Inputs]:
    """The inputs for training reviews, from regressions without the part of each, and for unseen ones, from all parts."""
    training_terms, unseen_terms = (terms_by_place(reviews, LONGEST) for reviews in (training, unseen))
    known = frequent_terms(training_terms)
    columns, unseen_columns = columns_of(training_terms, known), columns_of(unseen_terms, known)
    bag = bag_of_terms(columns, training.lengths, len(known))
    unseen_bag = bag_of_terms(unseen_columns, unseen.lengths, len(known))

    ratios, logits = np.empty(columns.shape), np.empty(len(training.labels))
    parts = review_ids * PARTS // (review_ids.max() + 1)
    for part in np.unique(parts):
        own = parts == part
        own_tokens = np.repeat(own, training.lengths)
        others = weighted_regression(C).fit(bag[~own], training.labels[~own])
        logits[own], ratios[own_tokens] = others.decision_function(bag[own]), ratios_of(others, columns[own_tokens])
    model = weighted_regression(C).fit(bag, training.labels)
    unseen_logits, unseen_ratios = model.decision_function(unseen_bag), ratios_of(model, unseen_columns)
    return inputs(training, ratios, logits), inputs(unseen, unseen_ratios, unseen_logits)


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
        directions = [tuple(map(tf.convert_to_tensor, weights)) for weights in cell_weights(self.model, MODEL)]
        kernel = tf.concat([kernel for kernel, _, _ in directions], axis=1)
        tokens = project_embedded(tf.transpose(batch.ids), tf.convert_to_tensor(self.model.layers[0].embeddings), kernel)
        by_place = tf.reshape(tf.transpose(batch.ratios, (1, 0, 2)), (-1, LONGEST))
        tokens += tf.reshape(by_place @ tf.convert_to_tensor(self.ratio_kernel), tokens.shape)
        if masks:
            tokens *= tf.transpose(masks[0])[..., tf.newaxis]
        forwards, backwards = tf.split(tokens, 2, axis=2)
        in_reading_order = forwards, tf.reverse(backwards, axis=[0])
        pooled = [
            pooled_outputs(MODEL.cell, MODEL.pooling, tokens, recurrent_kernel, bias)
            for tokens, (_, recurrent_kernel, bias) in zip(in_reading_order, directions, strict=True)
        ]
        features = tf.concat([tensor for of_both in zip(*pooled, strict=True) for tensor in of_both], axis=1)
        regression = self.logit_weight * batch.logits
        if masks:
            features, regression = features * masks[1], regression * masks[2][:, 0]
        last = self.model.layers[-1]
        return tf.squeeze(features @ tf.convert_to_tensor(last.kernel) + last.bias, axis=1) + regression

    def fit(self, training: Inputs, labels: np.ndarray, seed: int) -> None:
        """Train. Each epoch leaves out some reviews, which would not fill a batch."""
        optimizer = make_optimizer(TRAIN, len(labels))
        optimizer.build(self.variables)
        size = min(TRAIN.batch_size, len(labels))
        steps = len(labels) // size
        outputs = self.model.layers[-1].kernel.shape[0]
        dropouts = {PADDING.maxlen: MODEL.dropout, outputs: MODEL.output_dropout, 1: LOGIT_DROPOUT}

        def train_batch(batch: Inputs, labels: tf.Tensor) -> None:
            step = tf.cast(optimizer.iterations, tf.int64)
            masks = [
                dropout_mask((size, width), share, tf.stack([len(dropouts) * seed + kind, step]), "float32")
                for kind, (width, share) in enumerate(dropouts.items())
            ]
            with tf.GradientTape() as tape:
                output = self.logits(batch, masks)
                loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, output.dtype), output))
            optimizer.apply(tape.gradient(loss, [variable.value for variable in self.variables]), self.variables)

        @tf.function(jit_compile=True, autograph=False)
        def train_epoch(training: Inputs, labels: tf.Tensor, batches: tf.Tensor) -> None:
            def train_step(step: tf.Tensor) -> list[tf.Tensor]:
                rows = batches[step]
                train_batch(Inputs(*(tf.gather(values, rows) for values in training)), tf.gather(labels, rows))
                return [step + 1]

            tf.while_loop(lambda step: step < steps, train_step, [0])

        for epoch in range(1, TRAIN.epochs + 1):
            batches = batch_order(len(labels), seed, epoch)[: steps * size].reshape(steps, size)
            train_epoch(Inputs(*map(tf.constant, training)), tf.constant(labels), tf.constant(batches))

    def predict(self, unseen: Inputs) -> np.ndarray:
        """The logits of n reviews: float64, shape (n,)."""

        @tf.function(jit_compile=True, autograph=False)
        def all_logits(batches: Inputs) -> tf.Tensor:
            return tf.map_fn(self.logits, batches, fn_output_signature="float32")

        n, size = len(unseen.ids), TRAIN.batch_size
        # The last batch is filled up with padding.
        filled = (np.concatenate([values, np.zeros((-n % size, *values.shape[1:]), values.dtype)]) for values in unseen)
        batches = Inputs(*(tf.constant(values.reshape(-1, size, *values.shape[1:])) for values in filled))
        # Traced by hand: TensorFlow warns of functions that it traces at each call, as here, once for each network.
        return all_logits.get_concrete_function(batches)(batches).numpy().ravel()[:n].astype(np.float64)


def train_and_predict(training: Reviews, ids: np.ndarray, unseen: Reviews, seeds: list[int]) -> list[Predicted]:
    """Predictions for unseen reviews, by seed, of networks trained on reviews with these ids."""
    started = time.perf_counter()
    training_inputs, unseen_inputs = cross_fitted(training, ids, unseen)
    print(f"The regressions on {len(training.labels):,} reviews took {time.perf_counter() - started:.0f} s.")
    predictions = []
    for seed in seeds:
        started = time.perf_counter()
        network = Network(seed)
        network.fit(training_inputs, training.labels, seed)
        predictions.append(Predicted(unseen.labels, network.predict(unseen_inputs)))
        print(f"Seed {seed}: training and predictions took {time.perf_counter() - started:.0f} s.")
    return predictions


def main() -> None:
    check_reviews()
    params = read_params()
    labelled, test = (load_reviews(REVIEWS / name) for name in ("train.npz", "test.npz"))
    train, validation = split_reviews(labelled, params.split)
    ids = review_ids(labelled.labels)
    seeds = read_study().seeds[:MOST_SEEDS]
    predictions = {"validation": train_and_predict(train, split_reviews(ids, params.split)[0].tokens, validation, seeds)}
    if len(test.labels):
        predictions["test"] = train_and_predict(labelled, ids.tokens, test, seeds)
    # Of each term a ratio, and a weight of the regression.
    regression = 2 * len(frequent_terms(terms_by_place(train, LONGEST))) + 1
    parameters = regression + sum(variable.shape.num_elements() for variable in Network(seed=0).variables)
    model = {"parameters": parameters, "input_bytes": train.tokens.nbytes}
    runs = [
        {"seed": seed, **score_each({name: of_seed[i] for name, of_seed in predictions.items()}, params.evaluate.threshold)}
        for i, seed in enumerate(seeds)
    ]
    write_json(RUNS / "with_ratios.json", [run | {"model": model} for run in runs])


if __name__ == "__main__":
    main()
