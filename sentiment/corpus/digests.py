"""Digests: whether a source gave the very reviews that the parameters name."""

import hashlib

import numpy as np

from sentiment.common.errors import UserError
from sentiment.common.parameters import Sha256Section
from sentiment.common.reviews import Reviews
from sentiment.common.vocabulary import vocabulary_bytes
from sentiment.corpus.encoding import Dataset
from sentiment.corpus.sources import ANOTHER, REINSTALL

NO_REVIEWS = Reviews(np.empty(0, np.uint32), np.zeros(1, np.int64), np.empty(0, np.uint8))


def check_digests(dataset: Dataset, source: str, sha256: Sha256Section) -> None:
    """Compare a data set with the digests in the parameters. The source `package` must have no test reviews.

    Raises:
        UserError: it is other data.
    """
    for name, found, expected in (
        ("train", reviews_sha256(dataset.train), sha256.train),
        ("test", reviews_sha256(dataset.test), sha256.test if source != "package" else reviews_sha256(NO_REVIEWS)),
        ("vocabulary", hashlib.sha256(vocabulary_bytes(dataset.vocabulary)).hexdigest(), sha256.vocabulary),
    ):
        if found != expected:
            raise UserError(
                f"The source `{source}` gave other data than expected: the sha256 of {name} is {found}, not {expected}. "
                f"If it is what you want, set `fetch.sha256.{name}`; if not, {REINSTALL if source == 'package' else ANOTHER}."
            )


def reviews_sha256(reviews: Reviews) -> str:
    """Hex digest over the little-endian bytes of tokens (uint32), then lengths (int64), then labels (uint8)."""
    digest = hashlib.sha256()
    for array, dtype in (reviews.tokens, "<u4"), (reviews.lengths, "<i8"), (reviews.labels, "u1"):
        digest.update(array.astype(dtype).tobytes())
    return digest.hexdigest()
