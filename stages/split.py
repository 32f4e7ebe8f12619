"""Keep the frequent words of each review and split the training reviews into training and validation.

Takes data/reviews/{train,test}.npz. Writes data/split/{train,validation,test}.npz, whose tokens are ids as Keras has them:
rank + 3. The first word has id 4; in Keras's encoding, 0 is for padding, 1 for the start of a review, 2 for a dropped word.
"""

from pathlib import Path

import numpy as np

from stages import StageError
from stages.params import read_params
from stages.reviews import Reviews, load_reviews, save_reviews, take

REVIEWS = Path("data/reviews")
SPLIT = Path("data/split")
INDEX_FROM = 3


def keep_frequent(reviews: Reviews, num_words: int, skip_top: int) -> Reviews:
    """Turn ranks into ids and keep those with skip_top <= id < num_words, as `imdb.load_data` means its parameters."""
    ids = reviews.tokens + np.uint32(INDEX_FROM)
    kept = (ids >= skip_top) & (ids < num_words)
    kept_before = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
    return Reviews(ids[kept], kept_before[reviews.offsets], reviews.labels)


def split(reviews: Reviews, train_size: int, seed: int) -> tuple[Reviews, Reviews]:
    """Training and validation reviews: the first `train_size` of a seeded permutation, and the others.

    Raises:
        StageError: no review is left for validation.
    """
    n = len(reviews.labels)
    if train_size >= n:
        raise StageError(
            f"params.yaml: `split.train_size` is {train_size}: of {n} reviews, at most {n - 1} can be for training, "
            "so that at least one is left for validation."
        )
    order = np.random.RandomState(seed).permutation(n)
    return take(reviews, order[:train_size]), take(reviews, order[train_size:])


def main() -> None:
    params = read_params()
    labelled, test = (
        keep_frequent(load_reviews(REVIEWS / name), params.split.num_words, params.split.skip_top)
        for name in ("train.npz", "test.npz")
    )
    train, validation = split(labelled, params.split.train_size, params.split.seed)
    save_reviews(SPLIT / "train.npz", train)
    save_reviews(SPLIT / "validation.npz", validation)
    save_reviews(SPLIT / "test.npz", test)


if __name__ == "__main__":
    main()
