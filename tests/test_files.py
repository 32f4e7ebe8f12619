import hashlib
import os
import random

import numpy as np
import pytest

from sentiment.common.errors import UserError
from sentiment.common.files import atomic_write, load_arrays, save_arrays


def read(path, content: bytes | None = None) -> list[np.ndarray]:
    if content is not None:
        path.write_bytes(content)
    return load_arrays(path, x="int32", y="uint8")


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "arrays.npz"
    save_arrays(path, x=np.arange(6, dtype=np.int32).reshape(2, 3), y=np.ones(2, np.uint8))
    return path


def test_arrays_are_read_as_they_were_written(saved):
    x, y = read(saved)
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert y.tolist() == [1, 1]


def test_the_same_arrays_are_the_same_bytes_with_every_python(saved):
    assert hashlib.sha256(saved.read_bytes()).hexdigest() == "0477a4106e6b98f3b2d8d733beec904735fc7d74083ff13142823cc7eabef1fe"


def test_a_truncated_file_is_refused_wherever_it_was_cut(saved):
    whole = saved.read_bytes()
    for length in range(len(whole)):
        with pytest.raises(UserError, match=r"arrays\.npz can't be read \(.*; run `dvc repro` to make it again\.$"):
            read(saved, whole[:length])


def test_a_damaged_file_gives_the_same_or_is_refused(saved):
    whole, choices = saved.read_bytes(), random.Random(0)
    for _ in range(2000):
        damaged = bytearray(whole)
        for _ in range(choices.choice([1, 2, 4])):
            damaged[choices.randrange(len(damaged))] = choices.randrange(256)
        try:
            x, y = read(saved, bytes(damaged))
        except UserError:
            continue
        assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
        assert y.tolist() == [1, 1]


def test_another_dtype_is_refused(saved):
    save_arrays(saved, x=np.zeros((2, 3), np.int64), y=np.ones(2, np.uint8))
    with pytest.raises(UserError, match="`x` is int64, not int32"):
        read(saved)


def test_a_missing_array_and_a_missing_file_are_refused(saved):
    save_arrays(saved, x=np.zeros((2, 3), np.int32))
    with pytest.raises(UserError, match="can't be read"):
        read(saved)
    saved.unlink()
    with pytest.raises(UserError, match="No such file"):
        read(saved)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_a_pickle_is_refused_and_not_unpickled(saved, tmp_path):
    trap = np.array([Trap(tmp_path / "sprung")], object)
    np.savez(saved, x=trap, y=trap)
    with pytest.raises(UserError, match="allow_pickle"):
        read(saved)
    np.save(tmp_path / "trap.npy", trap)
    with pytest.raises(UserError, match="can't be read"):
        read(saved, (tmp_path / "trap.npy").read_bytes())
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_was_not_written_to_its_end_is_not_there(tmp_path):
    path = tmp_path / "folder/file"

    def fail_halfway() -> None:
        with atomic_write(path) as part:
            part.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert list(path.parent.iterdir()) == []


def test_a_folder_that_can_not_be_written_to_is_told(tmp_path, monkeypatch):
    """As for a user without leave; the tests may run as one who may write anywhere."""
    (tmp_path / "file").touch()

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refused)
    with pytest.raises(UserError, match=r"file can't be written: Permission denied"), atomic_write(tmp_path / "file") as part:
        part.touch()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
