"""Digests: whether a source gave the very reviews that the parameters name."""

import hashlib

import numpy as np

from sentiment.common.errors import UserError
from sentiment.common.parameters import FetchSection
from sentiment.common.reviews import Reviews
from sentiment.common.vocabulary import vocabulary_sha256
from sentiment.corpus.encoding import Dataset
from sentiment.corpus.sources import SOURCES

NO_REVIEWS = Reviews(np.empty(0, np.uint32), np.zeros(1, np.int64), np.empty(0, np.uint8))


def check_digests(dataset: Dataset, fetch: FetchSection) -> None:
    """Compare IMDB's reviews with the digests in the parameters. A source without test reviews must have none.

    Raises:
        UserError: it is other data.
    """
    if fetch.source == "csv":  # the folder's hash in dvc.lock is what tells these reviews from others
        return
    source, expected = SOURCES[fetch.source], fetch.sha256
    for name, found, wanted in (
        ("train", reviews_sha256(dataset.train), expected.train),
        ("test", reviews_sha256(dataset.test), expected.test if source.has_test_reviews else reviews_sha256(NO_REVIEWS)),
        ("vocabulary", vocabulary_sha256(dataset.vocabulary), expected.vocabulary),
    ):
        if found != wanted:
            raise UserError(
                f"The source `{fetch.source}` gave other data than expected: the sha256 of {name} is {found}, not {wanted}. "
                f"If it is what you want, set `fetch.sha256.{name}`; if not, {source.advice}."
            )


def reviews_sha256(reviews: Reviews) -> str:
    """Hex digest over the little-endian bytes of tokens (uint32), then lengths (int64), then labels (uint8)."""
    digest = hashlib.sha256()
    for array, dtype in (reviews.tokens, "<u4"), (reviews.lengths, "<i8"), (reviews.labels, "u1"):
        digest.update(array.astype(dtype).tobytes())
    return digest.hexdigest()
