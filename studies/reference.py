"""Score what a practitioner would pick instead of a network: a logistic regression on the words and pairs of whole reviews.

Each word, and each pair of neighbouring words, is weighted by its log-count ratio (Wang and Manning 2012, "Baselines and
Bigrams", https://aclanthology.org/P12-2018). The regularisation is chosen by cross-validation in parts of neighbouring ids, for
the lowest loss. The validation scores are of a regression on the training reviews of params.yaml. The test scores,
where there are test reviews, are of another one with the same settings, on all labelled reviews. Takes the fetched reviews and
params.yaml. Writes studies/runs/reference.json, a list of one run.
"""

import time
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import Pipeline, make_pipeline

from sentiment.common.files import write_json
from sentiment.common.parameters import read_params
from sentiment.common.reviews import Reviews, load_reviews
from sentiment.corpus.encoding import LabelledTexts, encode_texts
from sentiment.evaluation.scores import Predicted, score_each
from sentiment.preprocessing import split_reviews
from studies.variants import RUNS, check_reviews

REVIEWS = Path("data/reviews")
PARTS = 5
# Times that a term of several words stands in the training reviews.
FEWEST = 3
REGULARISATIONS = 0.03, 0.1, 0.3, 1


class LogCountRatios(TransformerMixin, BaseEstimator):
    """Weights terms by how much more often they stand in positive reviews than in negative ones.

    Of p - 1 positive and q - 1 negative reviews with a term, and P and Q the sums of p and q over all terms, the ratio is
    log((p / P) / (q / Q)). The one more of each is the smoothing, without which counts of zero would have no ratio.
    """

    def fit(self, x: sparse.csr_matrix, y: np.ndarray) -> "LogCountRatios":
        """Which of the terms the n reviews have: 0 or 1, (n, terms); and their labels, (n,)."""
        positive, negative = (np.asarray(x[y == label].sum(axis=0)).ravel() + 1 for label in (1, 0))
        self.ratios_ = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
        return self

    def transform(self, x: sparse.csr_matrix) -> sparse.csr_matrix:
        return x @ sparse.diags(self.ratios_)


def terms_by_place(reviews: Reviews, longest: int) -> np.ndarray:
    """The terms of one to `longest` words, at most three, that end at each token: int64, (tokens, longest).

    A word is its rank. A longer term is the term without its last word, times 2**20, plus the rank of that word. 0 where the
    term would begin before the review.
    """
    ranks, review = reviews.tokens.astype(np.int64), np.repeat(np.arange(len(reviews.labels)), reviews.lengths)
    terms = [ranks]
    for words_before in range(1, longest):
        longer = np.zeros_like(ranks)
        within = review[words_before:] == review[:-words_before]
        longer[words_before:] = np.where(within, (terms[-1][words_before - 1 : -1] << 20) + ranks[words_before:], 0)
        terms.append(longer)
    return np.stack(terms, axis=1)


def frequent_terms(terms: np.ndarray) -> np.ndarray:
    """All words, and the longer terms that stand there often enough: int64, sorted."""
    known, counts = np.unique(terms[terms > 0], return_counts=True)
    return known[(known < 1 << 20) | (counts >= FEWEST)]


def columns_of(terms: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The places of terms among the m known ones; m for an unknown term. int64, in the shape of the terms."""
    columns = np.searchsorted(known, terms).clip(max=len(known) - 1)
    return np.where(known[columns] == terms, columns, len(known))


def bag_of_terms(columns: np.ndarray, lengths: np.ndarray, m: int) -> sparse.csr_matrix:
    """Which of the m known terms each of the n reviews of these lengths has: 0 or 1, shape (n, m)."""
    review = np.broadcast_to(np.repeat(np.arange(len(lengths)), lengths)[:, np.newaxis], columns.shape)
    known = columns < m
    bag = sparse.csr_matrix((np.ones(known.sum()), (review[known], columns[known])), (len(lengths), m))
    # A term that a review has several times was added up.
    bag.data[:] = 1
    return bag


def review_ids(labels: np.ndarray) -> Reviews:
    """The ids of the reviews with these labels, in the order of `imdb.load_data`: each the one token of a review.

    They are found by encoding them in place of the texts.
    """
    negative, positive = ({i: b"%d" % i for i in range(n)} for n in np.bincount(labels, minlength=2))
    encoded = encode_texts(LabelledTexts(positive, negative), LabelledTexts({}, {}))
    return encoded.train._replace(tokens=np.array(encoded.vocabulary, int)[encoded.train.tokens - 1])


def parts_of(ids: np.ndarray, parts: int) -> np.ndarray:
    """The part of each review in a cross-validation, by its id: int, in the shape of the ids.

    Within a label, neighbouring ids are of one film. So most reviews are scored without others of their film and label. Those
    of the other label have other ids: nothing here tells that they are of the same film.
    """
    return ids * parts // (ids.max() + 1)


def weighted_regression(c: float = 1) -> Pipeline:
    """A logistic regression on terms weighted by their ratios; `c` is the inverse of its regularisation."""
    # Of scikit-learn's solvers, this one is five to ten times as fast here. It takes the reviews in a seeded order.
    regression = LogisticRegression(C=c, solver="liblinear", dual=True, tol=1e-3, max_iter=1000, random_state=0)
    return make_pipeline(LogCountRatios(), regression)


def train_and_predict(model: GridSearchCV | Pipeline, training: Reviews, unseen: Reviews, longest: int = 2) -> Predicted:
    terms = [terms_by_place(reviews, longest) for reviews in (training, unseen)]
    known = frequent_terms(terms[0])
    bag, unseen_bag = (
        bag_of_terms(columns_of(of_reviews, known), reviews.lengths, len(known))
        for of_reviews, reviews in zip(terms, (training, unseen), strict=True)
    )
    model.fit(bag, training.labels)
    return Predicted(unseen.labels, model.decision_function(unseen_bag))


def main() -> None:
    check_reviews()
    params = read_params()
    labelled, test = (load_reviews(REVIEWS / name) for name in ("train.npz", "test.npz"))
    train, validation = split_reviews(labelled, params.split)
    ids = split_reviews(review_ids(labelled.labels), params.split)[0].tokens
    started = time.perf_counter()
    settings = {"logisticregression__C": REGULARISATIONS}
    search = GridSearchCV(weighted_regression(), settings, scoring="neg_log_loss", cv=PredefinedSplit(parts_of(ids, PARTS)))
    predictions = {"validation": train_and_predict(search, train, validation)}
    print(f"Chosen: {search.best_params_}. Cross-validation and training took {time.perf_counter() - started:.0f} s.")
    model = {"parameters": search.best_estimator_[-1].coef_.size + 1, "input_bytes": train.tokens.nbytes}
    if len(test.labels):
        predictions["test"] = train_and_predict(search.best_estimator_, labelled, test)
    write_json(RUNS / "reference.json", [{"seed": None, **score_each(predictions, params.evaluate.threshold), "model": model}])


if __name__ == "__main__":
    main()
