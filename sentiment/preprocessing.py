"""From tokens to what the network takes: the frequent words, a split into training and validation, and one length."""

import numpy as np

from sentiment.common.errors import UserError
from sentiment.common.parameters import PadSection, SplitSection, WordsSection
from sentiment.common.reviews import Padded, Reviews, positions, take
from sentiment.common.vocabulary import INDEX_FROM


def keep_frequent(reviews: Reviews, words: WordsSection) -> Reviews:
    """Turn ranks into ids, rank + 3, and keep those with skip_top <= id < num_words, as `imdb.load_data` does."""
    ids = reviews.tokens + np.uint32(INDEX_FROM)
    frequent = (ids >= words.skip_top) & (ids < words.num_words)
    frequent_before = np.concatenate([[0], np.cumsum(frequent, dtype=np.int64)])
    return Reviews(ids[frequent], frequent_before[reviews.offsets], reviews.labels)


def split_reviews(reviews: Reviews, split: SplitSection) -> tuple[Reviews, Reviews]:
    """The first `train_size` of a seeded permutation, for training, and the others, for validation. UserError: one has none."""
    n, wanted = len(reviews.labels), split.train_size
    size = int(n * wanted) if isinstance(wanted, float) else wanted
    if not 1 <= size < n:
        raise UserError(
            f"`split.train_size` is {wanted}: of {n} reviews, 1 to {n - 1} can be for training, so that at least one "
            "is left for validation; a share such as 0.8 fits any number of reviews."
        )
    order = np.random.RandomState(split.seed).permutation(n)
    return take(reviews, order[:size]), take(reviews, order[size:])


def pad(reviews: Reviews, padding: PadSection) -> Padded:
    """Cut longer reviews at one side and fill shorter ones with zeros at one side, as `keras.utils.pad_sequences` does."""
    starts, ends, maxlen = reviews.offsets[:-1], reviews.offsets[1:], padding.maxlen
    lengths = np.minimum(reviews.lengths, maxlen)
    first_token = ends - lengths if padding.truncating == "pre" else starts
    first_column = (maxlen - lengths if padding.padding == "pre" else np.zeros_like(lengths))[:, np.newaxis]
    columns = np.arange(maxlen)
    x = np.zeros((len(lengths), maxlen), np.int32)
    x[(columns >= first_column) & (columns < first_column + lengths[:, np.newaxis])] = reviews.tokens[
        positions(first_token, lengths)
    ]
    return Padded(x, reviews.labels)


def training_and_validation(labelled: Reviews, split: SplitSection, padding: PadSection) -> tuple[Padded, Padded]:
    """The training and the validation reviews that the stages split and pad make of the fetched training reviews."""
    training, validation = split_reviews(keep_frequent(labelled, split), split)
    return pad(training, padding), pad(validation, padding)
