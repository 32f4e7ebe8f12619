"""Evaluate the trained model.

Takes data/model, data/padded/*.npz, data/split/{validation.npz,copies.json} and plots/history.csv. Writes metrics/metrics.json,
for the validation reviews and, where the source has test reviews, for these too. Writes CSV files and a picture of each: of the
validation reviews plots/{confusion,roc,precision_recall}.csv, of the words in the embedding plots/embedding.csv, of what the
network remembers plots/memory.csv. Draws the history, plots/{loss,accuracy}.png.
"""

import json
from functools import partial
from pathlib import Path

from sentiment.common.files import read_bytes, read_numbers, write_json
from sentiment.common.parameters import read_params
from sentiment.common.reviews import load_padded, load_reviews
from sentiment.evaluation.memory import effect_by_place
from sentiment.evaluation.scores import predict_each, score_each
from sentiment.evaluation.words import embedding_metrics, learned_words
from sentiment.inference.forward import logits, model_size, word_vectors
from sentiment.inference.model_folder import read_model
from sentiment.inference.occlusion import token_effects
from sentiment.plots.history import plot_history
from sentiment.plots.memory import plot_memory
from sentiment.plots.thresholds import plot_confusion, plot_precision_recall, plot_roc
from sentiment.plots.words import plot_words

MODEL = Path("data/model")
SPLIT = Path("data/split")
PADDED = Path("data/padded")
METRICS = Path("metrics/metrics.json")
PLOTS = Path("plots")


def main() -> None:
    params = read_params()
    model = read_model(MODEL)
    train, validation, test = (load_padded(PADDED / f"{name}.npz") for name in ("train", "validation", "test"))
    predictions = predict_each({"validation": validation, "test": test}, partial(logits, model.network))
    words = learned_words(word_vectors(model.network), train)

    history = read_numbers(PLOTS / "history.csv", "epoch", "loss", "accuracy", "val_loss", "val_accuracy")
    plot_history(history, "loss", "loss (binary cross-entropy)", PLOTS / "loss.png")
    plot_history(history, "accuracy", "accuracy (share of reviews)", PLOTS / "accuracy.png")
    plot_confusion(predictions["validation"], params.evaluate.threshold, PLOTS / "confusion.csv")
    plot_roc(predictions["validation"], PLOTS / "roc.csv")
    plot_precision_recall(predictions["validation"], PLOTS / "precision_recall.csv")
    plot_words(words, model.vocabulary, PLOTS / "embedding.csv")
    effects_of = partial(token_effects, model.network, model.preprocessing)
    memory = effect_by_place(load_reviews(SPLIT / "validation.npz"), effects_of, model.preprocessing.maxlen)
    plot_memory(*memory, PLOTS / "memory.csv")
    copies = json.loads(read_bytes(SPLIT / "copies.json"))
    scores = score_each(predictions, params.evaluate.threshold)
    scores = {name: of_split | {"copies_of_training": copies[name]} for name, of_split in scores.items()}
    write_json(METRICS, scores | {"model": model_size(model.network, train.x), "words": embedding_metrics(words)})


if __name__ == "__main__":
    main()
