"""Predict the sentiment of texts: `python -m sentiment.predict --help`, or `imdb-sentiment --help` once installed."""

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from sentiment.common.errors import UserError, start_command

if __name__ == "__main__":
    # Before the imports, so that a missing package and Ctrl-C end in a sentence too.
    start_command()

from sentiment.common.parameters import LabelsSection
from sentiment.common.reviews import LABEL_NAMES
from sentiment.corpus.text_files import RawReview, read_csv, read_lines, to_text
from sentiment.inference.classifier import classify
from sentiment.inference.effects import ExplainedWord, explain
from sentiment.inference.model_folder import Model, read_model

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
                characters += len(review.text)
            if batch and (review is None or len(batch) == REVIEWS_AT_ONCE or characters > CHARACTERS_AT_ONCE):
                yield batch
                batch, characters = [], 0
    except UserError:
        yield batch
        raise


def predict_all(reviews: Iterable[RawReview | None], model: Model) -> Iterator[tuple[RawReview, float, int]]:
    """Each review, the probability that it is positive, and the number of its words that the model knows."""
    for batch in batches(reviews):
        probabilities, known_words = classify(model, [review.text for review in batch])
        yield from zip(batch, probabilities.tolist(), known_words.tolist(), strict=True)


def explanation(text: str, words: list[ExplainedWord], colours: bool) -> Iterator[str]:
    """Lines for people: the words with the strongest effects each way, and how many the network did not see."""
    seen = [(word.effect, one_line(text[word.start : word.end], 30)) for word in words if word.effect is not None]
    for name, colour, sign in (LABEL_NAMES[1], FOR_POSITIVE, 1), (LABEL_NAMES[0], FOR_NEGATIVE, -1):
        strongest = sorted((word for word in seen if word[0] * sign > 0), key=lambda word: -abs(word[0]))[:STRONGEST]
        shown = "  ".join(f"{word} {effect:+.2f}" for effect, word in strongest)
        yield f"    {'for ' + name:14}{colour if colours else ''}{shown or '-'}{PLAIN if colours else ''}"
    yield f"    {'not seen':14}{len(words) - len(seen)} of {len(words)} words"


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def explanation_in_json(text: str, words: list[ExplainedWord]) -> list[dict]:
    return [
        {"word": text[start:end], "start": start, "end": end, "effect": rounded(effect), "probability": rounded(probability)}
        for start, end, effect, probability in words
    ]


def comparison(counts: Counter[tuple[str | None, str | None]]) -> dict:
    """Accuracy and confusion matrix from the number of reviews by actual and predicted label; None is unknown."""
    labels = LABEL_NAMES[::-1]
    known = sum(counts[actual, predicted] for actual in labels for predicted in labels)
    return {
        "accuracy": round(sum(counts[label, label] for label in labels) / known, 6) if known else None,
        "confusion": [
            {"actual": actual, "predicted": predicted, "reviews": counts[actual, predicted]}
            for actual in labels
            for predicted in (*labels, None)
        ],
    }


def print_comparison(accuracy: float | None, confusion: list[dict]) -> None:
    """Print what `comparison` gives as a table."""
    print("\nactual    predicted positive  negative  unknown")
    for row in confusion[:3], confusion[3:]:
        positive, negative, unknown = (cell["reviews"] for cell in row)
        print(f"{row[0]['actual']}  {positive:18}  {negative:8}  {unknown:7}")
    print(f"accuracy {'none' if accuracy is None else f'{accuracy:.4f}'}, unknown reviews aside")


def parse_arguments() -> argparse.Namespace:
    """The arguments of the command; wrong ones end it with argparse's sentence and status 2."""
    parser = argparse.ArgumentParser(
        "imdb-sentiment" if Path(sys.argv[0]).name == "imdb-sentiment" else "python -m sentiment.predict",
        description="Predict whether a review is positive or negative; it is unknown if the model knows none of its words.",
    )
    labels = "compare with the labels in this column, spelled as for training: print the confusion matrix and the accuracy"
    threshold = "call a review positive if its probability is above P (%(default)s), independent of `evaluate.threshold`"
    add = parser.add_argument
    add("texts", nargs="*", metavar="TEXT", help="a review; without one, reviews come from --file")
    add("--file", metavar="PATH", help="a UTF-8 file with one review per line; without it, or with -, standard input")
    add("--csv", metavar="COLUMN", help="read a CSV file with a header; its reviews are in this column")
    add("--labels", metavar="COLUMN", help=labels)
    add("--model", type=Path, default=Path("data/model"), metavar="DIR", help="the model (%(default)s)")
    add("--threshold", type=float, default=0.5, metavar="P", help=threshold)
    add("--json", action="store_true", help="print a JSON object for each review")
    add("--explain", action="store_true", help="say what each word did: how much lower the logit is without it")
    arguments = parser.parse_args()
    if arguments.texts and (arguments.file, arguments.csv) != (None, None):
        parser.error("give texts or a file, not both")
    if arguments.file == "":
        parser.error("argument --file: expected a path, or - for standard input")
    if arguments.labels is not None and arguments.csv is None:
        parser.error("argument --labels: not allowed without --csv")
    if not 0 <= arguments.threshold <= 1:
        parser.error("argument --threshold: expected a number from 0 to 1")
    return arguments


def read_reviews(arguments: argparse.Namespace, labels: LabelsSection) -> Iterable[RawReview | None]:
    """The reviews that the arguments name; a file is read as its reviews are asked for, as `read_lines` and `read_csv` do."""
    path = arguments.file or "-"
    if arguments.texts:
        return [RawReview(to_text(os.fsencode(text), f"Text {n}")) for n, text in enumerate(arguments.texts, start=1)]
    return read_lines(path) if arguments.csv is None else read_csv(path, arguments.csv, arguments.labels, labels)


def main() -> None:
    arguments = parse_arguments()
    if sys.stdout:
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    model = read_model(arguments.model)
    if not arguments.texts and arguments.file in (None, "-") and os.isatty(0):
        wanted = "reviews, one per line" if arguments.csv is None else "a CSV file"
        print(f"Waiting for {wanted}; end with Ctrl-D on an empty line.", file=sys.stderr)
    colours = bool(sys.stdout and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    width = max(1, shutil.get_terminal_size().columns - len("positive  0.0000  "))
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for review, probability, known_words in predict_all(read_reviews(arguments, model.preprocessing.labels), model):
        label = LABEL_NAMES[probability > arguments.threshold] if known_words else None
        counts[review.label, label] += 1
        words = explain(model, review.text) if arguments.explain else []
        if arguments.json:
            answer = {"label": label, "probability": rounded(probability) if known_words else None, "known_words": known_words}
            print(json.dumps(answer | ({"words": explanation_in_json(review.text, words)} if arguments.explain else {})))
        else:
            print(f"{label or 'unknown':8}  {f'{probability:.4f}' if label else '':6}  {one_line(review.text, width)}")
            if arguments.explain:
                print(*explanation(review.text, words, colours), sep="\n")
    if arguments.labels is not None:
        compared = comparison(counts)
        print(json.dumps(compared)) if arguments.json else print_comparison(**compared)


def command() -> None:
    """`imdb-sentiment`, as `pip install` sets it up."""
    start_command()
    main()


if __name__ == "__main__":
    main()
