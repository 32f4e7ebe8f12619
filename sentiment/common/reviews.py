"""Reviews in arrays, as the stages hand them on in data/: of different lengths, and padded to one."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sentiment.common.files import load_arrays, save_arrays

# By label, 0 or 1.
LABEL_NAMES = "negative", "positive"


class Reviews(NamedTuple):
    """n reviews as token ids, all of them end to end.

    tokens: uint32, shape (number of tokens,)
    offsets: int64, shape (n + 1,); review i is tokens[offsets[i]:offsets[i + 1]]
    labels: uint8, shape (n,); 1 = positive
    """

    tokens: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens in each review: int64, shape (n,)."""
        return np.diff(self.offsets)


def save_reviews(path: Path, reviews: Reviews) -> None:
    save_arrays(path, **reviews._asdict())


def load_reviews(path: Path) -> Reviews:
    return Reviews(*load_arrays(path, tokens="uint32", offsets="int64", labels="uint8"))


def offsets_of(lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    """Where n sequences of these lengths start when they lie end to end, and where the last ends: int64, shape (n + 1,)."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def positions(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The ranges from starts[i] up to starts[i] + lengths[i], one after another: int64, shape (sum of lengths,)."""
    offsets = offsets_of(lengths)
    return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)


def join(reviews: Iterable[tuple[Iterable[int], int]]) -> Reviews:
    """The reviews of these tokens and labels, as they come."""
    # Arrays of C's types: a million small arrays of NumPy would take three times as much.
    tokens, ends, labels = array("I"), array("q", [0]), bytearray()
    for review, label in reviews:
        tokens.extend(review)
        ends.append(len(tokens))
        labels.append(label)
    return Reviews(np.array(tokens, np.uint32), np.array(ends, np.int64), np.array(labels, np.uint8))


def texts_of(reviews: Reviews) -> list[bytes]:
    """The tokens of each review as bytes: copies of a text have the same."""
    return [reviews.tokens[start:end].tobytes() for start, end in pairwise(reviews.offsets)]


def take(reviews: Reviews, indices: np.ndarray) -> Reviews:
    """The reviews at these indices (int64, shape (m,)), in this order."""
    lengths = reviews.lengths[indices]
    tokens = reviews.tokens[positions(reviews.offsets[indices], lengths)]
    return Reviews(tokens, offsets_of(lengths), reviews.labels[indices])


class Padded(NamedTuple):
    """n reviews as the network takes them.

    x: token ids, int32, shape (n, maxlen); 0 is padding
    y: labels, uint8, shape (n,); 1 = positive
    """

    x: np.ndarray
    y: np.ndarray


def save_padded(path: Path, padded: Padded) -> None:
    save_arrays(path, **padded._asdict())


def load_padded(path: Path) -> Padded:
    return Padded(*load_arrays(path, x="int32", y="uint8"))
