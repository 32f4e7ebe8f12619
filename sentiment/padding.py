"""Reviews of one length, as `keras.utils.pad_sequences` makes them, and the files that hold them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from sentiment.files import load_arrays, save_arrays
from sentiment.reviews import Reviews, positions


class Padded(NamedTuple):
    """n reviews as the network takes them.

    x: token ids, int32, shape (n, maxlen); 0 is padding
    y: labels, uint8, shape (n,); 1 = positive
    """

    x: np.ndarray
    y: np.ndarray


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


def save_padded(path: Path, padded: Padded) -> None:
    save_arrays(path, **padded._asdict())


def load_padded(path: Path) -> Padded:
    return Padded(*load_arrays(path, x="int32", y="uint8"))
