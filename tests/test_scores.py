import math
from pathlib import Path

import numpy as np
import pytest
from helpers import rows
from scipy.special import logit

from sentiment.common.reviews import LABEL_NAMES
from sentiment.evaluation.scores import Predicted, score
from sentiment.plots.thresholds import plot_confusion, plot_precision_recall, plot_roc

Y = np.array([1, 0, 1, 0, 1], np.uint8)
PROBABILITIES = np.array([0.9, 0.6, 0.5, 0.2, 0.7])
PREDICTED = Predicted(Y, logit(PROBABILITIES))


def test_the_metrics_are_those_of_the_field():
    loss = -np.mean(np.log([0.9, 0.4, 0.5, 0.8, 0.7]))
    scores = score(PREDICTED, threshold=0.5)
    assert scores == pytest.approx(
        {
            "loss": loss,
            "accuracy": 0.6,
            "precision": 2 / 3,
            "recall": 2 / 3,
            "f1": 2 / 3,
            # 5 of the 6 pairs of a positive and a negative review are in the right order.
            "roc_auc": 5 / 6,
            "unknown": 0,
        },
        rel=0,
        abs=1e-12,
    )
    assert {type(value) for value in scores.values()} == {float, int}, "which JSON takes"


def test_a_review_is_positive_above_the_threshold_not_at_it():
    assert score(PREDICTED, threshold=0.4999)["recall"] == 1
    assert score(PREDICTED, threshold=0.9)["recall"] == 0


def curve(csv_path: Path) -> list[dict[str, float]]:
    """The points of a curve, all of them finite numbers."""
    points = [{name: float(number) for name, number in row.items()} for row in rows(csv_path)]
    assert all(math.isfinite(number) for point in points for number in point.values())
    return points


def test_the_roc_curve_runs_from_no_review_to_all_of_them(tmp_path):
    plot_roc(PREDICTED, tmp_path / "roc.csv")
    first, *points = curve(tmp_path / "roc.csv")
    assert first == {"fpr": 0, "tpr": 0, "threshold": 1}
    for point in points:
        positive = point["threshold"] <= PROBABILITIES
        assert (point["fpr"], point["tpr"]) == (round(positive[Y == 0].mean(), 6), round(positive[Y == 1].mean(), 6))
    assert (points[-1]["fpr"], points[-1]["tpr"]) == (1, 1)


def test_the_precision_recall_curve_is_by_rising_recall(tmp_path):
    plot_precision_recall(PREDICTED, tmp_path / "precision_recall.csv")
    first, *points = curve(tmp_path / "precision_recall.csv")
    assert first == {"recall": 0, "precision": 1, "threshold": 1}
    for point in points:
        positive = point["threshold"] <= PROBABILITIES
        assert (point["recall"], point["precision"]) == (round(positive[Y == 1].mean(), 6), round(Y[positive].mean(), 6))
    assert points == sorted(points, key=lambda point: point["recall"])


def test_the_confusion_file_has_a_row_a_review_in_words(tmp_path):
    plot_confusion(PREDICTED, 0.5, tmp_path / "confusion.csv")
    assert [tuple(row.values()) for row in rows(tmp_path / "confusion.csv")] == [
        ("positive", "positive"),
        ("negative", "positive"),
        ("positive", "negative"),  # 0.5, which is not above the threshold
        ("negative", "negative"),
        ("positive", "positive"),
    ]


@pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.UndefinedMetricWarning", "ignore:Only one class")
@pytest.mark.parametrize("label", [0, 1])
def test_validation_reviews_of_one_label_alone_have_metrics_and_curves(tmp_path, label):
    predicted = Predicted(np.full(3, label, np.uint8), logit([0.2, 0.6, 0.9]))
    scores = score(predicted, threshold=0.5)
    assert scores["accuracy"] == pytest.approx(2 / 3 if label else 1 / 3, abs=1e-6)
    assert scores["roc_auc"] is None
    for name, plot in {"roc": plot_roc, "precision_recall": plot_precision_recall}.items():
        plot(predicted, tmp_path / f"{name}.csv")
        assert curve(tmp_path / f"{name}.csv")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    plot_confusion(predicted, 0.5, tmp_path / "confusion.csv")
    assert {row["actual"] for row in rows(tmp_path / "confusion.csv")} == {LABEL_NAMES[label]}
