"""How the stages write their files, whole or not at all, and read each other's arrays."""

import csv
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stages.command import StageError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, which becomes `path` when the block has ended without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        yield part
        os.replace(part, path)
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
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise StageError(f"{path} can't be read ({error}); run `dvc repro` to make it again.") from error
    for array, (name, dtype) in zip(arrays, dtypes.items(), strict=True):
        if array.dtype != dtype:
            raise StageError(f"{path} holds `{name}` as {array.dtype}, not {dtype}; run `dvc repro` to make it again.")
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
