"""Predict the sentiment of texts: `python -m stages.predict --help`.

A text becomes the model's input by the functions of the pipeline, with the vocabulary and the preprocessing that the folder
of the model holds, whatever params.yaml says now.
"""

import argparse
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from stages import StageError
from stages.encoding import encode, tokenise
from stages.files import rounded
from stages.network import predictor, read_model, vocabulary_size
from stages.pad import pad
from stages.params import Section
from stages.reviews import join
from stages.split import keep_frequent

# Texts that are read, predicted and printed at a time: as many as keep the start of each of these steps out of account.
AT_ONCE = 1024


class Preprocessing(Section):
    """preprocessing.json: how a text becomes the input of the model beside it, as train wrote it."""

    num_words: int
    skip_top: int
    maxlen: int
    padding: Literal["pre", "post"]
    truncating: Literal["pre", "post"]


Predict = Callable[[list[bytes]], tuple[np.ndarray, np.ndarray]]


def text_predictor(folder: Path) -> Predict:
    """A function of n UTF-8 texts to the probability that each is positive and the number of its words that the model knows.

    They are float64 and int64, both of shape (n,). A text without a known word is padding alone to the model.

    Raises:
        StageError: the folder holds no whole model.
    """
    if not (folder / "model.keras").exists():
        raise StageError(
            f"{folder} has no model: run `make` or `dvc repro`, which train one, or name its folder with `--model`."
        )
    model = read_model(folder / "model.keras")
    try:
        *words, after_last_newline = (folder / "vocabulary.txt").read_bytes().split(b"\n")
        preprocessing = Preprocessing.model_validate_json((folder / "preprocessing.json").read_bytes())
        if not words or after_last_newline:
            raise ValueError("vocabulary.txt is cut")
        if (model.input_shape[1], vocabulary_size(model)) != (preprocessing.maxlen, preprocessing.num_words):
            raise ValueError("model.keras and preprocessing.json are of different models")
    except (OSError, ValueError, AttributeError) as error:
        what = " ".join(str(error).split())
        raise StageError(f"{folder} is not whole ({what}); copy it again, or run `dvc repro` to make it again.") from error
    ranks = {word: rank for rank, word in enumerate(words, start=1)}
    probabilities = predictor(model)

    def predict(texts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
        no_labels = np.zeros(len(texts), np.uint8)
        reviews = join([encode(tokenise(text), ranks) for text in texts], no_labels)
        known = keep_frequent(reviews, preprocessing.num_words, preprocessing.skip_top)
        x = pad(known, preprocessing.maxlen, preprocessing.padding, preprocessing.truncating)
        return probabilities(x), known.lengths

    return predict


def read_lines(path: str | None) -> Iterator[bytes]:
    """The lines of a file, or of standard input, which end at newline alone.

    Raises:
        StageError: the file can't be read.
    """
    try:
        with open(path or 0, "rb") as file:
            for line in file:
                yield line.removesuffix(b"\n")
    except OSError as error:
        raise StageError(f"{path or 'Standard input'} can't be read: {error.strerror}.") from error


def one_line(text: bytes, width: int) -> str:
    """The text, or as much of it as fits the width, without characters that would steer a terminal."""
    line = "".join(character if character.isprintable() else " " for character in text.decode(errors="replace"))
    return line if len(line) <= width else f"{line[: width - 1]}…"


def predict_all(texts: Iterable[bytes], predict: Predict) -> Iterator[tuple[bytes, float, int]]:
    """Each text, the probability that it is positive, and the number of its words that the model knows."""
    remaining = iter(texts)
    while batch := list(islice(remaining, AT_ONCE)):
        yield from zip(batch, *map(np.ndarray.tolist, predict(batch)), strict=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m stages.predict",
        description="Predict whether reviews are positive or negative: positive with a probability above 0.5.",
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a review (none: the lines of the file)")
    parser.add_argument("--file", help="a file with a review a line, ended by newline alone (none: standard input)")
    parser.add_argument("--model", type=Path, default=Path("data/model"), metavar="DIR", help="the model (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each review")
    arguments = parser.parse_args()
    if arguments.texts and arguments.file:
        parser.error("give texts or a file, not both")
    # Ended by its reader, as by `| head`, it ends without a word.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]

    texts = map(os.fsencode, arguments.texts) if arguments.texts else read_lines(arguments.file)
    width = max(1, shutil.get_terminal_size().columns - len("positive  0.0000  "))
    try:
        for text, probability, known_words in predict_all(texts, text_predictor(arguments.model)):
            label = "positive" if probability > 0.5 else "negative"
            if arguments.json:
                print(json.dumps({"label": label, "probability": rounded(probability), "known_words": known_words}))
            else:
                note = "" if known_words else "(no known word) "
                print(f"{label}  {probability:.4f}  {one_line(note.encode() + text, width)}")
        sys.stdout.flush()
    except OSError as error:
        raise StageError(f"Standard output can't be written: {error.strerror}.") from error


if __name__ == "__main__":
    main()
