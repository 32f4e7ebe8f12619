"""Evaluate the trained model.

Takes data/model, data/padded/*.npz and plots/history.csv. Writes metrics/metrics.json, for the validation reviews and, where
the source has test reviews, for these; of the validation reviews plots/{confusion,roc,precision_recall}.csv and a picture of
each; of the words in the embedding plots/embedding.csv and a picture; and pictures of the history, plots/{loss,accuracy}.png.
"""

from pathlib import Path

import numpy as np

from sentiment.common.files import read_bytes, write_json
from sentiment.common.parameters import read_params
from sentiment.common.reviews import load_padded
from sentiment.evaluation.scores import predict_unseen, score_each
from sentiment.evaluation.words import embedding_metrics, learned_words
from sentiment.plots.curves import draw_history, write_confusion, write_precision_recall, write_roc
from sentiment.plots.word_map import write_word_map
from sentiment.training.network import model_size, predictor, word_vectors
from sentiment.training.saving import read_model

MODEL = Path("data/model")
PADDED = Path("data/padded")
METRICS = Path("metrics/metrics.json")
PLOTS = Path("plots")


def main() -> None:
    params = read_params()
    model = read_model(MODEL / "model.keras")
    splits = {name: load_padded(PADDED / f"{name}.npz") for name in ("train", "validation", "test")}
    predictions = predict_unseen(splits, predictor(model))

    history = np.atleast_1d(np.genfromtxt(PLOTS / "history.csv", delimiter=",", names=True))
    draw_history(history, "loss", "loss (binary cross-entropy)", PLOTS / "loss.png")
    draw_history(history, "accuracy", "accuracy (share of reviews)", PLOTS / "accuracy.png")
    write_confusion(predictions["validation"], params.evaluate.threshold, PLOTS / "confusion.csv")
    write_roc(predictions["validation"], PLOTS / "roc.csv")
    write_precision_recall(predictions["validation"], PLOTS / "precision_recall.csv")
    words = learned_words(word_vectors(model), splits["train"])
    write_word_map(words, read_bytes(MODEL / "vocabulary.txt").decode().split("\n"), PLOTS / "embedding.csv")
    scores = score_each(predictions, params.evaluate.threshold)
    write_json(METRICS, scores | {"model": model_size(model, splits["train"].x), "words": embedding_metrics(words)})


if __name__ == "__main__":
    main()
