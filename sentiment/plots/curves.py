"""Curves as CSV files and as pictures: loss and accuracy by epoch, and what the threshold does to the predictions."""

from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn import metrics

from sentiment.common.files import write_csv
from sentiment.evaluation.scores import Predicted
from sentiment.plots.figures import REFERENCE, TRAINING, VALIDATION, new_figure, save_figure

LABELS = np.array(["negative", "positive"])


def draw_history(history: np.ndarray, metric: str, ylabel: str, path: Path) -> None:
    """Draw one metric by epoch, training beside validation, from the columns of history.csv."""
    figure, axes = new_figure(f"{metric.capitalize()} by epoch", "epoch", ylabel)
    axes.plot(history["epoch"], history[metric], "o-", color=TRAINING, label="training")
    axes.plot(history["epoch"], history[f"val_{metric}"], "s--", color=VALIDATION, label="validation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)


def write_roc(predicted: Predicted, csv_path: Path) -> None:
    """The true positive rate by the false positive rate, over all thresholds."""
    fpr, tpr, thresholds = metrics.roc_curve(*predicted)
    # The rate of a label that no review has is nan.
    fpr, tpr = np.nan_to_num(fpr), np.nan_to_num(tpr)
    # The curve starts where no review counts as positive; scikit-learn calls that threshold infinite.
    thresholds[0] = 1
    figure, axes = new_figure("ROC curve of the validation reviews", "false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], ":", color=REFERENCE, label="chance")
    axes.set_aspect("equal")
    _write_curve({"fpr": fpr, "tpr": tpr, "threshold": thresholds}, figure, "lower right", csv_path)


def write_precision_recall(predicted: Predicted, csv_path: Path) -> None:
    """The precision by the recall, over all thresholds."""
    precision, recall, thresholds = metrics.precision_recall_curve(*predicted)
    # The last point, where no review counts as positive, comes without a threshold from scikit-learn.
    thresholds = np.append(thresholds, 1.0)
    figure, axes = new_figure("Precision and recall of the validation reviews", "recall", "precision")
    axes.axhline(predicted.y.mean(), linestyle=":", color=REFERENCE, label="chance")
    _write_curve({"recall": recall, "precision": precision, "threshold": thresholds}, figure, "lower left", csv_path)


def _write_curve(
    columns: dict[str, np.ndarray], figure: Figure, legend: Literal["lower left", "lower right"], csv_path: Path
) -> None:
    """Write the columns to a file, and the second one by the first one to a picture beside it."""
    write_csv(csv_path, list(columns), zip(*columns.values(), strict=True))
    x, y, _ = columns.values()
    (axes,) = figure.axes
    axes.plot(x, y, color=VALIDATION, label="model")
    axes.grid(alpha=0.3)
    axes.legend(loc=legend)
    save_figure(figure, csv_path.with_suffix(".png"))


def write_confusion(predicted: Predicted, threshold: float, csv_path: Path) -> None:
    """The labels that the reviews have and were given, a row a review."""
    positive = (predicted.probabilities > threshold).astype(np.uint8)
    write_csv(csv_path, ["actual", "predicted"], zip(LABELS[predicted.y], LABELS[positive], strict=True))
    figure, axes = new_figure("Confusion matrix of the validation reviews", "predicted", "actual")
    counts = metrics.confusion_matrix(predicted.y, positive, labels=[0, 1])
    metrics.ConfusionMatrixDisplay(counts, display_labels=LABELS).plot(ax=axes, cmap="Blues", colorbar=False)
    axes.set(xlabel="predicted", ylabel="actual")
    save_figure(figure, csv_path.with_suffix(".png"))
