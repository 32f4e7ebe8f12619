"""What the embedding learned: the words' places on its principal components, beside the labels of the reviews they stand in.

Numbers are rounded before anything is made of them, as in all tracked files: the last bits differ between processors.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr

from sentiment.common.reviews import Padded
from sentiment.common.vocabulary import FIRST_ID


class LearnedWords(NamedTuple):
    """The n words that stand in the padded training reviews, by id; the model has learned nothing about other words.

    ids: int64, shape (n,)
    vectors: float64, shape (n, d)
    places: on the first two principal components of the vectors, float64, shape (n, 2)
    positive, negative: how often they stand in the reviews of this label, int64, shape (n,)
    log_odds: that a word stands in a positive review, float64, shape (n,)
    """

    ids: np.ndarray
    vectors: np.ndarray
    places: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    log_odds: np.ndarray


def learned_words(vectors: np.ndarray, train: Padded) -> LearnedWords:
    """The words of the training reviews, with their rows of `vectors`, float64 (num_words, d).

    The log-odds are log((positive + 1) / (negative + 1)): of Laplace's rule of succession, which adds one to each count.
    """
    positive, negative = (np.bincount(train.x[train.y == label].ravel(), minlength=len(vectors)) for label in (1, 0))
    ids = np.flatnonzero(positive + negative)
    ids = ids[ids >= FIRST_ID]
    vectors, positive, negative = vectors[ids], positive[ids], negative[ids]
    log_odds = np.round(np.log((positive + 1) / (negative + 1)), 6)
    return LearnedWords(ids, vectors, places_of(vectors, log_odds), positive, negative, log_odds)


def places_of(vectors: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """The vectors, (n, d), on their first two principal components: (n, 2). A missing component is 0.

    The larger the log-odds, the larger the place: the sign of a component is arbitrary.
    """
    centred = vectors - vectors.sum(axis=0) / max(1, len(vectors))
    _, components = np.linalg.eigh(centred.T @ centred)
    places = centred @ components[:, :-3:-1]
    places = np.where((log_odds - log_odds.sum() / max(1, len(log_odds))) @ places < 0, -places, places)
    # Without -0.0, which rounding leaves.
    return np.pad(np.round(places, 6) + 0.0, [(0, 0), (0, 2 - places.shape[1])])


def embedding_metrics(words: LearnedWords) -> dict[str, float | None]:
    """The first component's share of the variance, and Spearman's correlation of the words' places on it with their log-odds.

    None if it is undefined: all words have the same place, or the same log-odds.
    """
    pc1 = words.places[:, 0]
    differ, odds_differ = (len(np.unique(values)) > 1 for values in (pc1, words.log_odds))
    return {
        "pc1_variance": float(pc1.var() / words.vectors.var(axis=0).sum()) if differ else None,
        "pc1_log_odds_spearman": float(spearmanr(pc1, words.log_odds).statistic) if differ and odds_differ else None,
    }
