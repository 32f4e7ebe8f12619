"""Score the reference of the study: a logistic regression on the bag of the very same padded ids.

Takes the fetched reviews and the parameters of the lesson. Writes studies/runs/linear.json.
"""

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from stages.params import read_params
from studies.train import padded_data, save_run, scores


def bag_of_words(x: np.ndarray, num_words: int) -> sparse.csr_matrix:
    """How often each id occurs in each review: (n, num_words) for ids of shape (n, maxlen); padding counts as no word."""
    counts = sparse.csr_matrix((np.ones(x.size), (np.repeat(np.arange(len(x)), x.shape[1]), x.ravel())), (len(x), num_words))
    counts[:, 0] = 0
    return counts


def main() -> None:
    params = read_params()
    data = padded_data(params.split, params.pad)
    x, y = data["train"]
    regression = LogisticRegression(max_iter=1000).fit(bag_of_words(x, params.split.num_words), y)

    def predict(x: np.ndarray) -> np.ndarray:
        return regression.predict_proba(bag_of_words(x, params.split.num_words))[:, 1]

    model = {"parameters": regression.coef_.size + 1, "input_bytes": x.nbytes}
    save_run("linear", scores(data, predict, params.evaluate.threshold) | {"model": model})


if __name__ == "__main__":
    main()
