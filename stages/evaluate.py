"""Evaluate the trained model.

Takes data/model and data/padded/*.npz. Writes metrics/metrics.json, for the validation reviews and, where the source has
test reviews, for these; of the validation reviews plots/{confusion,roc,precision_recall}.csv and a picture of each; and of the
words in the embedding plots/embedding.csv and a picture.
"""

from pathlib import Path

from sentiment.curves import write_confusion, write_precision_recall, write_roc
from sentiment.embedding import embedding_metrics, learned_words, word_vectors
from sentiment.files import read_bytes, write_json
from sentiment.network import model_size, predictor
from sentiment.padding import load_padded
from sentiment.parameters import read_params
from sentiment.saving import read_model
from sentiment.scores import predict_unseen, score_each
from sentiment.word_map import write_word_map

MODEL = Path("data/model")
PADDED = Path("data/padded")
METRICS = Path("metrics/metrics.json")
PLOTS = Path("plots")


def main() -> None:
    params = read_params()
    model = read_model(MODEL / "model.keras")
    splits = {name: load_padded(PADDED / f"{name}.npz") for name in ("train", "validation", "test")}
    predictions = predict_unseen(splits, predictor(model))

    write_confusion(predictions["validation"], params.evaluate.threshold, PLOTS / "confusion.csv")
    write_roc(predictions["validation"], PLOTS / "roc.csv")
    write_precision_recall(predictions["validation"], PLOTS / "precision_recall.csv")
    words = learned_words(word_vectors(model), splits["train"])
    write_word_map(words, read_bytes(MODEL / "vocabulary.txt").decode().split("\n"), PLOTS / "embedding.csv")
    scores = score_each(predictions, params.evaluate.threshold)
    write_json(METRICS, scores | {"model": model_size(model, splits["train"].x), "words": embedding_metrics(words)})


if __name__ == "__main__":
    main()
