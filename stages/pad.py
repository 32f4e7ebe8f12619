"""Bring all reviews to one length, as `keras.utils.pad_sequences` does.

Takes data/split/{train,validation,test}.npz. Writes data/padded/{train,validation,test}.npz: `x`, int32, shape (n, maxlen),
and the labels `y`, uint8, shape (n,).
"""

from pathlib import Path

import numpy as np

from stages.files import save_arrays
from stages.params import read_params
from stages.reviews import Reviews, load_reviews, positions

SPLIT = Path("data/split")
PADDED = Path("data/padded")


def pad(reviews: Reviews, maxlen: int, padding: str, truncating: str) -> np.ndarray:
    """The tokens of each review in a row of their own: int32, shape (n, maxlen).

    Longer reviews are cut at the side `truncating`, shorter ones filled with zeros at the side `padding` (`pre` or `post`).
    """
    starts, ends = reviews.offsets[:-1], reviews.offsets[1:]
    lengths = np.minimum(reviews.lengths, maxlen)
    first_kept = ends - lengths if truncating == "pre" else starts
    first_column = (maxlen - lengths if padding == "pre" else np.zeros_like(lengths))[:, np.newaxis]
    columns = np.arange(maxlen)
    x = np.zeros((len(lengths), maxlen), np.int32)
    x[(columns >= first_column) & (columns < first_column + lengths[:, np.newaxis])] = reviews.tokens[
        positions(first_kept, lengths)
    ]
    return x


def main() -> None:
    params = read_params()
    for name in "train.npz", "validation.npz", "test.npz":
        reviews = load_reviews(SPLIT / name)
        x = pad(reviews, params.pad.maxlen, params.pad.padding, params.pad.truncating)
        save_arrays(PADDED / name, x=x, y=reviews.labels)


if __name__ == "__main__":
    main()
