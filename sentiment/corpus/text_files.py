"""Reviews from arguments of a command, from a file with one review per line, or from a column of a CSV file."""

import csv
import json
import os
import re
import select
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain, repeat
from typing import NamedTuple

from sentiment.common.errors import UserError
from sentiment.common.parameters import LabelsSection

# Bytes of a line, and characters of a row in a CSV file. The longest review of IMDB has 13,704 bytes.
LONGEST = 1_000_000
# Bytes that are read at a time, or fewer: what has come.
CHUNK = 1 << 16
# Columns that tell the header of a CSV file from a review.
USUAL_COLUMNS = set(
    "text texts review reviews sentence sentences comment comments comment_text body sentiment label labels rating".split()
)


class RawReview(NamedTuple):
    """A text, its label where one is given (`positive` or `negative`), and the file and the line of a CSV file."""

    text: str
    label: str | None = None
    where: str = ""


def to_text(content: bytes, where: str) -> str:
    r"""The text in UTF-8, without a byte order mark, and with `\n` for each `\r\n` and `\r`.

    Raises UserError if it is longer than LONGEST, or not UTF-8, or has a NUL. The message says `where`.
    """
    if len(content) > LONGEST:
        raise UserError(f"{where} has more than {LONGEST:,} bytes; cut it, or put each review on a separate line.")
    wrong = content.find(b"\0")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        wrong = error.start
    if wrong >= 0:
        advice = "unpack a compressed file, and convert another encoding, for example with `iconv -f UTF-16 -t UTF-8`"
        raise UserError(f"{where} is not UTF-8 text: its byte {wrong + 1} is 0x{content[wrong]:02x}; {advice}.")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: str) -> Iterator[RawReview | None]:
    """The reviews of a file with one review per line, or of standard input for `-`. Blank lines at the end are ignored.

    None means that the next line has not arrived yet: the writer of the others may be waiting for answers.

    Raises UserError if the file can't be read, or a line is not UTF-8 text or longer than LONGEST, or the first is CSV or JSON.
    """
    blank_lines = 0
    for number, line in _lines(path):
        if number == 1:
            _refuse_csv_and_json(line, _name(path))
        if not line:
            yield None
        elif line.isspace():
            blank_lines += 1
        else:
            yield from repeat(RawReview(""), blank_lines)
            yield RawReview(line.removesuffix("\n"))
            blank_lines = 0


def read_csv(path: str, text_column: str, label_column: str | None, labels: LabelsSection) -> Iterator[RawReview | None]:
    """The reviews of a CSV file with a header, or of standard input for `-`; None as in `read_lines`.

    Tabs separate the values of a `.tsv` file. The case of a label does not matter.

    Raises UserError as `read_lines` does, or if the file is not a CSV file, or lacks a column or a value, or has another label.
    """
    spellings = dict.fromkeys(labels.positive, "positive") | dict.fromkeys(labels.negative, "negative")
    rows = _rows(path)
    where, header = next((row for row in rows if row[1]), (_name(path), []))
    wanted, others = ("tabs", ",;") if path.endswith(".tsv") else ("commas", ";\t")
    for column in text_column, label_column:
        if column is not None and header.count(column) != 1:
            columns = ", ".join(map(repr, header)) or "none"
            found = f"{header.count(column)} columns" if column in header else "no column"
            advice = f": save it with {wanted} between the columns" if set(others) & set("".join(header)) else ""
            raise UserError(f"{where} has {found} {column!r:.80}; its header has {columns:.300}{advice}.")
    for where, row in rows:
        if not row:
            yield None
            continue
        if len(row) != len(header):
            advice = "add what is missing, and put a text with commas in double quotes"
            raise UserError(f"{where} has {len(row)} values, but the header has {len(header)}; {advice}.")
        values = dict(zip(header, row, strict=True))
        label = None if label_column is None else spellings.get(values[label_column].strip().lower())
        if label_column is not None and not label:
            raise UserError(f"{where} has the label {values[label_column]!r:.50}; allowed are {', '.join(spellings)}.")
        yield RawReview(values[text_column], label, where)


def _refuse_csv_and_json(line: str, name: str) -> None:
    """Refuse a file whose first line is the header of a CSV file, or begins and ends as JSON does."""
    line = line.strip()
    columns = [column.strip('"').lower() for column in re.split("[,;\t]", line)]
    # In a sentence, spaces stand behind the commas.
    if len(columns) > 1 and USUAL_COLUMNS.intersection(columns) and columns == [column.strip()[:40] for column in columns]:
        raise UserError(f"{name}, line 1 is the header of a CSV file; name the column of its reviews with `--csv`.")
    begins = re.fullmatch(r'[\[{]\s*(["\[{](.*[\[{,])?)?', line)
    with suppress(ValueError, RecursionError):
        if begins or (re.match(r'[\[{]\s*["\[{]', line) and json.loads(line)):
            raise UserError(f"{name}, line 1 is JSON; write one review per line, without JSON, or a CSV file and use `--csv`.")


def _name(path: str) -> str:
    return "Standard input" if path == "-" else f"{path:.300}"


def _lines(path: str) -> Iterator[tuple[int, str]]:
    r"""The lines and their numbers, each ended by `\n`. An empty one: the next has not arrived yet."""
    number, rest, last_byte = 0, b"", b""
    try:
        with open(0 if path == "-" else path, "rb", buffering=0) as file:
            # The newline at the end is for a last line without one; a blank line too many is ignored.
            for chunk in chain(iter(partial(os.read, file.fileno(), CHUNK), b""), [b"\n"]):
                # A \r ends its line at once, though its \n may still come.
                new = chunk.removeprefix(b"\n") if last_byte == b"\r" else chunk
                last_byte = chunk[-1:]
                lines = (rest + new).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
                # A line that is too long is refused before its end has come.
                rest = lines.pop() if len(lines[-1]) <= LONGEST else b""
                for line in lines:
                    number += 1
                    yield number, to_text(line, f"{_name(path)}, line {number}") + "\n"
                if not select.select([file], [], [], 0)[0]:
                    yield number, ""
    except OSError as error:
        raise UserError(f"{_name(path)} can't be read: {error.strerror}.") from error


def _rows(path: str) -> Iterator[tuple[str, list[str]]]:
    """The rows of a CSV file, each with where it starts. None is blank; an empty one: the next has not arrived yet."""
    csv.field_size_limit(LONGEST)
    delimiter = "\t" if path.endswith(".tsv") else ","
    lines = _lines(path)
    for number, line in lines:
        where = f"{_name(path)}, line {number}"
        if line == "\n":
            continue
        try:
            row_lines = _bounded(chain([line], (line for _, line in lines)), where)
            yield where, next(csv.reader(row_lines, delimiter=delimiter, strict=True))
        except csv.Error as error:
            separators = "part the columns with commas, not with semicolons or tabs; " if number == 1 else ""
            quotes = "put a text with commas, quotes or newlines in double quotes, and double the quotes in it"
            raise UserError(f"{where} starts a row that is not valid CSV ({error}); {separators}{quotes}.") from error


def _bounded(lines: Iterable[str], where: str) -> Iterator[str]:
    """The lines, from which the reader of CSV takes those of a row. Raises UserError if they are longer than LONGEST."""
    characters = 0
    for line in lines:
        characters += len(line)
        if characters > LONGEST:
            raise UserError(f"{where} starts a row above {LONGEST:,} characters; cut it, or close its double quotes.")
        yield line
