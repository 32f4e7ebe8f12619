"""Parameters at the edge of what is allowed work, through all stages."""

import json
import math

import made_corpus
import numpy as np
import pytest

from stages import evaluate, fetch, pad, split, train

pytestmark = pytest.mark.training


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(
            {
                "split__num_words": 5000, "split__skip_top": 4999, "model__embedding_dim": 1, "model__units": 1,
                "train__batch_size": 100_000, "evaluate__threshold": 1
            },
            id="no word is left of any review, and all reviews are one batch",
        ),
        pytest.param(
            {"split__train_size": 299, "pad__maxlen": 1, "model__input": "one_hot", "train__patience": 1},
            id="one word of each review, and one review for validation",
        ),
        pytest.param(
            {
                "split__num_words": 5, "split__skip_top": 0, "split__train_size": 1, "train__batch_size": 1,
                "model__dropout": 0.999, "evaluate__threshold": 0
            },
            id="a vocabulary of one word, and one review to learn from",
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_it_works(make_project, monkeypatch, values):
    project = make_project()
    archive = made_corpus.write_archive(project.folder / "archive.tar.gz")
    project.set_params(fetch__source="archive", fetch__archive=archive.name, **values)
    monkeypatch.chdir(project.folder)
    for stage in fetch, split, pad, train, evaluate:
        stage.main()
    metrics = json.loads((project.folder / "metrics/metrics.json").read_text())
    for name in "validation", "test":
        assert all(value is None or math.isfinite(value) for value in metrics[name].values())
        assert 0 <= metrics[name]["accuracy"] <= 1
    for name in "history", "roc", "precision_recall":
        assert np.isfinite(np.loadtxt(project.folder / f"plots/{name}.csv", delimiter=",", skiprows=1)).all()
