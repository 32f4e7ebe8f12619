"""Reviews from the columns of a CSV file, whose rows are kept as they came."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from sentiment.common.errors import UserError
from sentiment.common.parameters import LabelsSection
from sentiment.common.values import as_label
from sentiment.corpus.text_files import LINE_ENDS, LONGEST, SEPARATORS, RawReview, Row, TextFile, lines_of


def read_csv(
    file: TextFile, text: str, label: str | None, labels: LabelsSection, on_other: Callable[[Row], None] = lambda row: None
) -> Iterator[RawReview | None]:
    """The reviews of a CSV file, from its columns `text` and `label`; None as in `read_lines`.

    A row with a label that is ignored has none. `on_other` is given what holds no review: the header, and in a row without
    values the blank lines below the last review.

    Raises UserError as `read_lines` does, or if the file is not a CSV file, or lacks a column or a value, or has another label.
    """
    spellings = dict.fromkeys(labels.positive, "positive") | dict.fromkeys(labels.negative, "negative")
    known = [*spellings, *labels.ignore]
    wanted = {text: file.text_set_by} | ({} if label is None else {label: file.label_set_by})
    rows = _rows(file, wanted.keys())
    before = top = next((row for row in rows if row.values), Row(1, [], "", ""))
    where, header = f"{file.name}, line {top.line}" if top.text else file.name, top.values
    for column, set_by in wanted.items():
        if header.count(column) != 1:
            columns = ", ".join(map(repr, header)) or "none"
            found = f"{header.count(column)} columns" if column in header else "no column"
            raise UserError(f"{where} has {found} {column!r:.80}; its header has {columns:.300}: {set_by} names the column.")
    on_other(top)
    of_text, of_label = header.index(text), None if label is None else header.index(label)
    for row in rows:
        if not row.values:
            if row.text:
                on_other(row)
            else:
                yield None
            continue
        where = f"{file.name}, line {row.line}"
        if len(row.values) != len(header):
            advice = "add what is missing, and put a text with separators or line ends in double quotes"
            if not top.text.endswith("\r") and any(each.text.endswith("\r") for each in (before, row)):
                advice = "put the text in double quotes: it has a carriage return, which ends a row, as pandas writes it"
            raise UserError(f"{where} has {len(row.values)} values, but the header has {len(header)}; {advice}.")
        before = row
        spelled = "" if of_label is None else as_label(row.values[of_label])
        if of_label is not None:
            if spelled not in known:
                raise UserError(
                    f"{where} has the label {spelled!r:.50}, not one of {', '.join(known):.300}; {file.labels_set_by}."
                )
            if _holds_another_row(row, of_text, of_label, known):
                advice = "double the quotes in its text, and put the whole text in quotes"
                raise UserError(f"{where} starts a text in double quotes that holds the end of a row; {advice}.")
        yield RawReview(row.values[of_text], spellings.get(spelled), row.line, row)


def _holds_another_row(row: Row, of_text: int, of_label: int, known: list[str]) -> bool:
    """Whether a line of the text ends as a row does, or begins as one: with its label.

    So it is where a quotation mark that is part of the text opens it, and the next one stands some rows below.
    """
    text = row.values[of_text]
    if not any(end in text for end in LINE_ENDS):
        return False
    lines = re.split(f"[{LINE_ENDS}]+", text.lower())
    if of_label > of_text:
        lines, least, place = lines[:-1], len(row.values) - of_text, of_label - len(row.values)
    else:
        lines, least, place = lines[1:], of_text + 1, of_label
    # In a sentence, spaces stand behind the commas.
    split = (re.split(f"[{row.separator}](?! )", line) for line in lines)
    return any(len(values) >= least and values[place] in known for values in split)


def _rows(file: TextFile, wanted: Iterable[str]) -> Iterator[Row]:
    """The rows of a CSV file, each with the blank lines above it.

    One without values has the blank lines at the end. One without text, too: the next has not arrived yet.

    A row's line is counted as editors do: a carriage return ends one only if it ends the first.
    """
    csv.field_size_limit(LONGEST)
    lines, came, separator = (line for _, line in lines_of(file)), list[str](), ""
    number, line_end = 1, ""
    for line in lines:
        if not line:
            yield Row(number, [], "", "")
            continue
        line_end = line_end or ("\r" if line.endswith("\r") else "\n")
        start = number + "".join(came).count(line_end)
        named = None if separator else re.fullmatch(r"\ufeff?sep=(.)\s*", line)
        if named or not line.strip(LINE_ENDS):
            separator = named[1] if named else separator
            came.append(line)
            continue
        separator = separator or _separator(line, file.path, wanted)
        where = f"{file.name}, line {start}"
        try:
            values = next(csv.reader(_bounded(chain([line], lines), where, came), delimiter=separator, strict=True))
        except csv.Error as error:
            quotes = "put a text with separators, quotes or line ends in double quotes, and double the quotes in it"
            raise UserError(f"{where} starts a row that is not valid CSV ({error}); {quotes}.") from error
        yield Row(start, values, "".join(came), separator)
        number, came = number + "".join(came).count(line_end), []
    if came:
        yield Row(number, [], "".join(came), separator)


def _separator(header: str, path: str, wanted: Iterable[str]) -> str:
    """The one with which the header has the wanted columns; without such a one, the one with which it has the most."""
    columns = {each: next(csv.reader([header.lstrip("\ufeff")], delimiter=each), []) for each in SEPARATORS}
    usual = "\t" if path.endswith(".tsv") else ","
    return max(SEPARATORS, key=lambda each: ({*wanted} <= {*columns[each]}, len(columns[each]), each == usual))


def _bounded(lines: Iterable[str], where: str, came: list[str]) -> Iterator[str]:
    """The lines, from which the reader of CSV takes those of a row; they are added to `came`. UserError: more than LONGEST."""
    characters = 0
    for line in lines:
        came.append(line)
        characters += len(line)
        if characters > LONGEST:
            raise UserError(f"{where} starts a row above {LONGEST:,} characters; cut it, or close its double quotes.")
        yield line.removeprefix("\ufeff")
