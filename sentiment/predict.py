"""Predict the sentiment of texts: `python -m sentiment.predict --help`, or `imdb-sentiment --help` once installed."""

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import TextIO

from sentiment.common.errors import UserError, start_command

if __name__ == "__main__":
    # Before the imports, so that a missing package and Ctrl-C end in a sentence too.
    start_command()

from sentiment.common.files import atomic_write
from sentiment.common.parameters import LabelsSection
from sentiment.common.reviews import LABEL_NAMES
from sentiment.common.values import as_encoding
from sentiment.corpus.csv_rows import read_csv
from sentiment.corpus.text_files import RawReview, Row, TextFile, checked, read_lines
from sentiment.inference.classifier import Answer, Classifier, classify
from sentiment.inference.effects import ExplainedWord

# What is read, predicted and printed at a time: enough reviews to hide the cost per call. The characters bound the memory, to
# 0.3 GB; 1,024 of IMDB's longest reviews have fewer.
REVIEWS_AT_ONCE, CHARACTERS_AT_ONCE = 1024, 16_000_000
# Words of an explanation each way, and the colours of a terminal: yellow, magenta, and none again.
STRONGEST, FOR_POSITIVE, FOR_NEGATIVE, PLAIN = 5, "\x1b[33m", "\x1b[35m", "\x1b[m"


def one_line(text: str, width: int) -> str:
    """The text, cut to the width, without characters that control a terminal."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= width else f"{line[: width - 1]}…"


def batches(reviews: Iterable[RawReview | None]) -> Iterator[list[RawReview]]:
    """The reviews in lists, each of REVIEWS_AT_ONCE, or ended by a review that goes above CHARACTERS_AT_ONCE, or by None.

    Where the next review can't be read, those before it come first, and then the UserError.
    """
    batch: list[RawReview] = []
    characters = 0
    try:
        for review in chain(reviews, [None]):
            if review is not None:
                batch.append(review)
                characters += len(review.row.text if review.row else review.text)
            if batch and (review is None or len(batch) == REVIEWS_AT_ONCE or characters > CHARACTERS_AT_ONCE):
                yield batch
                batch, characters = [], 0
    except UserError:
        yield batch
        raise


def answer_all(reviews: Iterable[RawReview | None], classifier: Classifier) -> Iterator[tuple[RawReview, Answer]]:
    for batch in batches(reviews):
        yield from zip(batch, classifier.answer(review.text for review in batch), strict=True)


def explanation(text: str, words: list[ExplainedWord], starts_at: float, colours: bool) -> Iterator[str]:
    """Lines for people: where texts start, the words with the strongest effects each way, and how many were not seen."""
    yield f"    {'starts at':14}{starts_at:.4f}, the probability of no word at all"
    seen = [(word.effect, one_line(text[word.start : word.end], 30)) for word in words if word.effect is not None]
    for name, colour, sign in (LABEL_NAMES[1], FOR_POSITIVE, 1), (LABEL_NAMES[0], FOR_NEGATIVE, -1):
        strongest = sorted((word for word in seen if word[0] * sign > 0), key=lambda word: -abs(word[0]))[:STRONGEST]
        shown = "  ".join(f"{word} {effect:+.2f}" for effect, word in strongest)
        yield f"    {'for ' + name:14}{colour if colours else ''}{shown or '-'}{PLAIN if colours else ''}"
    yield f"    {'not seen':14}{len(words) - len(seen)} of {len(words)} words"


def print_comparison(counts: Counter, file: TextIO | None) -> None:
    """Print accuracy and confusion matrix."""
    labels = LABEL_NAMES[::-1]
    print("\nactual    predicted positive  negative  unknown", file=file)
    for actual in labels:
        positive, negative, unknown = (counts[actual, predicted] for predicted in (*labels, None))
        print(f"{actual}  {positive:18}  {negative:8}  {unknown:7}", file=file)
    known = sum(counts[actual, predicted] for actual in labels for predicted in labels)
    accuracy = f"{sum(counts[label, label] for label in labels) / known:.4f}" if known else "none"
    print(f"accuracy {accuracy}, unknown reviews aside", file=file)


def parse_arguments() -> argparse.Namespace:
    """The arguments of the command; wrong ones end it with argparse's sentence and status 2."""
    parser = argparse.ArgumentParser(
        "imdb-sentiment" if Path(sys.argv[0]).name == "imdb-sentiment" else "python -m sentiment.predict",
        description="Predict whether a review is positive or negative; it is unknown if the model knows none of its words.",
    )
    labels = "compare with the labels in this column, spelled as for training: print the confusion matrix and the accuracy"
    output = "write the rows of the CSV file with two more columns, the label and its probability, to this file"
    threshold = "call a review positive if its probability is above P (%(default)s), independent of `evaluate.threshold`"
    add = parser.add_argument
    add("texts", nargs="*", metavar="TEXT", help="a review; without one, reviews come from --file")
    add("--file", metavar="PATH", help="a file with one review per line; without it, or with -, standard input")
    add("--encoding", default="utf-8", metavar="NAME", help="the encoding of the file, such as cp1252 (%(default)s)")
    add("--csv", metavar="COLUMN", help="read a CSV file with a header; its reviews are in this column")
    add("--labels", metavar="COLUMN", help=labels)
    add("--output", type=Path, metavar="PATH", help=output)
    add("--model", type=Path, default=Path("data/model"), metavar="DIR", help="the model (%(default)s)")
    add("--threshold", type=float, default=0.5, metavar="P", help=threshold)
    add("--json", action="store_true", help="print a JSON object for each review")
    add("--explain", action="store_true", help="say what each word did: how much lower the logit is without it")
    arguments = parser.parse_args()
    if arguments.texts and (arguments.file, arguments.csv) != (None, None):
        parser.error("give texts or a file, not both")
    try:
        as_encoding(arguments.encoding)
    except ValueError as error:
        parser.error(f"argument --encoding {error}")
    if arguments.file == "":
        parser.error("argument --file: expected a path, or - for standard input")
    if arguments.labels is not None and arguments.csv is None:
        parser.error("argument --labels: not allowed without --csv")
    if arguments.output and (arguments.csv is None or arguments.json or arguments.explain):
        parser.error("argument --output: allowed only with --csv, and without --json and --explain")
    if arguments.output and os.path.exists(arguments.output) and not os.path.isfile(arguments.output):
        parser.error("argument --output: expected a file")
    if not 0 <= arguments.threshold <= 1:
        parser.error("argument --threshold: expected a number from 0 to 1")
    return arguments


def text_file(arguments: argparse.Namespace) -> TextFile:
    # On a terminal, the answers themselves show how far it is.
    progress = bool(arguments.output) or not (sys.stdout and sys.stdout.isatty())
    return TextFile(arguments.file or "-", arguments.encoding, progress)


def read_reviews(arguments: argparse.Namespace, labels: LabelsSection) -> Iterable[RawReview | None]:
    """The reviews that the arguments name; a file is read as its reviews are asked for, as `read_lines` and `read_csv` do."""
    if arguments.texts:
        advice = "convert it to UTF-8, or put it in a file and name its encoding with `--encoding`"
        return [RawReview(checked(text, f"Text {n}", advice), line=n) for n, text in enumerate(arguments.texts, start=1)]
    file = text_file(arguments)
    return read_lines(file) if arguments.csv is None else read_csv(file, arguments.csv, arguments.labels, labels)


def write_answers(arguments: argparse.Namespace, classifier: Classifier, counts: Counter) -> None:
    """Write the rows of the CSV file as they came, each with its answer behind it."""
    # A link stays a link.
    with atomic_write(arguments.output.resolve()) as part, part.open("w", encoding=arguments.encoding, newline="") as file:
        below: list[str] = []

        def write_header_or_keep_lines_below(row: Row) -> None:
            if not row.values:
                below.append(row.text)
                return
            names = ((f"predicted{end}", f"probability{end}") for end in chain([""], map("_{}".format, count(2))))
            file.write(row.extended(*next(both for both in names if not {*both} & {*row.values})))

        labels = classifier.model.preprocessing.labels
        reviews = read_csv(text_file(arguments), arguments.csv, arguments.labels, labels, write_header_or_keep_lines_below)
        for review, answer in answer_all(reviews, classifier):
            counts[review.label, answer.label] += 1
            probability = "" if answer.probability is None else f"{answer.probability:.6f}"
            file.write(review.row.extended(answer.label or "", probability))  # type: ignore[union-attr]
        file.write("".join(below))


def print_answers(arguments: argparse.Namespace, classifier: Classifier, counts: Counter) -> None:
    colours = bool(sys.stdout and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    width = max(1, shutil.get_terminal_size().columns - len("positive  0.0000  "))
    (starts_at,), _ = classify(classifier.model, [""])
    reviews = read_reviews(arguments, classifier.model.preprocessing.labels)
    for review, answer in answer_all(reviews, classifier):
        counts[review.label, answer.label] += 1
        words = classifier.explain(review.text) if arguments.explain else []
        if arguments.json:
            values: dict = {"line": review.line} | answer._asdict()
            if arguments.labels is not None:
                values["actual"] = review.label
            if arguments.explain:
                values["starts_at"] = starts_at
                values["words"] = [{"word": review.text[word.start : word.end]} | word._asdict() for word in words]
            print(json.dumps(json.loads(json.dumps(values), parse_float=lambda number: round(float(number), 6))))
        else:
            probability = "" if answer.probability is None else f"{answer.probability:.4f}"
            print(f"{answer.label or 'unknown':8}  {probability:6}  {one_line(review.text, width)}")
            if arguments.explain:
                print(*explanation(review.text, words, starts_at, colours), sep="\n")


def main() -> None:
    arguments = parse_arguments()
    if sys.stdout:
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    classifier = Classifier(arguments.model, arguments.threshold)
    if not arguments.texts and arguments.file in (None, "-") and os.isatty(0):
        wanted = "reviews, one per line" if arguments.csv is None else "a CSV file"
        print(f"Waiting for {wanted}; end with Ctrl-D on an empty line.", file=sys.stderr)
    counts: Counter = Counter()
    (write_answers if arguments.output else print_answers)(arguments, classifier, counts)
    if arguments.labels is not None:
        print_comparison(counts, sys.stderr if arguments.json else sys.stdout)


def command() -> None:
    """`imdb-sentiment`, as `pip install` sets it up."""
    start_command()
    main()


if __name__ == "__main__":
    main()
