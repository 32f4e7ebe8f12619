"""What a saved model says of raw texts."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from sentiment.common.errors import UserError
from sentiment.common.parameters import Section
from sentiment.common.reviews import join
from sentiment.corpus.encoding import encode, tokenise
from sentiment.preprocessing import keep_frequent, pad
from sentiment.training.network import predictor, vocabulary_size
from sentiment.training.saving import read_model

Predict = Callable[[list[str]], tuple[np.ndarray, np.ndarray]]


class Preprocessing(Section):
    """How a review becomes the model's input; the fields mean what they mean in params.yaml."""

    num_words: int
    skip_top: int
    maxlen: int
    padding: Literal["pre", "post"]
    truncating: Literal["pre", "post"]


def text_predictor(folder: Path) -> Predict:
    """A function of n texts, which gives the probability that each is positive and how many of its words the model knows.

    They are float64 and int64, both of shape (n,). A text becomes the model's input with the vocabulary and the
    preprocessing in the model's folder, whatever params.yaml says now. Without a known word, it is padding alone, and the
    probability says nothing of the text.

    Raises:
        UserError: the folder holds no whole model.
    """
    if not (folder / "model.keras").exists():
        raise UserError(
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
        raise UserError(f"{folder} is not whole ({what}); copy it again, or run `dvc repro` to make it again.") from error
    ranks = {word: rank for rank, word in enumerate(words, start=1)}
    probabilities = predictor(model)

    def predict(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        reviews = join([encode(tokenise(text.encode()), ranks) for text in texts], labels=np.zeros(len(texts)))
        known = keep_frequent(reviews, preprocessing.num_words, preprocessing.skip_top)
        padded = pad(known, preprocessing.maxlen, preprocessing.padding, preprocessing.truncating)
        return probabilities(padded.x), known.lengths

    return predict
