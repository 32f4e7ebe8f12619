"""The frequent words of the reviews, and their split into training and validation."""

import numpy as np

from sentiment.errors import UserError
from sentiment.parameters import SplitSection
from sentiment.reviews import Reviews, take

# In Keras's encoding, id 0 is padding, 1 the start of a review, 2 a dropped word; the first word has id 4.
INDEX_FROM = 3


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
