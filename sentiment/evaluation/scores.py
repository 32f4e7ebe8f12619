"""Scores of predictions, as `metrics.json` has them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from sklearn import metrics

from sentiment.common.reviews import Padded


class Predicted(NamedTuple):
    """What a model says of n reviews, and what is true.

    y: labels, uint8, shape (n,); 1 = positive
    probabilities: of being positive, float64, shape (n,)
    """

    y: np.ndarray
    probabilities: np.ndarray


def predict_each(splits: Mapping[str, Padded], predict: Callable[[np.ndarray], np.ndarray]) -> dict[str, Predicted]:
    """Predictions for each split that has reviews; `predict` gives the probabilities, (n,), of ids, (n, maxlen)."""
    return {name: Predicted(padded.y, predict(padded.x)) for name, padded in splits.items() if len(padded.y)}


def score_each(predictions: Mapping[str, Predicted], threshold: float) -> dict[str, dict[str, float | None]]:
    """The metrics of the predictions for each split."""
    return {name: score(predicted, threshold) for name, predicted in predictions.items()}


def score(predicted: Predicted, threshold: float) -> dict[str, float | None]:
    """The metrics of predictions.

    As in Keras, a review counts as positive when its probability is above the threshold. Where all reviews have the same
    label, there is no ROC curve, and the area under it is None.
    """
    y, probabilities = predicted
    positive = probabilities > threshold
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(y, positive, average="binary", zero_division=0)
    return {
        "loss": float(metrics.log_loss(y, probabilities, labels=[0, 1])),
        "accuracy": float(metrics.accuracy_score(y, positive)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": float(metrics.roc_auc_score(y, probabilities)) if 0 < y.mean() < 1 else None,
    }
