"""Train the recurrent network on the padded reviews.

Takes data/padded/{train,validation}.npz and data/reviews/{vocabulary.txt,tokenizer.json}. Writes data/model, which is
self-contained: model.keras, preprocessing.json (how a text becomes the model's input), vocabulary.txt, and the SHA256SUMS of
these three. Writes plots/history.csv, the loss and the accuracy of each epoch.
"""

from pathlib import Path

from tqdm import tqdm

from sentiment.common.files import write_csv, write_digests, write_json
from sentiment.common.parameters import Encoding, Preprocessing, read_params, read_section
from sentiment.common.reviews import load_padded
from sentiment.common.vocabulary import read_vocabulary, write_vocabulary
from sentiment.training.fit import fit, new_model
from sentiment.training.saving import save_model

PADDED = Path("data/padded")
REVIEWS = Path("data/reviews")
MODEL = Path("data/model")
HISTORY = Path("plots/history.csv")


def main() -> None:
    params = read_params()
    encoding = read_section(Encoding, REVIEWS / "tokenizer.json")
    words = read_vocabulary(REVIEWS / "vocabulary.txt", encoding.vocabulary_sha256)
    training, validation = load_padded(PADDED / "train.npz"), load_padded(PADDED / "validation.npz")

    model = new_model(params.pad.maxlen, params.split.num_words, params.model, params.train, len(training.y))
    model.summary()
    history = []
    with tqdm(total=params.train.epochs, unit="epoch", disable=None) as progress:
        for epoch, row in enumerate(fit(model, params.model, training, validation, params.train), start=1):
            history.append({"epoch": epoch, **row})
            progress.write(f"epoch {epoch:2}: " + "  ".join(f"{name} {value:.4f}" for name, value in row.items()))
            progress.update()

    save_model(model, MODEL / "model.keras")
    write_vocabulary(MODEL / "vocabulary.txt", words)
    preprocessing = Preprocessing(
        num_words=params.split.num_words,
        skip_top=params.split.skip_top,
        **dict(params.pad),
        **dict(encoding),
    )
    write_json(MODEL / "preprocessing.json", preprocessing.model_dump())
    write_digests(MODEL)
    write_csv(HISTORY, list(history[0]), (list(row.values()) for row in history))


if __name__ == "__main__":
    main()
