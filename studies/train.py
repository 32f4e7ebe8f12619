"""Train and score one variant of the study from one seed: `python -m studies.train <variant> <seed>`.

Takes the fetched reviews, the parameters of the lesson and what studies/variants.yaml changes of them. Writes
studies/runs/<variant>-<seed>.json.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stages import StageError
from stages.evaluate import measure, score
from stages.files import written_whole
from stages.network import predictor
from stages.pad import pad
from stages.params import PadSection, SplitSection, read_params
from stages.reviews import load_reviews
from stages.split import keep_frequent, split
from stages.train import compiled_model, fit
from studies import STUDIES, VARIANTS, read_study

REVIEWS = Path("data/reviews")


def padded_data(splitting: SplitSection, padding: PadSection) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Training, validation and test reviews as split and pad make them: ids, int32 (n, maxlen), and labels, uint8 (n,)."""
    labelled, test = (
        keep_frequent(load_reviews(REVIEWS / name), splitting.num_words, splitting.skip_top)
        for name in ("train.npz", "test.npz")
    )
    train, validation = split(labelled, splitting.train_size, splitting.seed)
    return {
        name: (pad(reviews, padding.maxlen, padding.padding, padding.truncating), reviews.labels)
        for name, reviews in (("train", train), ("validation", validation), ("test", test))
    }


def scores(
    data: dict[str, tuple[np.ndarray, np.ndarray]], predict: Callable[[np.ndarray], np.ndarray], threshold: float
) -> dict[str, dict[str, float | None]]:
    """The metrics of the validation reviews and, if there are any, of the test reviews; `predict` gives probabilities."""
    return {name: score(y, predict(x), threshold) for name, (x, y) in data.items() if name != "train" and len(y)}


def save_run(name: str, result: dict) -> None:
    with written_whole(STUDIES / f"runs/{name}.json") as part:
        part.write_text(json.dumps(result, indent=2) + "\n")


def train_and_score(variant: str, seed: int) -> dict:
    """The scores of a variant (or of the preset) that is trained from this seed, and the measures of its model."""
    study = read_study()
    variants = study.variants | {"preset": study.preset}
    if variant not in variants:
        raise StageError(f"{VARIANTS} has no variant `{variant}`; it has {', '.join(variants)}.")
    changes = variants[variant]
    params = read_params(changes=changes | {"train": changes.get("train", {}) | {"seed": seed}})
    data = padded_data(params.split, params.pad)
    model = compiled_model(params.pad.maxlen, params.split.num_words, params.model, params.train)
    for epoch, row in enumerate(fit(model, data["train"], data["validation"], params.train), start=1):
        print(f"epoch {epoch}: val_accuracy {row['val_accuracy']:.4f}")
    result = scores(data, predictor(model), params.evaluate.threshold)
    return result | {"model": measure(model, data["train"][0])}


def main() -> None:
    parser = argparse.ArgumentParser("python -m studies.train", description="Train and score one variant from one seed.")
    parser.add_argument("variant", help=f"the name of a variant in {VARIANTS}, or `preset`")
    parser.add_argument("seed", type=int, help="the train.seed")
    arguments = parser.parse_args()
    save_run(f"{arguments.variant}-{arguments.seed}", train_and_score(arguments.variant, arguments.seed))


if __name__ == "__main__":
    main()
