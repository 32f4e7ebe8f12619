"""Parameters at the edge of what is allowed work, through all stages from the fetched reviews on."""

import json
import math

import made_corpus
import numpy as np
import pytest

from stages import evaluate, pad, split, train

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def fetched_project(make_project):
    """A project of which fetch has run, with test reviews."""
    project = make_project()
    archive = made_corpus.write_archive(project.folder / "archive.tar.gz")
    project.set_params(fetch__source="archive", fetch__archive=archive.name)
    project.run("python", "-m", "stages.fetch")
    return project


@pytest.mark.parametrize(
    "values",
    [
        {"split__num_words": 5000, "split__skip_top": 4999},
        {"model__input": "one_hot", "pad__maxlen": 1},
        {"train__batch_size": 100_000, "evaluate__threshold": 1},
        {"split__train_size": 299, "model__units": 1, "model__embedding_dim": 1},
        *(
            pytest.param(values, marks=pytest.mark.slow)
            for values in (
                {"split__num_words": 5, "split__skip_top": 4},
                {"split__skip_top": 0},
                {"split__num_words": 5000},
                {"pad__maxlen": 1},
                {"train__batch_size": 1},
                {"split__train_size": 1},
                {"model__dropout": 0.999},
                {"train__patience": 1},
                {"evaluate__threshold": 0},
            )
        ),
    ],
    ids=lambda values: " ".join(f"{name.split('__')[1]}={value}" for name, value in values.items()),
)
def test_it_works(fetched_project, monkeypatch, values):
    """Among them: reviews that filter to nothing (all of them in the first case), and a validation set of one label."""
    project = fetched_project
    parameters = (project.folder / "params.yaml").read_bytes()
    project.set_params(**values)
    monkeypatch.chdir(project.folder)
    try:
        for stage in split, pad, train, evaluate:
            stage.main()
    finally:
        (project.folder / "params.yaml").write_bytes(parameters)
    metrics = json.loads((project.folder / "metrics/metrics.json").read_text())
    for name in "validation", "test":
        assert all(value is None or math.isfinite(value) for value in metrics[name].values())
        assert 0 <= metrics[name]["accuracy"] <= 1
    for name in "history", "roc", "precision_recall":
        assert np.isfinite(np.loadtxt(project.folder / f"plots/{name}.csv", delimiter=",", skiprows=1)).all()
