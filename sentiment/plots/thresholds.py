"""What the threshold does to the predictions: ROC, precision and recall, confusion matrix. Each is a CSV file and a picture."""

from pathlib import Path

import numpy as np
from sklearn import metrics

from sentiment.common.files import write_csv
from sentiment.common.reviews import LABEL_NAMES
from sentiment.evaluation.scores import Predicted
from sentiment.plots.figures import REFERENCE, VALIDATION, new_figure, save_figure


def plot_roc(predicted: Predicted, csv_path: Path) -> None:
    """The true positive rate by the false positive rate, over all thresholds."""
    fpr, tpr, thresholds = metrics.roc_curve(predicted.y, predicted.probabilities)
    # The rate of a label that no review has is nan.
    fpr, tpr = np.nan_to_num(fpr), np.nan_to_num(tpr)
    # The curve starts where no review counts as positive; scikit-learn calls that threshold infinite.
    thresholds[0] = 1
    write_csv(csv_path, ["fpr", "tpr", "threshold"], zip(fpr, tpr, thresholds, strict=True))
    figure, axes = new_figure("ROC curve of the validation reviews", "false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], ":", color=REFERENCE, label="chance")
    axes.set_aspect("equal")
    axes.plot(fpr, tpr, color=VALIDATION, label="model")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    save_figure(figure, csv_path.with_suffix(".png"))


def plot_precision_recall(predicted: Predicted, csv_path: Path) -> None:
    """The precision by the recall, over all thresholds."""
    precision, recall, thresholds = metrics.precision_recall_curve(predicted.y, predicted.probabilities)
    # The last point, where no review counts as positive, comes without a threshold from scikit-learn.
    thresholds = np.append(thresholds, 1.0)
    # By rising recall: charts sort by it, and leave ties as they come.
    rising = zip(recall[::-1], precision[::-1], thresholds[::-1], strict=True)
    write_csv(csv_path, ["recall", "precision", "threshold"], rising)
    figure, axes = new_figure("Precision and recall of the validation reviews", "recall", "precision")
    axes.axhline(predicted.y.mean(), linestyle=":", color=REFERENCE, label="chance")
    axes.plot(recall, precision, color=VALIDATION, label="model")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    save_figure(figure, csv_path.with_suffix(".png"))


def plot_confusion(predicted: Predicted, threshold: float, csv_path: Path) -> None:
    """The labels that the reviews have and were given, a row a review."""
    names, positive = np.array(LABEL_NAMES), (predicted.probabilities > threshold).astype(np.uint8)
    write_csv(csv_path, ["actual", "predicted"], zip(names[predicted.y], names[positive], strict=True))
    figure, axes = new_figure("Confusion matrix of the validation reviews", "predicted", "actual")
    counts = metrics.confusion_matrix(predicted.y, positive, labels=[0, 1])
    metrics.ConfusionMatrixDisplay(counts, display_labels=names).plot(ax=axes, cmap="Blues", colorbar=False)
    axes.set(xlabel="predicted", ylabel="actual")
    save_figure(figure, csv_path.with_suffix(".png"))
