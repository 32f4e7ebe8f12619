"""Predictions of a trained model for raw texts."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sentiment.common.reviews import LABEL_NAMES, join
from sentiment.corpus.encoding import encode
from sentiment.corpus.tokenizers import TOKENIZERS
from sentiment.inference.effects import ExplainedWord, explain
from sentiment.inference.forward import probabilities
from sentiment.inference.model_folder import Model, read_model
from sentiment.preprocessing import keep_frequent, pad


def classify(model: Model, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The probability that each of n texts is positive, and how many of its words the model knows: float64 and int64, (n,).

    A text becomes the model's input as the model's folder says, independent of the current params.yaml; for a model of IMDB,
    after `as_ascii`. Without a known word, it is padding alone, and the probability says nothing of the text.
    """
    tokens_of = TOKENIZERS[model.preprocessing.tokenizer]
    # Any label: it plays no part.
    reviews = join((encode(tokens_of(text), model.ranks), 0) for text in texts)
    known = keep_frequent(reviews, model.preprocessing)
    return probabilities(model.network, pad(known, model.preprocessing).x), known.lengths


class Answer(NamedTuple):
    """What a model says of a text. Of one without a word that it knows, label and probability are None."""

    label: str | None
    probability: float | None
    known_words: int


class Classifier:
    """A trained model for programs, with the names of scikit-learn. Threads can share it, and it can be pickled."""

    classes_ = LABEL_NAMES

    def __init__(self, folder: Path | str, threshold: float = 0.5) -> None:
        """Of the folder that train wrote; a text is positive above the threshold. Raises UserError as `read_model` does."""
        self.model, self.threshold = read_model(Path(folder)), threshold

    def answer(self, texts: Iterable[str]) -> list[Answer]:
        """All at once for each text."""
        if isinstance(texts, str):
            raise TypeError("give a list of texts, not one text")
        found = zip(*(array.tolist() for array in classify(self.model, list(texts))), strict=True)
        return [Answer(LABEL_NAMES[int(p > self.threshold)], p, n) if n else Answer(None, None, 0) for p, n in found]

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """The label of each of n texts, or None: objects, (n,)."""
        return np.array([answer.label for answer in self.answer(texts)], object)

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """The probabilities that each of n texts is negative and positive, or NaN: float64, (n, 2)."""
        positive = np.array([answer.probability for answer in self.answer(texts)], float)
        return np.column_stack([1 - positive, positive])

    def explain(self, text: str) -> list[ExplainedWord]:
        return explain(self.model, text)
