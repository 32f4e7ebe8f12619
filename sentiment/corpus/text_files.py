"""Reviews from arguments of a command, from a file with one review per line, or from a column of a CSV file."""

import csv
import json
import os
import re
import select
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import NamedTuple

from sentiment.common.errors import UserError
from sentiment.common.parameters import LabelsSection, as_label

# Bytes of a line, and characters of a row in a CSV file. The longest review of IMDB has 13,704 bytes.
LONGEST = 1_000_000
# Bytes that are read at a time, or fewer: what has come.
CHUNK = 1 << 16
# Columns that tell the header of a CSV file from a review.
USUAL_COLUMNS = set(
    "text texts review reviews sentence sentences comment comments comment_text body sentiment label labels rating".split()
)


class Row(NamedTuple):
    """A row of a CSV file: the line on which it starts, its values, and its text as it came, with what separates the values."""

    line: int
    values: list[str]
    text: str
    separator: str

    def extended(self, *values: str) -> str:
        """The text with further values, which need no quotes, at its end."""
        row = self.text.rstrip("\r\n")
        return self.separator.join([row, *values]) + self.text[len(row) :]


class RawReview(NamedTuple):
    """A text, its label where one is given (`positive` or `negative`), its line in a file, and its row in a CSV file."""

    text: str
    label: str | None = None
    line: int = 0
    row: Row | None = None


def to_text(content: bytes, where: str) -> str:
    """The text in UTF-8. Raises UserError if it is longer than LONGEST, not UTF-8, or has a NUL; the message says `where`."""
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
    return text


def read_lines(path: str) -> Iterator[RawReview | None]:
    """The reviews of a file with one review per line, or of standard input for `-`. Blank lines at the end are ignored.

    None means that the next line has not arrived yet: the writer of the others may be waiting for answers.

    Raises UserError if the file can't be read, or a line is not UTF-8 text or longer than LONGEST, or the first is CSV or JSON.
    """
    answered = 0
    for number, line in _lines(path):
        if number == 1:
            line = line.removeprefix("\ufeff")
            _refuse_csv_and_json(line, _name(path))
        if not line:
            yield None
        elif not line.isspace():
            yield from (RawReview("", line=number) for number in range(answered + 1, number))
            yield RawReview(line.rstrip("\r\n"), line=number)
            answered = number


def read_csv(
    path: str, text_column: str, label_column: str | None, labels: LabelsSection, on_header: Callable[[Row], None] | None = None
) -> Iterator[RawReview | None]:
    """The reviews of a CSV file with a header, or of standard input for `-`; None as in `read_lines`.

    Tabs separate the values of a `.tsv` file. The case of a label does not matter. `on_header` is given the header.

    Raises UserError as `read_lines` does, or if the file is not a CSV file, or lacks a column or a value, or has another label.
    """
    spellings = dict.fromkeys(labels.positive, "positive") | dict.fromkeys(labels.negative, "negative")
    rows = _rows(path)
    top = next((row for row in rows if row.values), Row(1, [], "", ""))
    where, header = f"{_name(path)}, line {top.line}" if top.text else _name(path), top.values
    wanted, others = ("tabs", ",;") if path.endswith(".tsv") else ("commas", ";\t")
    for column in text_column, label_column:
        if column is not None and header.count(column) != 1:
            columns = ", ".join(map(repr, header)) or "none"
            found = f"{header.count(column)} columns" if column in header else "no column"
            advice = f": save it with {wanted} between the columns" if set(others) & set("".join(header)) else ""
            raise UserError(f"{where} has {found} {column!r:.80}; its header has {columns:.300}{advice}.")
    if on_header:
        on_header(top)
    for row in rows:
        if not row.values:
            yield None
            continue
        where = f"{_name(path)}, line {row.line}"
        if len(row.values) != len(header):
            advice = "add what is missing, and put a text with commas in double quotes"
            raise UserError(f"{where} has {len(row.values)} values, but the header has {len(header)}; {advice}.")
        values = dict(zip(header, row.values, strict=True))
        label = None if label_column is None else spellings.get(as_label(values[label_column]))
        if label_column is not None and not label:
            raise UserError(f"{where} has the label {values[label_column]!r:.50}; allowed are {', '.join(spellings)}.")
        yield RawReview(values[text_column], label, row.line, row)


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
    """The lines and their numbers, each as it came. An empty one: the next has not arrived yet."""
    number, rest, last_byte = 0, b"", b""
    try:
        with open(0 if path == "-" else path, "rb", buffering=0) as file:
            for chunk in chain(iter(partial(os.read, file.fileno(), CHUNK), b""), [b""]):
                more_has_come = bool(select.select([file], [], [], 0)[0])
                # A \r ends its line at once: a \n that comes later is of that line.
                number -= last_byte == b"\r" and not rest and chunk[:1] == b"\n"
                last_byte = chunk[-1:]
                lines = (rest + chunk).splitlines(keepends=True)
                ends = (b"\n",) if more_has_come else (b"\n", b"\r")
                # A line that is too long is refused before its end has come.
                unfinished = chunk and not lines[-1].endswith(ends) and len(lines[-1]) <= LONGEST
                rest = lines.pop() if unfinished else b""
                for line in lines:
                    number += 1
                    yield number, to_text(line, f"{_name(path)}, line {number}")
                if not more_has_come:
                    yield number, ""
    except OSError as error:
        raise UserError(f"{_name(path)} can't be read: {error.strerror}.") from error


def _rows(path: str) -> Iterator[Row]:
    """The rows of a CSV file that are not blank. One without values: the next has not arrived yet."""
    csv.field_size_limit(LONGEST)
    separator = "\t" if path.endswith(".tsv") else ","
    lines, came = _lines(path), list[str]()
    for number, line in lines:
        where = f"{_name(path)}, line {number}"
        if line and not line.strip("\r\n"):
            came.append(line)
            continue
        try:
            row_lines = _bounded(chain([line], (line for _, line in lines)), where, came)
            values = next(csv.reader(row_lines, delimiter=separator, strict=True))
            yield Row(number, values, "".join(came), separator)
            came = [] if values else came
        except csv.Error as error:
            separators = "part the columns with commas, not with semicolons or tabs; " if number == 1 else ""
            quotes = "put a text with commas, quotes or newlines in double quotes, and double the quotes in it"
            raise UserError(f"{where} starts a row that is not valid CSV ({error}); {separators}{quotes}.") from error


def _bounded(lines: Iterable[str], where: str, came: list[str]) -> Iterator[str]:
    """The lines, from which the reader of CSV takes those of a row; they are added to `came`. UserError: more than LONGEST."""
    characters = 0
    for line in lines:
        came.append(line)
        characters += len(line)
        if characters > LONGEST:
            raise UserError(f"{where} starts a row above {LONGEST:,} characters; cut it, or close its double quotes.")
        yield line.removeprefix("\ufeff")
