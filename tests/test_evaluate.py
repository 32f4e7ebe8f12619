import csv
import math

import numpy as np
import pytest

from stages import evaluate

Y = np.array([1, 0, 1, 0, 1], np.uint8)
PROBABILITIES = np.array([0.9, 0.6, 0.5, 0.2, 0.7])


def rows(path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_metrics_are_those_of_the_field():
    score = evaluate.score(Y, PROBABILITIES, threshold=0.5)
    loss = -np.mean(np.log([0.9, 0.4, 0.5, 0.8, 0.7]))
    assert score == {
        "loss": round(loss, 6),
        "accuracy": 0.6,
        "precision": round(2 / 3, 6),
        "recall": round(2 / 3, 6),
        "f1": round(2 / 3, 6),
        # 5 of the 6 pairs of a positive and a negative review are in the right order.
        "roc_auc": round(5 / 6, 6),
    }


def test_a_review_is_positive_above_the_threshold_not_at_it():
    assert evaluate.score(Y, PROBABILITIES, threshold=0.4999)["recall"] == 1
    assert evaluate.score(Y, PROBABILITIES, threshold=0.9)["recall"] == 0


@pytest.fixture
def plots(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate, "PLOTS", tmp_path)
    return tmp_path


def test_the_roc_curve_runs_from_no_review_to_all_of_them_in_finite_numbers(plots):
    evaluate.write_roc(Y, PROBABILITIES)
    points = [tuple(map(float, row.values())) for row in rows(plots / "roc.csv")]
    assert list(rows(plots / "roc.csv")[0]) == ["fpr", "tpr", "threshold"]
    assert points[0][:2] == (0, 0)
    assert points[-1][:2] == (1, 1)
    assert all(math.isfinite(number) for point in points for number in point)
    for fpr, tpr, threshold in points[1:]:
        assert fpr == round(np.mean(PROBABILITIES[Y == 0] >= threshold), 6)
        assert tpr == round(np.mean(PROBABILITIES[Y == 1] >= threshold), 6)


def test_the_precision_recall_curve_is_in_finite_numbers(plots):
    evaluate.write_precision_recall(Y, PROBABILITIES)
    points = [tuple(map(float, row.values())) for row in rows(plots / "precision_recall.csv")]
    assert list(rows(plots / "precision_recall.csv")[0]) == ["recall", "precision", "threshold"]
    assert points[-1][:2] == (0, 1)
    assert all(math.isfinite(number) for point in points for number in point)
    for recall, precision, threshold in points[:-1]:
        predicted = threshold <= PROBABILITIES
        assert recall == round(np.mean(predicted[Y == 1]), 6)
        assert precision == round(np.mean(Y[predicted]), 6)


def test_the_confusion_file_has_a_row_a_review_in_words(plots):
    evaluate.write_confusion(Y, np.array([1, 1, 0, 0, 1], np.uint8))
    assert [tuple(row.values()) for row in rows(plots / "confusion.csv")] == [
        ("positive", "positive"),
        ("negative", "positive"),
        ("positive", "negative"),
        ("negative", "negative"),
        ("positive", "positive"),
    ]


def test_the_pictures_are_png_files_with_the_same_bytes_each_time(plots):
    drawn = []
    for _ in range(2):
        evaluate.write_confusion(Y, Y)
        evaluate.write_roc(Y, PROBABILITIES)
        evaluate.write_precision_recall(Y, PROBABILITIES)
        drawn.append([path.read_bytes() for path in sorted(plots.glob("*.png"))])
    assert len(drawn[0]) == 3 and drawn[0] == drawn[1]
    assert all(picture.startswith(b"\x89PNG") for picture in drawn[0])


@pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.UndefinedMetricWarning", "ignore:Only one class")
@pytest.mark.parametrize("label", [0, 1])
def test_validation_reviews_of_one_label_alone_have_metrics_and_curves(plots, label):
    y, probabilities = np.full(3, label, np.uint8), np.array([0.2, 0.6, 0.9])
    score = evaluate.score(y, probabilities, threshold=0.5)
    assert score["accuracy"] == pytest.approx(2 / 3 if label else 1 / 3, abs=1e-6)
    assert score["roc_auc"] is None
    evaluate.write_confusion(y, (probabilities > 0.5).astype(np.uint8))
    evaluate.write_roc(y, probabilities)
    evaluate.write_precision_recall(y, probabilities)
    for name in "roc.csv", "precision_recall.csv":
        assert all(math.isfinite(float(number)) for row in rows(plots / name) for number in row.values())
