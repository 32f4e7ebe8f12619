"""Train one variant of the study from each of its seeds: `python -m studies.train <variant>`.

Takes the fetched training reviews, params.yaml, and what studies/variants.yaml changes of it. Writes
studies/models/<variant>/<seed>.keras.
"""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sentiment.common.files import write_bytes
from sentiment.common.reviews import load_reviews
from sentiment.preprocessing import training_and_validation
from sentiment.training.fit import fit, new_model
from sentiment.training.saving import save_model
from studies.variants import MODELS, VARIANTS, check_reviews, params_of, read_variant

LABELLED = Path("data/reviews/train.npz")


def train(variant: str, seed: int) -> bytes:
    """The model.keras of a run."""
    params = params_of(read_variant(variant), seed)
    training, validation = training_and_validation(load_reviews(LABELLED), params.split, params.pad)
    model = new_model(params.pad.maxlen, params.split.num_words, params.model, params.train, len(training.y))
    for epoch, row in enumerate(fit(model, params.model, training, validation, params.train), start=1):
        print(f"{variant}, seed {seed}, epoch {epoch}: val_accuracy {row['val_accuracy']:.4f}")
    with tempfile.TemporaryDirectory() as folder:
        save_model(model, Path(folder, "model.keras"))
        return Path(folder, "model.keras").read_bytes()


def write_models(variant: str, models: Mapping[int, bytes]) -> None:
    """Write the models of a variant, by seed. They replace earlier ones."""
    paths = {MODELS / variant / f"{seed}.keras": content for seed, content in models.items()}
    for path, content in paths.items():
        write_bytes(path, content)
    for path in (MODELS / variant).glob("*.keras"):
        if path not in paths:
            path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser("python -m studies.train", description="Train one variant of the study.")
    parser.add_argument("variant", help=f"the name of a variant in {VARIANTS}")
    variant = parser.parse_args().variant
    check_reviews()
    write_models(variant, {seed: train(variant, seed) for seed in read_variant(variant).seeds})


if __name__ == "__main__":
    main()
