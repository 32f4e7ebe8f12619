"""Score the networks of the study: `python -m studies.score`.

Takes studies/models/<variant>/<seed>.keras, the fetched reviews, params.yaml and studies/variants.yaml.
Writes studies/runs/networks.json: by variant, a list of runs.
"""

from functools import partial
from pathlib import Path

import numpy as np

from sentiment.common.files import write_json
from sentiment.common.parameters import Params
from sentiment.common.reviews import Padded, load_reviews
from sentiment.evaluation.memory import effect_by_place
from sentiment.evaluation.scores import predict_each, score_each
from sentiment.evaluation.words import embedding_metrics, learned_words
from sentiment.inference.forward import logits, model_size, word_vectors
from sentiment.inference.saved_model import read_network
from sentiment.preprocessing import keep_frequent, pad, training_and_validation
from studies.variants import MODELS, RUNS, params_of, read_study, read_variant

REVIEWS = Path("data/reviews")
TENTHS = 10


def padded_splits(params: Params) -> dict[str, Padded]:
    """The `train`, `validation` and `test` reviews as these parameters have them."""
    labelled, test = (load_reviews(REVIEWS / name) for name in ("train.npz", "test.npz"))
    train, validation = training_and_validation(labelled, params.split, params.pad)
    return {"train": train, "validation": validation, "test": pad(keep_frequent(test, params.split), params.pad)}


def score_run(path: Path, seed: int, splits: dict[str, Padded], threshold: float, padding: str) -> dict:
    """A run: its seed, its scores, what its embedding learned, what it remembers of each tenth of a review, and its size."""
    network = read_network(path)
    predict = partial(logits, network)
    unseen = {name: splits[name] for name in ("validation", "test")}
    scores = score_each(predict_each(unseen, predict), threshold)
    words = embedding_metrics(learned_words(word_vectors(network), splits["train"]))
    effects = effect_by_place(splits["validation"].x, predict, padding)
    memory = [float(tenth.mean()) for tenth in np.array_split(effects, TENTHS) if len(tenth)]
    return {"seed": seed, **scores, "model": model_size(network, splits["train"].x), "words": words, "memory": memory}


def main() -> None:
    runs = {}
    for name in read_study().variants:
        variant = read_variant(name)
        params = params_of(variant, variant.seeds[0])
        splits = padded_splits(params)
        runs[name] = [
            score_run(MODELS / name / f"{seed}.keras", seed, splits, params.evaluate.threshold, params.pad.padding)
            for seed in variant.seeds
        ]
    write_json(RUNS / "networks.json", runs)


if __name__ == "__main__":
    main()
