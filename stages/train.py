"""Train the recurrent network on the padded reviews.

Takes data/padded/{train,validation}.npz and the vocabulary. Writes data/model, which is whole in itself: model.keras,
preprocessing.json (how a text becomes the model's input) and vocabulary.txt; and plots/history.csv, the loss
and the accuracy of each epoch.
"""

from pathlib import Path

from tqdm import tqdm

from sentiment.common.files import read_bytes, write_bytes, write_csv, write_json
from sentiment.common.parameters import read_params
from sentiment.common.reviews import load_padded
from sentiment.training.fit import COLUMNS, fit, new_model
from sentiment.training.saving import save_model

PADDED = Path("data/padded")
VOCABULARY = Path("data/reviews/vocabulary.txt")
MODEL = Path("data/model")
HISTORY = Path("plots/history.csv")


def main() -> None:
    params = read_params()
    vocabulary = read_bytes(VOCABULARY)
    training, validation = load_padded(PADDED / "train.npz"), load_padded(PADDED / "validation.npz")

    model = new_model(params.pad.maxlen, params.split.num_words, params.model, params.train, len(training.y))
    model.summary()
    history = []
    with tqdm(total=params.train.epochs, unit="epoch", disable=None) as progress:
        for row in fit(model, training, validation, params.train):
            history.append(row)
            progress.write(f"epoch {len(history):2}: " + "  ".join(f"{name} {value:.4f}" for name, value in row.items()))
            progress.update()

    save_model(model, MODEL / "model.keras")
    write_bytes(MODEL / "vocabulary.txt", vocabulary)
    words = {"num_words": params.split.num_words, "skip_top": params.split.skip_top}
    write_json(MODEL / "preprocessing.json", words | dict(params.pad))
    write_csv(HISTORY, ["epoch", *COLUMNS], ([epoch, *row.values()] for epoch, row in enumerate(history, start=1)))


if __name__ == "__main__":
    main()
