"""Predict the sentiment of texts: `python -m sentiment.predict --help`."""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.errors import UserError, start_command

if TYPE_CHECKING:
    from sentiment.predictions import Predict

# Texts that are read, predicted and printed at a time: enough of them to hide the cost per call.
AT_ONCE = 1024


def read_lines(path: str | None) -> Iterator[bytes]:
    """The lines of a file, or of standard input, which end at newline alone.

    Raises:
        UserError: the file can't be read.
    """
    try:
        with open(path or 0, "rb") as file:
            for line in file:
                yield line.removesuffix(b"\n")
    except OSError as error:
        raise UserError(f"{path or 'Standard input'} can't be read: {error.strerror}.") from error


def one_line(text: bytes, width: int) -> str:
    """The text, or as much of it as fits the width, without characters that would steer a terminal."""
    line = "".join(character if character.isprintable() else " " for character in text.decode(errors="replace"))
    return line if len(line) <= width else f"{line[: width - 1]}…"


def predict_all(texts: Iterable[bytes], predict: "Predict") -> Iterator[tuple[bytes, float, int]]:
    """Each text, the probability that it is positive, and the number of its words that the model knows."""
    remaining = iter(texts)
    while batch := list(islice(remaining, AT_ONCE)):
        probabilities, known_words = predict(batch)
        yield from zip(batch, probabilities.tolist(), known_words.tolist(), strict=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m sentiment.predict",
        description="Predict whether reviews are positive or negative: positive with a probability above 0.5.",
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a review (none: the lines of the file)")
    parser.add_argument("--file", help="a file with a review a line, ended by newline alone (none: standard input)")
    parser.add_argument("--model", type=Path, default=Path("data/model"), metavar="DIR", help="the model (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each review")
    arguments = parser.parse_args()
    if arguments.texts and arguments.file:
        parser.error("give texts or a file, not both")
    if sys.stdout:
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]

    # Imported here, for TensorFlow takes seconds: --help and a wrong option are answered at once.
    from sentiment.predictions import text_predictor

    texts = map(os.fsencode, arguments.texts) if arguments.texts else read_lines(arguments.file)
    width = max(1, shutil.get_terminal_size().columns - len("positive  0.0000  "))
    for text, probability, known_words in predict_all(texts, text_predictor(arguments.model)):
        label = "positive" if probability > 0.5 else "negative"
        if arguments.json:
            print(json.dumps({"label": label, "probability": round(probability, 6), "known_words": known_words}))
        else:
            note = "" if known_words else "(no known word) "
            print(f"{label}  {probability:.4f}  {one_line(note.encode() + text, width)}")


if __name__ == "__main__":
    start_command()
    main()
