"""Predictions of a trained model for raw texts."""

import numpy as np

from sentiment.common.reviews import join
from sentiment.corpus.encoding import encode
from sentiment.corpus.tokenizers import TOKENIZERS
from sentiment.inference.forward import probabilities
from sentiment.inference.model_folder import Model
from sentiment.preprocessing import keep_frequent, pad


def classify(model: Model, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The probability that each of n texts is positive, and how many of its words the model knows: float64 and int64, (n,).

    A text becomes the model's input as the model's folder says, independent of the current params.yaml; for a model of IMDB,
    after `as_ascii`. Without a known word, it is padding alone, and the probability says nothing of the text.
    """
    tokens_of = TOKENIZERS[model.preprocessing.tokenizer]
    # Any label: it plays no part.
    reviews = join((encode(tokens_of(text), model.ranks), 0) for text in texts)
    known = keep_frequent(reviews, model.preprocessing)
    return probabilities(model.network, pad(known, model.preprocessing).x), known.lengths
