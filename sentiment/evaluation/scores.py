"""Scores of predictions, as `metrics.json` has them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from sklearn import metrics

from sentiment.common.reviews import Padded


class Predicted(NamedTuple):
    """What a model says of n reviews, and what is true.

    y: labels, uint8, shape (n,); 1 = positive
    logits: float64, shape (n,); above 0 = positive is more likely
    """

    y: np.ndarray
    logits: np.ndarray
    unknown: int = 0
    """reviews beside them of which the model knows no word"""

    @property
    def probabilities(self) -> np.ndarray:
        """Of being positive, float64, shape (n,), rounded to 10 decimals: the last bits differ between processors."""
        return np.round(0.5 + 0.5 * np.tanh(0.5 * self.logits), 10)


def predict_each(splits: Mapping[str, Padded], predict: Callable[[np.ndarray], np.ndarray]) -> dict[str, Predicted]:
    """Predictions for each split that has reviews; `predict` gives the logits, (n,), of ids, (n, maxlen).

    Reviews without a known word are left aside, as in predictions for files; where there are no others, they are scored.
    """
    predictions = {}
    for name, (x, y) in splits.items():
        known = x.any(axis=1) | (not x.any())
        if len(y):
            predictions[name] = Predicted(y[known], predict(x[known]), int((~known).sum()))
    return predictions


def score_each(predictions: Mapping[str, Predicted], threshold: float) -> dict[str, dict[str, float | None]]:
    """The metrics of the predictions for each split."""
    return {name: score(predicted, threshold) for name, predicted in predictions.items()}


def score(predicted: Predicted, threshold: float) -> dict[str, float | None]:
    """The metrics of predictions.

    As in Keras, a review counts as positive when its probability is above the threshold. Where all reviews have the same
    label, there is no ROC curve, and the area under it is None.
    """
    y, logits, unknown = predicted
    probabilities = predicted.probabilities
    positive = probabilities > threshold
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(y, positive, average="binary", zero_division=0)
    return {
        # From the logits, as in training: a probability of 0 or 1 would have to be cut, or its loss be infinite.
        "loss": float(np.logaddexp(0, np.where(y > 0, -logits, logits)).mean()),
        "accuracy": float(metrics.accuracy_score(y, positive)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": float(metrics.roc_auc_score(y, probabilities)) if 0 < y.mean() < 1 else None,
        "unknown": unknown,
    }
