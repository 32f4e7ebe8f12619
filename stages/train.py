"""Train the recurrent network on the padded reviews.

Takes data/padded/{train,validation}.npz and the vocabulary. Writes data/model, which is whole in itself: model.keras,
preprocessing.json (how a text becomes the model's input) and vocabulary.txt; and the history of the training:
plots/history.csv, plots/loss.png, plots/accuracy.png.
"""

from pathlib import Path

from tqdm import tqdm

from sentiment.files import read_bytes, write_bytes, write_json
from sentiment.history import draw_history, write_history
from sentiment.padding import load_padded
from sentiment.parameters import read_params
from sentiment.preprocessing import preprocessing_of
from sentiment.saving import save_model
from sentiment.training import fit, new_model

PADDED = Path("data/padded")
VOCABULARY = Path("data/reviews/vocabulary.txt")
MODEL = Path("data/model")
PLOTS = Path("plots")


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
    preprocessing = preprocessing_of(params.split.num_words, params.split.skip_top, params.pad)
    write_json(MODEL / "preprocessing.json", preprocessing.model_dump())
    write_history(history, PLOTS / "history.csv")
    draw_history(history, "loss", "loss (binary cross-entropy)", PLOTS / "loss.png")
    draw_history(history, "accuracy", "accuracy (share of reviews)", PLOTS / "accuracy.png")


if __name__ == "__main__":
    main()
