"""From tokens to what the network takes: the frequent words, a split into training and validation, and one length."""

from pathlib import Path

import numpy as np

from sentiment.common.errors import UserError
from sentiment.common.parameters import PadSection, SplitSection
from sentiment.common.reviews import Padded, Reviews, load_reviews, positions, take
from sentiment.common.vocabulary import INDEX_FROM


def keep_frequent(reviews: Reviews, num_words: int, skip_top: int) -> Reviews:
    """Turn ranks into ids, rank + 3, and keep those with skip_top <= id < num_words, as `imdb.load_data` does."""
    ids = reviews.tokens + np.uint32(INDEX_FROM)
    frequent = (ids >= skip_top) & (ids < num_words)
    frequent_before = np.concatenate([[0], np.cumsum(frequent, dtype=np.int64)])
    return Reviews(ids[frequent], frequent_before[reviews.offsets], reviews.labels)


def filter_and_split(train: Reviews, test: Reviews, params: SplitSection) -> dict[str, Reviews]:
    """The `train`, `validation` and `test` reviews, their tokens filtered; the validation reviews come from `train`."""
    labelled, test = (keep_frequent(reviews, params.num_words, params.skip_top) for reviews in (train, test))
    training, validation = split_reviews(labelled, params.train_size, params.seed)
    return {"train": training, "validation": validation, "test": test}


def split_reviews(reviews: Reviews, train_size: int, seed: int) -> tuple[Reviews, Reviews]:
    """Training and validation reviews: the first `train_size` of a seeded permutation, and the others.

    Raises:
        UserError: no review is left for validation.
    """
    n = len(reviews.labels)
    if train_size >= n:
        raise UserError(
            f"`split.train_size` is {train_size}: of {n} reviews, at most {n - 1} can be for training, "
            "so that at least one is left for validation."
        )
    order = np.random.RandomState(seed).permutation(n)
    return take(reviews, order[:train_size]), take(reviews, order[train_size:])


def pad(reviews: Reviews, maxlen: int, padding: str, truncating: str) -> Padded:
    """Cut longer reviews at the side `truncating`, and fill shorter ones with zeros at the side `padding` (`pre` or `post`)."""
    starts, ends = reviews.offsets[:-1], reviews.offsets[1:]
    lengths = np.minimum(reviews.lengths, maxlen)
    first_token = ends - lengths if truncating == "pre" else starts
    first_column = (maxlen - lengths if padding == "pre" else np.zeros_like(lengths))[:, np.newaxis]
    columns = np.arange(maxlen)
    x = np.zeros((len(lengths), maxlen), np.int32)
    x[(columns >= first_column) & (columns < first_column + lengths[:, np.newaxis])] = reviews.tokens[
        positions(first_token, lengths)
    ]
    return Padded(x, reviews.labels)


def padded_splits(reviews: Path, splitting: SplitSection, padding: PadSection) -> dict[str, Padded]:
    """The `train`, `validation` and `test` reviews of a folder that fetch wrote, as split and pad make them."""
    train, test = (load_reviews(reviews / f"{name}.npz") for name in ("train", "test"))
    return {
        name: pad(split, padding.maxlen, padding.padding, padding.truncating)
        for name, split in filter_and_split(train, test, splitting).items()
    }
