"""Compare the study's best models by cross-validation over the labelled reviews, all in the same parts.

Each model is trained on four of five parts, from the first seed, and scored on the fifth. Takes the fetched reviews,
params.yaml and studies/variants.yaml. Writes studies/metrics/cross_validation.json: by model, accuracy and loss in each part,
and means.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from sentiment.common.files import write_json
from sentiment.common.reviews import Reviews, load_reviews, take
from sentiment.evaluation.scores import Predicted, score
from sentiment.preprocessing import keep_frequent, pad
from sentiment.training.fit import fit, new_model
from studies import reference, with_ratios
from studies.variants import STUDIES, check_reviews, params_of, read_study, read_variant

REVIEWS = Path("data/reviews")
WRITTEN = STUDIES / "metrics/cross_validation.json"


def of_variant(name: str, training: Reviews, unseen: Reviews, ids: np.ndarray) -> dict:
    """The accuracy and the loss of a variant of the study after its last epoch."""
    params = params_of(read_variant(name), read_study().seeds[0])
    padded_training, padded_unseen = (pad(keep_frequent(reviews, params.split), params.pad) for reviews in (training, unseen))
    model = new_model(params.pad.maxlen, params.split.num_words, params.model, params.train, len(training.labels))
    *_, last = fit(model, params.model, padded_training, padded_unseen, params.train)
    return {"accuracy": last["val_accuracy"], "loss": last["val_loss"]}


def scored(predicted: Predicted) -> dict:
    scores = score(predicted, threshold=0.5)
    return {"accuracy": scores["accuracy"], "loss": scores["loss"]}


def of_terms(longest: int, training: Reviews, unseen: Reviews, ids: np.ndarray) -> dict:
    return scored(reference.train_and_predict(reference.weighted_regression(with_ratios.C), training, unseen, longest))


def of_gru_with_ratios(training: Reviews, unseen: Reviews, ids: np.ndarray) -> dict:
    predictions, _ = with_ratios.train_and_predict(training, ids, unseen, read_study().seeds[:1])
    return scored(predictions[0])


MODELS: dict[str, Callable[[Reviews, Reviews, np.ndarray], dict]] = {
    "preset": partial(of_variant, "preset"),
    "preset_no_cell": partial(of_variant, "preset_no_cell"),
    "words_and_pairs": partial(of_terms, 2),
    "words_pairs_and_triples": partial(of_terms, 3),
    "gru_with_ratios": of_gru_with_ratios,
}


def main() -> None:
    check_reviews()
    labelled = load_reviews(REVIEWS / "train.npz")
    ids = reference.review_ids(labelled.labels).tokens
    parts = reference.parts_of(ids, reference.PARTS)
    results: dict[str, dict] = {}
    for name, train_and_score in MODELS.items():
        runs = []
        for part in range(reference.PARTS):
            training, unseen = (np.flatnonzero(chosen) for chosen in (parts != part, parts == part))
            runs.append(train_and_score(take(labelled, training), take(labelled, unseen), ids[training]))
            print(f"{name}, part {part + 1}: {runs[-1]}")
        by_part = {metric: [run[metric] for run in runs] for metric in runs[0]}
        results[name] = by_part | {f"mean_{metric}": float(np.mean(values)) for metric, values in by_part.items()}
    write_json(WRITTEN, results)


if __name__ == "__main__":
    main()
