"""Models with random weights, which need no training."""

from collections import Counter
from itertools import chain

import numpy as np

from sentiment.common.parameters import Preprocessing
from sentiment.common.vocabulary import vocabulary_sha256
from sentiment.corpus.encoding import IMDB_LABELS, rank_words
from sentiment.corpus.tokenizers import TOKENIZERS
from sentiment.inference.forward import CELLS, Direction, Network
from sentiment.inference.model_folder import Model

SIZES = {"maxlen": 8, "num_words": 40, "skip_top": 6, "padding": "pre", "truncating": "pre", "tokenizer": "keras_imdb"}


def random_model(
    texts: list[str], seed=0, cell="simple_rnn", pooling="last", directions=1, one_hot=False, units=3, dim=4, **sizes
) -> Model:
    """A model that knows the most frequent words of the texts; its weights are of float32, as in a file."""
    random = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(scale=0.7, size=shape).astype(np.float32).astype(np.float64)

    sizes = SIZES | sizes
    vocabulary = rank_words(Counter(chain.from_iterable(map(TOKENIZERS[sizes["tokenizer"]], texts))))
    preprocessing = Preprocessing(**sizes, labels=IMDB_LABELS, vocabulary_sha256=vocabulary_sha256(vocabulary))
    if cell == "none":
        units, directions = dim, 0
    num_words, gates = preprocessing.num_words, CELLS.get(cell, (None, 0))[1] * units
    bias = (2, gates) if cell == "gru" else (gates,)
    given = num_words if one_hot else dim
    network = Network(
        preprocessing.maxlen,
        num_words,
        cell,
        pooling,
        None if one_hot else weights(num_words, dim),
        [Direction(weights(given, gates), weights(units, gates), weights(*bias)) for _ in range(directions)],
        weights(units * max(1, directions) * (2 if pooling == "max_mean" else 1)),
        weights(1).item(),
    )
    return Model(network, preprocessing, vocabulary)
