"""Score the networks of the study: `python -m studies.score`.

Takes studies/models/<variant>/<seed>.keras, the fetched reviews, params.yaml and studies/variants.yaml.
Writes studies/runs/networks.json: by variant, a list of runs.
"""

from functools import partial
from pathlib import Path

import numpy as np

from sentiment.common.files import write_json
from sentiment.common.parameters import Params
from sentiment.common.reviews import Padded, Reviews, load_reviews
from sentiment.evaluation.memory import effect_by_place
from sentiment.evaluation.scores import predict_each, score_each
from sentiment.evaluation.words import embedding_metrics, learned_words
from sentiment.inference.forward import logits, model_size, word_vectors
from sentiment.inference.occlusion import token_effects
from sentiment.inference.saved_model import read_network
from sentiment.preprocessing import keep_frequent, pad, split_reviews
from studies.variants import MODELS, RUNS, params_of, read_study, read_variant

REVIEWS = Path("data/reviews")
TENTHS = 10


def filtered_splits(params: Params) -> dict[str, Reviews]:
    """The `train`, `validation` and `test` reviews as these parameters have them."""
    labelled, test = (load_reviews(REVIEWS / name) for name in ("train.npz", "test.npz"))
    train, validation = split_reviews(labelled, params.split)
    splits = {"train": train, "validation": validation, "test": test}
    return {name: keep_frequent(reviews, params.split) for name, reviews in splits.items()}


def score_run(path: Path, splits: dict[str, Reviews], padded: dict[str, Padded], params: Params) -> dict:
    """The scores of a run, what its embedding learned, what it remembers of each tenth of a review, and its size."""
    network = read_network(path)
    unseen = {name: padded[name] for name in ("validation", "test")}
    scores = score_each(predict_each(unseen, partial(logits, network)), params.evaluate.threshold)
    words = embedding_metrics(learned_words(word_vectors(network), padded["train"]))
    effects, _ = effect_by_place(splits["validation"], partial(token_effects, network, params.pad), params.pad.maxlen)
    memory = [float(tenth.mean()) for tenth in np.array_split(effects, TENTHS) if len(tenth)]
    return {**scores, "model": model_size(network, padded["train"].x), "words": words, "memory": memory}


def main() -> None:
    runs = {}
    for name in read_study().variants:
        variant = read_variant(name)
        params = params_of(variant, variant.seeds[0])
        splits = filtered_splits(params)
        padded = {split: pad(reviews, params.pad) for split, reviews in splits.items()}
        runs[name] = [
            {"seed": seed, **score_run(MODELS / name / f"{seed}.keras", splits, padded, params)} for seed in variant.seeds
        ]
    write_json(RUNS / "networks.json", runs)


if __name__ == "__main__":
    main()
