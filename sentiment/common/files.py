"""Files: written whole or not at all, and arrays read back with their dtypes checked."""

import csv
import errno
import hashlib
import io
import json
import os
import secrets
import shlex
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sentiment.common.errors import PARENT, UserError

# Errors of a disk that is full or of files that may not be so large, and of files and folders that can't be written to. Others
# come from what the block does besides, such as reading from a network.
NO_ROOM = errno.ENOSPC, errno.EDQUOT, errno.EFBIG
NOT_WRITABLE = errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EEXIST

# Bytes of a file that is read whole: the weights of 100 million parameters, with those of Adam. The default network has 32,337.
LARGEST = 1_300_000_000
MODEL_FILES, DIGESTS = ("model.keras", "preprocessing.json", "vocabulary.txt"), "SHA256SUMS"


def refuse_if_dvc_has_gone(path: Path) -> None:
    """Raise UserError where DVC started this process and has gone: another `dvc repro` may have run since.

    dvc.yaml has its commands begin with `exec`: so the parent is DVC, and no shell.
    """
    if "DVC_STAGE" in os.environ and os.getppid() != PARENT:
        raise UserError(
            f"The DVC process that started this stage has ended, so {path} was left unchanged; run `dvc repro` again."
        )


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A path to write to, beside `path`. When the block ends without an error, it replaces `path`.

    Raises UserError if the disk is full or can't be written to, or the DVC that started this process has gone.
    """
    # Unique, so that two writers do not share a part file.
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    # Before and after: another DVC may be looking at the folder, and time goes by while the block writes.
    refuse_if_dvc_has_gone(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        refuse_if_dvc_has_gone(path)
        os.replace(part, path)
    except OSError as error:
        if error.errno not in NO_ROOM + NOT_WRITABLE:
            raise
        advice = "make room for it" if error.errno in NO_ROOM else "change the permissions, or what is in the way"
        raise UserError(f"{path} can't be written: {os.strerror(error.errno)}; {advice}, and run again.") from error
    finally:
        part.unlink(missing_ok=True)


def damaged(path: Path, error: Exception) -> UserError:
    """What to tell of a file that can't be read, and how to get another one.

    DVC takes a read-only object of its cache for whole, and a file that it took from there as well. It checks objects that can
    be written to and files that have another time, and makes again what is damaged.
    """
    if isinstance(error, FileNotFoundError):
        return UserError(f"{path} does not exist; run `dvc repro` in the folder with its dvc.yaml to make it.")
    what = " ".join(str(error).split())
    commands = f'touch {shlex.quote(str(path))} && chmod -R u+w "$(dvc cache dir)" && dvc repro'
    advice = f"in its project, run `{commands}`: DVC then checks it and makes it again"
    return UserError(f"{path} can't be read ({what:.200}); {advice}.")


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
    """Arrays of a .npz, by name and dtype. Raises UserError if it is missing, damaged, or holds others, or pickled objects."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name] for name in dtypes]
        for array, (name, dtype) in zip(arrays, dtypes.items(), strict=True):
            if array.dtype != dtype:
                raise ValueError(f"`{name}` is {array.dtype}, not {dtype}")
    except Exception as error:  # The readers of zip, zlib and npy raise a dozen kinds.
        raise damaged(path, error) from error
    return arrays


def read_bytes(path: Path, at_most: int = LARGEST) -> bytes:
    """The content of a file that a stage wrote. Raises UserError if it can't be read, or has more bytes than `at_most`."""
    try:
        if path.stat().st_size > at_most:
            raise ValueError(f"it has more than {at_most:,} bytes")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Write a CSV file, floating-point numbers rounded to 6 decimals: the last bits of results differ between processors."""
    with atomic_write(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([round(float(value), 6) if isinstance(value, float) else value for value in row] for row in rows)


def read_numbers(path: Path, *columns: str) -> dict[str, np.ndarray]:
    """Columns of numbers of a CSV file that a stage wrote, by name: float64, shape (rows,).

    Raises UserError if the file can't be read, or lacks a column or a number.
    """
    try:
        header, *rows = csv.reader(read_bytes(path).decode().splitlines())
        numbers = dict(zip(header, np.array(rows, float).T, strict=True))
        return {name: numbers[name] for name in columns}
    except (ValueError, KeyError) as error:
        raise damaged(path, error) from error


def write_bytes(path: Path, content: bytes) -> None:
    with atomic_write(path) as part:
        part.write_bytes(content)


def write_json(path: Path, value: object) -> None:
    """Write a JSON file, floating-point numbers rounded to 6 decimals, as in `write_csv`."""
    rounded = json.loads(json.dumps(value), parse_float=lambda number: round(float(number), 6))
    write_bytes(path, json.dumps(rounded, indent=2).encode() + b"\n")


def write_digests(folder: Path) -> None:
    """Write SHA256SUMS beside the files of a model, in the form of `sha256sum --check`."""
    lines = (f"{hashlib.sha256(read_bytes(folder / name)).hexdigest()}  {name}\n" for name in MODEL_FILES)
    write_bytes(folder / DIGESTS, "".join(lines).encode())


def check_digests(folder: Path) -> None:
    """Raise UserError unless the files of a model are as they were when `write_digests` ran."""
    known = read_bytes(folder / DIGESTS, at_most=10_000).decode(errors="replace").splitlines()
    for name in MODEL_FILES:
        if f"{hashlib.sha256(read_bytes(folder / name)).hexdigest()}  {name}" not in known:
            raise damaged(folder / name, ValueError(f"its sha256 is not the one in {DIGESTS}"))
