"""What docs/own-reviews.md says of short texts: accuracies of networks, and of what one picks first, on three files."""

import csv
import subprocess
import sys
import tarfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from helpers import is_missing, package_rows
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from test_numbers import check
from told_numbers import COMPARED, SHORT_TEXTS

from sentiment.common.parameters import Params, change_params, read_params
from sentiment.common.reviews import Reviews
from sentiment.corpus.csv_files import from_csv
from sentiment.evaluation.regression import bag_of_words, fit_regression
from sentiment.evaluation.scores import predict_each, score
from sentiment.inference.forward import logits
from sentiment.inference.saved_model import read_network
from sentiment.preprocessing import split_reviews, training_and_validation
from sentiment.training.fit import fit, new_model
from sentiment.training.saving import save_model

FOR_SHORT_TEXTS = {
    "model": {"cell": "none", "pooling": "mean", "dropout": 0.3},
    "split": {"num_words": 20000},
    "pad": {"maxlen": 40},
    "train": {"epochs": 20},
}


def rated(name: str, folder: Path) -> list[tuple[str, str]]:
    """Texts of Hutto and Gilbert (2014), from the source of vaderSentiment 2.5; those with a mean rating of 0 are left out."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary=:all:", "--dest", str(folder)]
    if subprocess.run([*command, "vaderSentiment==2.5"], capture_output=True).returncode:
        is_missing("the package index can't be reached")
    with tarfile.open(folder / "vaderSentiment-2.5.tar.gz") as package:
        inner = package.extractfile("vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz")
        with tarfile.open(fileobj=inner) as archive:
            content = archive.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt").read().decode()
    rows = [line.split("\t") for line in content.splitlines()]
    return [(text, "positive" if float(mean) > 0 else "negative") for _, mean, text in rows if float(mean)]


def of_network(labelled: Reviews, params: Params, folder: Path) -> float:
    training, validation = training_and_validation(labelled, params.split, params.pad)
    model = new_model(params.pad.maxlen, params.split.num_words, params.model, params.train, len(training.y))
    list(fit(model, params.model, training, validation, params.train))
    save_model(model, folder / "model.keras")
    network = read_network(folder / "model.keras")
    return score(predict_each({"": validation}, partial(logits, network))[""], 0.5)["accuracy"]


def of_regression(labelled: Reviews, params: Params) -> float:
    training, validation = training_and_validation(labelled, params.split, params.pad)
    regression = fit_regression(training, params.split.num_words)
    decisions = regression.decision_function(bag_of_words(validation.x, params.split.num_words))
    return float(np.mean((decisions > 0) == validation.y))


def of_tf_idf(texts: list[str], labelled: Reviews, params: Params) -> float:
    order = np.random.RandomState(params.split.seed).permutation(len(texts))
    cut = len(split_reviews(labelled, params.split)[0].labels)
    x, y = [texts[i] for i in order], labelled.labels[order]
    regression = LogisticRegression(C=10, max_iter=1000)
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), regression).fit(x[:cut], y[:cut])
    return float(model.score(x[cut:], y[cut:]))


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(("column", "name"), enumerate(["", "tweets", "amazonReviewSnippets"]))
def test_the_document_has_the_accuracies_on_five_splits(column, name, tmp_path):
    rows = rated(name, tmp_path) if name else package_rows("rotten_tomatoes")
    with (tmp_path / "train.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("review", "sentiment"), *rows])
    params = change_params(read_params(ROOT / "params.yaml"), {"split": {"train_size": 0.8, "skip_top": 0}})
    labelled = from_csv(params.fetch.csv.model_copy(update={"folder": str(tmp_path)}), tmp_path).train
    accuracies: dict[str, list[float]] = {model: [] for model in COMPARED}
    for run in range(5):
        seeded = change_params(params, {"split": {"seed": 42 + run}, "train": {"seed": run}})
        of_each = [
            of_network(labelled, seeded, tmp_path),
            of_regression(labelled, seeded),
            of_network(labelled, change_params(seeded, FOR_SHORT_TEXTS), tmp_path),
            of_tf_idf([text for text, _ in rows], labelled, seeded),
        ]
        for model, accuracy in zip(COMPARED, of_each, strict=True):
            accuracies[model].append(accuracy)
    spreads = {model: f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" for model, values in accuracies.items()}
    check(SHORT_TEXTS[column], {"found": spreads, "texts": len(rows)})
