"""Reviews as people have them: arguments of a command, a file with one a line, or a column of a CSV file."""

import csv
from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import NamedTuple

from sentiment.common.errors import UserError

# Bytes of a line, and characters of a value in a CSV file. The longest review of IMDB has 13,704 bytes.
LONGEST = 1_000_000
# How the labels are spelled in files.
SPELLINGS = {
    "positive": "positive",
    "pos": "positive",
    "1": "positive",
    "negative": "negative",
    "neg": "negative",
    "0": "negative",
}


class RawReview(NamedTuple):
    """A text, and its label where one is given: `positive` or `negative`."""

    text: str
    label: str | None = None


def to_text(content: bytes, where: str) -> str:
    r"""The text in UTF-8, without a byte order mark, and with `\n` for each `\r\n` and `\r`.

    Raises:
        UserError: it is not UTF-8, or has a NUL. The message says `where`.
    """
    wrong = content.find(b"\0")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        wrong = error.start
    if wrong >= 0:
        raise UserError(
            f"{where} is no UTF-8 text: its byte {wrong + 1} is 0x{content[wrong]:02x}; "
            "unpack what is compressed, and convert what has another encoding, as `iconv -f UTF-16 -t UTF-8` does."
        )
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: str) -> Iterator[RawReview]:
    """The reviews of a file with one a line, or of standard input for `-`. Blank lines at the end are none.

    Raises:
        UserError: the file can't be read, or a line is no UTF-8 text or longer than LONGEST.
    """
    blank_lines = 0
    for line in _lines(path):
        if line.isspace():
            blank_lines += 1
        else:
            yield from repeat(RawReview(""), blank_lines)
            yield RawReview(line.removesuffix("\n"))
            blank_lines = 0


def read_csv(path: str, text_column: str, label_column: str | None) -> Iterator[RawReview]:
    """The reviews of a CSV file with a header, or of standard input for `-`.

    Raises:
        UserError: as for `read_lines`, or the file is no CSV file, or lacks a column or a value, or has another label.
    """
    rows = _rows(path)
    _, header = next(rows, ("", []))
    for column in text_column, label_column:
        if column is not None and header.count(column) != 1:
            columns = ", ".join(map(repr, header)) or "none"
            found = f"{header.count(column)} columns" if column in header else "no column"
            raise UserError(f"{_name(path)} has {found} {column!r}; its header has {columns:.300}.")
    for where, row in rows:
        if len(row) != len(header):
            raise UserError(
                f"{where} has {len(row)} values, and the header {len(header)}; "
                "add what is missing, and put a text with commas in double quotes."
            )
        values = dict(zip(header, row, strict=True))
        label = None
        if label_column is not None:
            label = SPELLINGS.get(values[label_column].strip().lower())
            if not label:
                raise UserError(f"{where} has the label {values[label_column]!r:.50}; allowed are {', '.join(SPELLINGS)}.")
        yield RawReview(values[text_column], label)


def _name(path: str) -> str:
    return "Standard input" if path == "-" else path


def _lines(path: str) -> Iterator[str]:
    try:
        # Latin-1 keeps each byte; Python ends a line at \n, \r\n and \r alike.
        with open(0 if path == "-" else path, encoding="latin-1") as file:
            for number, latin1 in enumerate(iter(partial(file.readline, LONGEST + 1), ""), start=1):
                line = latin1.encode("latin-1")
                where = f"{_name(path)}, line {number}"
                if len(line) > LONGEST:
                    raise UserError(
                        f"{where} has more than {LONGEST:,} bytes; cut it, or put each review on a line of its own."
                    )
                yield to_text(line, where)
    except OSError as error:
        raise UserError(f"{_name(path)} can't be read: {error.strerror}.") from error


def _rows(path: str) -> Iterator[tuple[str, list[str]]]:
    """The rows of a CSV file that are not blank, each with the file and the line where it starts."""
    csv.field_size_limit(LONGEST)
    rows = csv.reader(_lines(path), strict=True)
    where = f"{_name(path)}, line 1"
    try:
        for row in rows:
            if row:
                yield where, row
            where = f"{_name(path)}, line {rows.line_num + 1}"
    except csv.Error as error:
        raise UserError(
            f"{where} starts a row that is no CSV ({error}); "
            "put a text with commas, quotes or newlines in double quotes, and double the quotes in it."
        ) from error
