"""Texts from a file with one on each line."""

import codecs
import io
import json
import os
import re
import select
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import NamedTuple

from sentiment.common.errors import UserError

# Characters of a line, and of a row in a CSV file. The longest review of IMDB has 13,704 bytes.
LONGEST = 1_000_000
# Bytes that are read at a time, or fewer: what has come.
CHUNK = 1 << 16
# What separates the columns of a CSV file, and what ends lines. (To str.splitlines(), U+0085 does as well.)
SEPARATORS, LINE_ENDS = ",;\t|", "\r\n"
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
        row = self.text.rstrip(LINE_ENDS)
        return self.separator.join([row, *values]) + self.text[len(row) :]


class RawReview(NamedTuple):
    """A text, its label where one is given (`positive` or `negative`), its line in a file, and its row in a CSV file."""

    text: str
    label: str | None = None
    line: int = 0
    row: Row | None = None


class TextFile(NamedTuple):
    """A file, or standard input for `-`, how it is read, and what messages say of the settings that its user can change."""

    path: str
    encoding: str = "utf-8"
    progress: bool = False
    """whether a bar on a terminal shows how much has been read"""
    encoding_set_by: str = "`--encoding`"
    text_set_by: str = "`--csv`"
    label_set_by: str = "`--labels`"
    labels_set_by: str = "the training of the model set them"

    @property
    def name(self) -> str:
        return "Standard input" if self.path == "-" else f"{self.path:.300}"


def checked(text: str, where: str, advice: str) -> str:
    """The text. Raises UserError, which says `where`, if it is longer than LONGEST, or no text: then with the advice."""
    if len(text) > LONGEST:
        raise UserError(f"{where} has more than {LONGEST:,} characters; cut it, or put each review on a separate line.")
    if "\0" in text or (not text.isascii() and re.search("[\ud800-\udfff]", text)):
        raise UserError(f"{where} is not text; {advice}.")
    return text


def read_lines(file: TextFile) -> Iterator[RawReview | None]:
    """The reviews of a file with one review per line. Blank lines at the end are ignored.

    None means that the next line has not arrived yet: the writer of the others may be waiting for answers.

    Raises UserError if the file can't be read, or a line is not of its encoding, too long, or the first and CSV or JSON.
    """
    answered = 0
    for number, line in lines_of(file):
        if number == 1:
            line = line.removeprefix("\ufeff")
            _refuse_csv_and_json(line, file.name)
        if not line:
            yield None
        elif not line.isspace():
            yield from (RawReview("", line=number) for number in range(answered + 1, number))
            yield RawReview(line.rstrip(LINE_ENDS), line=number)
            answered = number


def _refuse_csv_and_json(line: str, name: str) -> None:
    """Refuse a file whose first line is the header of a CSV file, or begins and ends as JSON does."""
    line = line.strip()
    columns = [column.strip('"').lower() for column in re.split(f"[{SEPARATORS}]", line)]
    # In a sentence, spaces stand behind the commas.
    named = len(columns) > 1 and USUAL_COLUMNS.intersection(columns) and columns == [column.strip()[:40] for column in columns]
    if named or re.fullmatch("sep=.", line):
        raise UserError(f"{name}, line 1 is the header of a CSV file; name the column of its reviews with `--csv`.")
    begins = re.fullmatch(r'[\[{]\s*(["\[{](.*[\[{,])?)?', line)
    with suppress(ValueError, RecursionError):
        if begins or (re.match(r'[\[{]\s*["\[{]', line) and json.loads(line)):
            raise UserError(f"{name}, line 1 is JSON; write one review per line, without JSON, or a CSV file and use `--csv`.")


def lines_of(file: TextFile) -> Iterator[tuple[int, str]]:
    """The lines and their numbers, each as it came. An empty one: the next has not arrived yet."""
    # Imported here: a text in an argument needs no bar.
    from tqdm import tqdm

    decoder = codecs.getincrementaldecoder(file.encoding)()
    advice = f"unpack a compressed file, or name the encoding, such as cp1252 or utf-16, with {file.encoding_set_by}"
    number, rest, last, wrong = 0, "", "", ""
    try:
        with (
            open(0 if file.path == "-" else file.path, "rb", buffering=0) as opened,
            tqdm(
                total=os.fstat(opened.fileno()).st_size or None,
                desc=os.path.basename(file.path), unit="B", unit_scale=True, leave=False,
                disable=None if file.progress else True,
            ) as bar,
        ):  # fmt: skip
            for chunk in chain(iter(partial(os.read, opened.fileno(), CHUNK), b""), [b""]):
                more_has_come = bool(select.select([opened], [], [], 0)[0])
                bar.update(len(chunk))
                try:
                    text = decoder.decode(chunk, not chunk)
                except UnicodeDecodeError as error:
                    text = error.object[: error.start].decode(file.encoding, "replace")
                    wrong = f"its byte 0x{error.object[error.start]:02x} can't be read"
                except UnicodeError as error:
                    text, wrong = "", str(error)
                # A \r ends its line at once: a \n that comes later is of that line.
                number -= last == "\r" and not rest and text[:1] == "\n"
                last = text[-1:]
                lines = io.StringIO(rest + text, newline="").readlines()
                ends = ("\n",) if more_has_come else ("\n", "\r")
                # A line that is too long is refused before its end has come.
                unfinished = (chunk or wrong) and lines and not lines[-1].endswith(ends) and len(lines[-1]) <= LONGEST
                rest = lines.pop() if unfinished else ""
                for line in lines:
                    number += 1
                    yield number, checked(line, f"{file.name}, line {number}", advice)
                if wrong:
                    where = f"{file.name}, line {number + 1}, column {len(rest) + 1}"
                    raise UserError(f"{where} is not {file.encoding} text ({wrong}); {advice}.")
                if not more_has_come:
                    yield number, ""
    except OSError as error:
        raise UserError(f"{file.name} can't be read: {error.strerror}.") from error
