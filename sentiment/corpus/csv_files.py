"""The source `csv`: the user's own reviews: a file for training and, optionally, one for testing."""

import os
from collections.abc import Iterator
from pathlib import Path

from sentiment.common.errors import UserError
from sentiment.common.parameters import CsvSection, LabelsSection
from sentiment.corpus.csv_rows import read_csv
from sentiment.corpus.encoding import Dataset, rank_all
from sentiment.corpus.text_files import LINE_ENDS, TextFile
from sentiment.corpus.tokenizers import TOKENIZERS


def from_csv(csv: CsvSection, checkout: Path) -> Dataset:
    """The reviews of a folder, in the order of its files. Words of the same count are ranked as they first come.

    Raises UserError if there is no training file, a file can't be used, or it exists only in the main checkout.
    """
    train, test = (reviews_file(csv.folder, name, checkout) for name in ("train", "test"))
    if not train:
        others = "or set `fetch.csv.folder` to another folder, or `fetch.source` to another source"
        raise UserError(f"{csv.folder} has neither train.csv nor train.tsv: put your reviews there, {others}.")
    training, testing = _labelled(train, csv), _labelled(test, csv) if test else ()
    dataset = rank_all(training, testing, lambda counts: sorted(counts, key=counts.__getitem__, reverse=True))
    positive, negative = (int((dataset.train.labels == label).sum()) for label in (1, 0))
    if not (positive and negative and dataset.vocabulary):
        found = f"{positive} positive and {negative} negative reviews, with {len(dataset.vocabulary)} different {csv.tokens}"
        raise UserError(f"{train} has {found}: it needs a review of each class, and a letter; see `fetch.csv` in params.yaml.")
    if test and not len(dataset.test.labels):
        raise UserError(f"{test} has no review: add some, or remove the file.")
    labels = LabelsSection(positive=csv.positive, negative=csv.negative, ignore=csv.ignore)
    return dataset._replace(tokenizer=csv.tokens, labels=labels)


def reviews_file(folder: str, name: str, checkout: Path) -> Path | None:
    """The file of this name in CSV or TSV, if there is one."""
    both = Path(folder, f"{name}.csv"), Path(folder, f"{name}.tsv")
    paths = [path for path in both if os.path.lexists(path) or os.path.lexists(checkout / path)]
    for path in paths:
        if not os.path.lexists(path):
            missing = f"{path} is missing in the folder of this experiment, which has what git or DVC tracks"
            raise UserError(f"{missing}: run `dvc add {path}`, and commit what it writes.")
        if not path.is_file():
            raise UserError(f"{path} is no file, nor a link to one: put your reviews there.")
    if len(paths) > 1:
        raise UserError(f"{folder} has both {name}.csv and {name}.tsv: remove the one that is not to be read.")
    return next(iter(paths), None)


def text_file(path: Path, csv: CsvSection) -> TextFile:
    """The file, with the parameters that its messages name."""
    return TextFile(
        str(path),
        csv.encoding,
        progress=True,
        encoding_set_by="`fetch.csv.encoding`",
        text_set_by="`fetch.csv.text`",
        label_set_by="`fetch.csv.label`",
        labels_set_by="`fetch.csv.positive` and `fetch.csv.negative` have them, and `fetch.csv.ignore` leaves rows out",
    )


def _labelled(path: Path, csv: CsvSection) -> Iterator[tuple[list[bytes], int]]:
    """The tokens and the label of each row, but for those whose label is ignored."""
    ignored = of_several_lines = 0
    # Skip the marker for a row that has not arrived yet.
    for text, label, line, _ in filter(None, read_csv(text_file(path, csv), csv.text, csv.label, csv)):
        if label is None:
            ignored += 1
            continue
        if not text.strip():
            raise UserError(f"{path}, line {line} has no text in the column {csv.text!r}: write it, or remove the row.")
        of_several_lines += any(end in text.strip() for end in LINE_ENDS)
        yield TOKENIZERS[csv.tokens](text), int(label == "positive")
    if of_several_lines:
        print(f"{path}: texts of several lines: {of_several_lines}")
    if ignored:
        print(f"{path}: rows left out for their label: {ignored}")
