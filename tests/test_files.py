"""Files of the stages: written whole or not at all, read as they were written or refused in a sentence."""

import hashlib
import os
import random
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from helpers import told_of_damage

from sentiment.common import files
from sentiment.common.errors import UserError

X, Y = np.arange(6, dtype=np.int32).reshape(2, 3), np.ones(2, np.uint8)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "arrays.npz"
    files.save_arrays(path, x=X, y=Y)
    return path


def assert_same(path: Path) -> None:
    """Read the arrays and compare them with what was written."""
    for read, written in zip(files.load_arrays(path, x="int32", y="uint8"), (X, Y), strict=True):
        np.testing.assert_array_equal(read, written, strict=True)


def test_arrays_are_read_as_they_were_written_and_are_the_same_bytes_with_every_python(saved):
    assert_same(saved)
    assert hashlib.sha256(saved.read_bytes()).hexdigest() == "0477a4106e6b98f3b2d8d733beec904735fc7d74083ff13142823cc7eabef1fe"


def test_a_truncated_file_is_refused_wherever_it_was_cut(saved):
    whole = saved.read_bytes()
    for length in range(len(whole)):
        saved.write_bytes(whole[:length])
        with pytest.raises(UserError, match=f"^{told_of_damage(saved)}$"):
            assert_same(saved)


def test_a_damaged_file_gives_the_same_or_is_refused(saved):
    whole, choices = saved.read_bytes(), random.Random(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(choices.choice([1, 2, 4])):
            damaged[choices.randrange(len(damaged))] = choices.randrange(256)
        saved.write_bytes(damaged)
        with suppress(UserError):
            assert_same(saved)


class Trap:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("sprung",)


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"x": X.astype(np.int64), "y": Y}, "`x` is int64, not int32"),
        ({"x": X}, "y is not a file in the archive"),
        ({"x": np.array([Trap()], object), "y": Y}, "allow_pickle"),
    ],
    ids=["another dtype", "a missing array", "a pickle"],
)
def test_other_arrays_are_refused_and_nothing_is_unpickled(saved, monkeypatch, arrays, told):
    monkeypatch.chdir(saved.parent)
    np.savez(saved, **arrays)
    with pytest.raises(UserError, match=told):
        assert_same(saved)
    assert list(saved.parent.iterdir()) == [saved]


def test_a_file_that_was_not_written_to_its_end_is_not_there(tmp_path):
    with suppress(RuntimeError), files.atomic_write(tmp_path / "folder/file") as part:
        part.write_bytes(b"half")
        raise RuntimeError
    assert list((tmp_path / "folder").iterdir()) == []


def test_what_can_not_be_written_is_told_and_nothing_is_left(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(
        UserError, match=r"file can't be written: Is a directory; change the permissions, or what is in the way, and run again"
    ):
        files.write_bytes(tmp_path / "file", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_of_two_that_write_the_same_file_at_once_each_writes_it_whole(tmp_path):
    path = tmp_path / "file"
    with files.atomic_write(path) as first, files.atomic_write(path) as second:
        for part, half in (first, b"a"), (second, b"b"), (first, b"a"), (second, b"b"):
            with part.open("ab") as file:
                file.write(half)
    assert path.read_bytes() == b"aa"
    assert list(tmp_path.iterdir()) == [path]


def test_numbers_are_read_from_a_csv_file_by_the_names_of_their_columns(tmp_path):
    files.write_csv(tmp_path / "file.csv", ["a", "b", "c"], [[1, 0.5, 7], [2, 0.25, 8]])
    columns = files.read_numbers(tmp_path / "file.csv", "c", "a")
    assert {name: column.tolist() for name, column in columns.items()} == {"c": [7, 8], "a": [1, 2]}


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1\n", b"a\n1\n", b"a,b\n1,x\n", b"a,b\n1,2\n3\n", b"a,b\n1,\xff\n", b"a,b\n1,2,3\n", b"\0"]
)
def test_a_csv_file_of_other_numbers_is_refused(tmp_path, content):
    files.write_bytes(tmp_path / "file.csv", content)
    with pytest.raises(UserError, match=f"^{told_of_damage(tmp_path / 'file.csv')}$"):
        files.read_numbers(tmp_path / "file.csv", "a", "b")


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(bytes(1001)), Path.mkdir], ids=["large", "folder"])
def test_what_would_fill_the_memory_is_not_read(tmp_path, make):
    path = tmp_path / "file"
    make(path)
    with pytest.raises(UserError, match=f"^{told_of_damage(path)}$"):
        files.read_bytes(path, at_most=1000)
