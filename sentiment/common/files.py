"""Files: written whole or not at all, and arrays read back with their dtypes checked."""

import csv
import errno
import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sentiment.common.errors import UserError

# Other errors come from what the block does besides, such as reading from a network.
DISK_ERRORS = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EEXIST
)  # fmt: skip


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A path to write to, beside `path`. When the block ends without an error, it replaces `path`.

    Raises:
        UserError: the disk is full or can't be written to.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        raise UserError(f"{path} can't be written: {os.strerror(error.errno)}; make room for it and run again.") from error
    finally:
        part.unlink(missing_ok=True)


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write an uncompressed .npz: builds of zlib compress to different bytes.

    `numpy.savez` writes other headers with Python 3.11.2 than with 3.11.7.
    """
    with atomic_write(path) as part, zipfile.ZipFile(part, "w") as file:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getbuffer())


def load_arrays(path: Path, **dtypes: str) -> list[np.ndarray]:
    """Read the arrays of these names and dtypes from a .npz.

    Raises:
        UserError: the file is missing, damaged, or holds something else, such as pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name] for name in dtypes]
        for array, (name, dtype) in zip(arrays, dtypes.items(), strict=True):
            if array.dtype != dtype:
                raise ValueError(f"`{name}` is {array.dtype}, not {dtype}")
    except Exception as error:  # The readers of zip, zlib and npy raise a dozen kinds.
        raise UserError(f"{path} can't be read ({error}); run `dvc repro` to make it again.") from error
    return arrays


def read_bytes(path: Path) -> bytes:
    """The content of a file that a stage wrote.

    Raises:
        UserError: the file can't be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read ({error}); run `dvc repro` to make it again.") from error


def rounded(number: float) -> float:
    """The number to 6 decimals, as in all tracked files: the last bits of float64 results differ between processors."""
    return round(float(number), 6)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Write a CSV file, floating-point numbers rounded."""
    with atomic_write(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([rounded(value) if isinstance(value, float) else value for value in row] for row in rows)


def write_bytes(path: Path, content: bytes) -> None:
    with atomic_write(path) as part:
        part.write_bytes(content)


def write_json(path: Path, value: object) -> None:
    write_bytes(path, json.dumps(value, indent=2).encode() + b"\n")
