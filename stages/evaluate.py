"""Evaluate the trained model.

Takes data/model, data/padded/*.npz and plots/history.csv. Writes metrics/metrics.json, for the validation reviews and, where
the source has test reviews, for these too. Writes CSV files and a picture of each: of the validation reviews
plots/{confusion,roc,precision_recall}.csv, of the words in the embedding plots/embedding.csv, of what the network remembers
plots/memory.csv. Draws the history, plots/{loss,accuracy}.png.
"""

from functools import partial
from pathlib import Path

from sentiment.common.files import read_numbers, write_json
from sentiment.common.parameters import read_params
from sentiment.common.reviews import load_padded
from sentiment.evaluation.memory import effect_by_place
from sentiment.evaluation.scores import predict_each, score_each
from sentiment.evaluation.words import embedding_metrics, learned_words
from sentiment.inference.forward import logits, model_size, word_vectors
from sentiment.inference.model_folder import read_model
from sentiment.plots.history import plot_history
from sentiment.plots.memory import plot_memory
from sentiment.plots.thresholds import plot_confusion, plot_precision_recall, plot_roc
from sentiment.plots.words import plot_words

MODEL = Path("data/model")
PADDED = Path("data/padded")
METRICS = Path("metrics/metrics.json")
PLOTS = Path("plots")


def main() -> None:
    params = read_params()
    model = read_model(MODEL)
    train, validation, test = (load_padded(PADDED / f"{name}.npz") for name in ("train", "validation", "test"))
    predict = partial(logits, model.network)
    predictions = predict_each({"validation": validation, "test": test}, predict)
    words = learned_words(word_vectors(model.network), train)

    history = read_numbers(PLOTS / "history.csv", "epoch", "loss", "accuracy", "val_loss", "val_accuracy")
    plot_history(history, "loss", "loss (binary cross-entropy)", PLOTS / "loss.png")
    plot_history(history, "accuracy", "accuracy (share of reviews)", PLOTS / "accuracy.png")
    plot_confusion(predictions["validation"], params.evaluate.threshold, PLOTS / "confusion.csv")
    plot_roc(predictions["validation"], PLOTS / "roc.csv")
    plot_precision_recall(predictions["validation"], PLOTS / "precision_recall.csv")
    plot_words(words, model.vocabulary, PLOTS / "embedding.csv")
    plot_memory(effect_by_place(validation.x, predict, model.preprocessing.padding), PLOTS / "memory.csv")
    scores = score_each(predictions, params.evaluate.threshold)
    write_json(METRICS, scores | {"model": model_size(model.network, train.x), "words": embedding_metrics(words)})


if __name__ == "__main__":
    main()
