"""How the stages write their files, whole or not at all, and read each other's arrays."""

import csv
import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stages import StageError

# Other errors are of what the block does besides, such as reading from a network.
CAN_NOT_BE_WRITTEN = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EEXIST
)  # fmt: skip


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, which becomes `path` when the block has ended without an error.

    Raises:
        StageError: the disk is full or can't be written to.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        if error.errno not in CAN_NOT_BE_WRITTEN:
            raise
        raise StageError(f"{path} can't be written: {os.strerror(error.errno)}; make room for it and run again.") from error
    finally:
        part.unlink(missing_ok=True)


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write an uncompressed .npz: compressed bytes would differ between builds of zlib."""
    with written_whole(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_arrays(path: Path, **dtypes: str) -> list[np.ndarray]:
    """Read the arrays of these names and dtypes from a .npz.

    Raises:
        StageError: the file is missing, damaged, or holds something else, such as pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name] for name in dtypes]
        for array, (name, dtype) in zip(arrays, dtypes.items(), strict=True):
            if array.dtype != dtype:
                raise ValueError(f"`{name}` is {array.dtype}, not {dtype}")
    except Exception as error:  # The readers of zip, zlib and npy raise a dozen kinds.
        raise StageError(f"{path} can't be read ({error}); run `dvc repro` to make it again.") from error
    return arrays


def rounded(number: float) -> float:
    """To 6 decimals, as tracked files have it: the last bits of a float64 result differ between processors."""
    return round(float(number), 6)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Write a CSV file, floating-point numbers rounded."""
    with written_whole(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([rounded(value) if isinstance(value, float) else value for value in row] for row in rows)
