import math

import numpy as np
import pytest
from helpers import rows
from scipy.special import logit

from sentiment.evaluation.scores import Predicted, score
from sentiment.plots.thresholds import plot_confusion, plot_precision_recall, plot_roc

Y = np.array([1, 0, 1, 0, 1], np.uint8)
PROBABILITIES = np.array([0.9, 0.6, 0.5, 0.2, 0.7])
PREDICTED = Predicted(Y, logit(PROBABILITIES))


def plot_all(predicted: Predicted, folder) -> None:
    plot_confusion(predicted, 0.5, folder / "confusion.csv")
    plot_roc(predicted, folder / "roc.csv")
    plot_precision_recall(predicted, folder / "precision_recall.csv")


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
        },
        rel=0,
        abs=1e-12,
    )
    assert {type(value) for value in scores.values()} == {float}, "which JSON takes"


def test_a_review_is_positive_above_the_threshold_not_at_it(tmp_path):
    assert score(PREDICTED, threshold=0.4999)["recall"] == 1
    assert score(PREDICTED, threshold=0.9)["recall"] == 0
    plot_confusion(PREDICTED, 0.9, tmp_path / "confusion.csv")
    assert {row["predicted"] for row in rows(tmp_path / "confusion.csv")} == {"negative"}


def test_the_roc_curve_runs_from_no_review_to_all_of_them_in_finite_numbers(tmp_path):
    plot_roc(PREDICTED, tmp_path / "roc.csv")
    points = [tuple(map(float, row.values())) for row in rows(tmp_path / "roc.csv")]
    assert list(rows(tmp_path / "roc.csv")[0]) == ["fpr", "tpr", "threshold"]
    assert points[0][:2] == (0, 0)
    assert points[-1][:2] == (1, 1)
    assert all(math.isfinite(number) for point in points for number in point)
    for fpr, tpr, threshold in points[1:]:
        assert fpr == round(np.mean(PROBABILITIES[Y == 0] >= threshold), 6)
        assert tpr == round(np.mean(PROBABILITIES[Y == 1] >= threshold), 6)


def test_the_precision_recall_curve_is_in_finite_numbers_by_rising_recall(tmp_path):
    plot_precision_recall(PREDICTED, tmp_path / "precision_recall.csv")
    points = [tuple(map(float, row.values())) for row in rows(tmp_path / "precision_recall.csv")]
    assert list(rows(tmp_path / "precision_recall.csv")[0]) == ["recall", "precision", "threshold"]
    assert points[0][:2] == (0, 1)
    assert [point[0] for point in points] == sorted(point[0] for point in points)
    assert all(math.isfinite(number) for point in points for number in point)
    for recall, precision, threshold in points[1:]:
        predicted = threshold <= PROBABILITIES
        assert recall == round(np.mean(predicted[Y == 1]), 6)
        assert precision == round(np.mean(Y[predicted]), 6)


def test_the_confusion_file_has_a_row_a_review_in_words(tmp_path):
    plot_confusion(PREDICTED, 0.5, tmp_path / "confusion.csv")
    assert [tuple(row.values()) for row in rows(tmp_path / "confusion.csv")] == [
        ("positive", "positive"),
        ("negative", "positive"),
        ("positive", "negative"),
        ("negative", "negative"),
        ("positive", "positive"),
    ]


def test_the_pictures_are_png_files_with_the_same_bytes_each_time(tmp_path):
    drawn = []
    for _ in range(2):
        plot_all(PREDICTED, tmp_path)
        drawn.append([path.read_bytes() for path in sorted(tmp_path.glob("*.png"))])
    assert len(drawn[0]) == 3 and drawn[0] == drawn[1]
    assert all(picture.startswith(b"\x89PNG") for picture in drawn[0])


@pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.UndefinedMetricWarning", "ignore:Only one class")
@pytest.mark.parametrize("label", [0, 1])
def test_validation_reviews_of_one_label_alone_have_metrics_and_curves(tmp_path, label):
    predicted = Predicted(np.full(3, label, np.uint8), logit([0.2, 0.6, 0.9]))
    scores = score(predicted, threshold=0.5)
    assert scores["accuracy"] == pytest.approx(2 / 3 if label else 1 / 3, abs=1e-6)
    assert scores["roc_auc"] is None
    plot_all(predicted, tmp_path)
    for name in "roc.csv", "precision_recall.csv":
        assert all(math.isfinite(float(number)) for row in rows(tmp_path / name) for number in row.values())
