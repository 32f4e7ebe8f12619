"""A logistic regression on the bag of the same padded ids: what a network has to beat."""

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

from sentiment.common.reviews import Padded


def bag_of_words(x: np.ndarray, num_words: int) -> sparse.csr_matrix:
    """How often each id occurs in each review: (n, num_words) for ids of shape (n, maxlen); padding is not counted."""
    rows, ids = np.repeat(np.arange(len(x)), x.shape[1]), x.ravel()
    return sparse.csr_matrix(((ids > 0).astype(float), (rows, ids)), (len(x), num_words))


def fit_regression(train: Padded, num_words: int) -> LogisticRegression:
    """The regression, its regularisation chosen by cross-validation within `train`, for the lowest loss."""
    folds = min(5, *np.bincount(train.y, minlength=2))
    cross_validated = LogisticRegressionCV(
        Cs=np.logspace(-3, 1, 9), l1_ratios=(0,), cv=folds, scoring="neg_log_loss", max_iter=1000, use_legacy_attributes=False
    )
    bag = bag_of_words(train.x, num_words)
    chosen = cross_validated.fit(bag, train.y).C_
    # Where the default tolerance ends, the processor's rounding decides the fourth decimal.
    return LogisticRegression(C=chosen, tol=1e-10, max_iter=10_000).fit(bag, train.y)
