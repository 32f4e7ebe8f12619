"""Evaluate the trained model.

Takes data/model and data/padded/*.npz. Writes metrics/metrics.json, for the validation reviews and, where the source has
test reviews, for these; and of the validation reviews plots/{confusion,roc,precision_recall}.csv and a picture of each.
"""

import json
from pathlib import Path

import numpy as np
from sklearn import metrics

from stages.figures import REFERENCE, VALIDATION, new_figure, save_figure
from stages.files import load_arrays, rounded, write_csv, written_whole
from stages.network import predictor, read_model, vocabulary_size
from stages.params import read_params
from stages.pinned_tensorflow import keras

MODEL = Path("data/model")
PADDED = Path("data/padded")
METRICS = Path("metrics/metrics.json")
PLOTS = Path("plots")
LABELS = np.array(["negative", "positive"])


def score(y: np.ndarray, probabilities: np.ndarray, threshold: float) -> dict[str, float | None]:
    """The metrics of the predictions for labels `y` (uint8) and probabilities of a positive review (float64).

    As in Keras, a review counts as positive when its probability is above the threshold. Where all reviews have the same
    label, there is no ROC curve, and the area under it is None.
    """
    predicted = probabilities > threshold
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(y, predicted, average="binary", zero_division=0)
    return {
        "loss": rounded(metrics.log_loss(y, probabilities, labels=[0, 1])),
        "accuracy": rounded(metrics.accuracy_score(y, predicted)),
        "precision": rounded(precision),
        "recall": rounded(recall),
        "f1": rounded(f1),
        "roc_auc": rounded(metrics.roc_auc_score(y, probabilities)) if 0 < y.mean() < 1 else None,
    }


def measure(model: keras.Model, train_ids: np.ndarray) -> dict[str, int]:
    """The number of parameters, and the bytes of the training input, (n, maxlen), as the first layer takes it.

    An embedding takes ids of 4 bytes; a cell without one takes a one-hot vector of float32 for each.
    """
    values_of_a_token = 1 if isinstance(model.layers[0], keras.layers.Embedding) else vocabulary_size(model)
    return {"parameters": model.count_params(), "input_bytes": train_ids.size * values_of_a_token * 4}


def write_roc(y: np.ndarray, probabilities: np.ndarray) -> None:
    """The true positive rate by the false positive rate, over all thresholds."""
    fpr, tpr, thresholds = metrics.roc_curve(y, probabilities)
    # The rate of a label that no review has is nan.
    fpr, tpr = np.nan_to_num(fpr), np.nan_to_num(tpr)
    # The curve starts where no review counts as positive; scikit-learn calls that threshold infinite.
    thresholds[0] = 1
    write_csv(PLOTS / "roc.csv", ["fpr", "tpr", "threshold"], zip(fpr, tpr, thresholds, strict=True))
    figure, axes = new_figure("ROC curve of the validation reviews", "false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], ":", color=REFERENCE, label="chance")
    axes.plot(fpr, tpr, color=VALIDATION, label="model")
    axes.set_aspect("equal")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    save_figure(figure, PLOTS / "roc.png")


def write_precision_recall(y: np.ndarray, probabilities: np.ndarray) -> None:
    """The precision by the recall, over all thresholds."""
    precision, recall, thresholds = metrics.precision_recall_curve(y, probabilities)
    # The last point, where no review counts as positive, comes without a threshold from scikit-learn.
    thresholds = np.append(thresholds, 1.0)
    write_csv(
        PLOTS / "precision_recall.csv", ["recall", "precision", "threshold"], zip(recall, precision, thresholds, strict=True)
    )
    figure, axes = new_figure("Precision and recall of the validation reviews", "recall", "precision")
    axes.axhline(y.mean(), linestyle=":", color=REFERENCE, label="chance")
    axes.plot(recall, precision, color=VALIDATION, label="model")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    save_figure(figure, PLOTS / "precision_recall.png")


def write_confusion(y: np.ndarray, predicted: np.ndarray) -> None:
    """The labels that the validation reviews have and were given: `predicted` is uint8, shape (n,), as `y` is."""
    write_csv(PLOTS / "confusion.csv", ["actual", "predicted"], zip(LABELS[y], LABELS[predicted], strict=True))
    figure, axes = new_figure("Confusion matrix of the validation reviews", "predicted", "actual")
    counts = metrics.confusion_matrix(y, predicted, labels=[0, 1])
    metrics.ConfusionMatrixDisplay(counts, display_labels=LABELS).plot(ax=axes, cmap="Blues", colorbar=False)
    axes.set(xlabel="predicted", ylabel="actual")
    save_figure(figure, PLOTS / "confusion.png")


def main() -> None:
    params = read_params()
    model = read_model(MODEL / "model.keras")
    predict = predictor(model)
    result: dict[str, dict] = {}
    for name in "validation", "test":
        x, y = load_arrays(PADDED / f"{name}.npz", x="int32", y="uint8")
        if not len(y):
            continue
        probabilities = predict(x)
        result[name] = score(y, probabilities, params.evaluate.threshold)
        if name == "validation":
            write_confusion(y, (probabilities > params.evaluate.threshold).astype(np.uint8))
            write_roc(y, probabilities)
            write_precision_recall(y, probabilities)
    (train,) = load_arrays(PADDED / "train.npz", x="int32")
    result["model"] = measure(model, train)
    with written_whole(METRICS) as part:
        part.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
