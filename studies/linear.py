"""Score what the study compares its networks with: a logistic regression on the bag of the very same padded ids.

Its regularisation is chosen by cross-validation on the training reviews, for the lowest loss.
Takes the fetched reviews and params.yaml. Writes studies/runs/linear.json, a list of one run.
"""

from pathlib import Path

import numpy as np

from sentiment.common.files import write_json
from sentiment.common.parameters import read_params
from sentiment.common.reviews import load_reviews
from sentiment.evaluation.regression import bag_of_words, fit_regression
from sentiment.evaluation.scores import predict_each, score_each
from sentiment.preprocessing import keep_frequent, pad, training_and_validation
from studies.variants import RUNS

REVIEWS = Path("data/reviews")


def main() -> None:
    params = read_params()
    labelled, test = (load_reviews(REVIEWS / name) for name in ("train.npz", "test.npz"))
    train, validation = training_and_validation(labelled, params.split, params.pad)
    regression = fit_regression(train, params.split.num_words)
    print(f"The inverse of the regularisation, C, is {regression.C:g}.")

    def predict(x: np.ndarray) -> np.ndarray:
        return regression.decision_function(bag_of_words(x, params.split.num_words))

    unseen = {"validation": validation, "test": pad(keep_frequent(test, params.split), params.pad)}
    scores = score_each(predict_each(unseen, predict), params.evaluate.threshold)
    model = {"parameters": regression.coef_.size + 1, "input_bytes": train.x.nbytes}
    write_json(RUNS / "linear.json", [{"seed": None, **scores, "model": model}])


if __name__ == "__main__":
    main()
