"""Train and score one variant of the study from each of its seeds: `python -m studies.train <variant>`.

Takes the fetched reviews, the parameters of the lesson, and what studies/variants.yaml changes of them. Writes
studies/runs/<variant>.json, a list of runs.
"""

import argparse
from pathlib import Path

from sentiment.common.files import write_json
from sentiment.evaluation.scores import predict_unseen, score_each
from sentiment.evaluation.words import embedding_metrics, learned_words
from sentiment.preprocessing import padded_splits
from sentiment.training.fit import fit, new_model
from sentiment.training.network import model_size, predictor, word_vectors
from studies.variants import STUDIES, VARIANTS, params_of, seeds_of

REVIEWS = Path("data/reviews")


def train_and_score(variant: str, seed: int) -> dict:
    """A run of a variant: its seed, its scores, what its embedding learned and the size of its model."""
    params = params_of(variant, seed)
    splits = padded_splits(REVIEWS, params.split, params.pad)
    model = new_model(params.pad.maxlen, params.split.num_words, params.model, params.train, len(splits["train"].y))
    for epoch, row in enumerate(fit(model, splits["train"], splits["validation"], params.train), start=1):
        print(f"{variant}, seed {seed}, epoch {epoch}: val_accuracy {row['val_accuracy']:.4f}")
    scores = score_each(predict_unseen(splits, predictor(model)), params.evaluate.threshold)
    words = embedding_metrics(learned_words(word_vectors(model), splits["train"]))
    return {"seed": seed, **scores, "model": model_size(model, splits["train"].x), "words": words}


def main() -> None:
    parser = argparse.ArgumentParser("python -m studies.train", description="Train and score one variant of the study.")
    parser.add_argument("variant", help=f"the name of a variant in {VARIANTS}")
    variant = parser.parse_args().variant
    write_json(STUDIES / f"runs/{variant}.json", [train_and_score(variant, seed) for seed in seeds_of(variant)])


if __name__ == "__main__":
    main()
