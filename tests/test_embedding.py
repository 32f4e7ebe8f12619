"""What is said of the embedding, on words whose vectors and reviews are made by hand."""

import math

import numpy as np
import pytest
from helpers import rows

from report.run import neighbours, outermost
from sentiment.common.parameters import ModelSection
from sentiment.common.reviews import Padded
from sentiment.evaluation.words import embedding_metrics, learned_words
from sentiment.inference.forward import word_vectors
from sentiment.inference.saved_model import read_network
from sentiment.plots.words import plot_words
from sentiment.training.network import build_model, cell_weights
from sentiment.training.saving import save_model

VOCABULARY = [b"good", b"fine", b"bad", b"never", b"awful", b""]
# Ids 4 to 8, of which 7 (never) stands in no review; 0 is padding.
TRAIN = Padded(np.array([[0, 4, 4], [5, 4, 6], [6, 8, 8], [0, 8, 8]], np.int32), np.array([1, 1, 0, 0], np.uint8))
# On a line of direction (3, 4), and a little off it, at a right angle. The other rows are of no word of the reviews.
ALONG, ACROSS = np.array([3, 1, -1, 50, -3]), np.array([0.1, -0.1, -0.1, 70, 0.1])
VECTORS = np.vstack([np.full((4, 2), 99.0), np.outer(ALONG, [0.6, 0.8]) + np.outer(ACROSS, [-0.8, 0.6]) + 7])


@pytest.mark.parametrize("sign", [1, -1])
def test_the_words_stand_on_the_principal_components_and_positive_words_to_the_right(sign):
    words = learned_words(sign * VECTORS, TRAIN)
    assert words.ids.tolist() == [4, 5, 6, 8], "words of the reviews alone"
    assert words.places[:, 0].tolist() == [3, 1, -1, -3]
    assert np.abs(words.places[:, 1]).tolist() == [0.1] * 4
    # Of the variance, (9 + 1 + 1 + 9) / 4 lies along the line and 0.01 across it.
    metrics = embedding_metrics(words)
    assert metrics == pytest.approx({"pc1_variance": 5 / 5.01, "pc1_log_odds_spearman": 1}, rel=0, abs=1e-12)
    assert {type(value) for value in metrics.values()} == {float}, "which JSON takes"


def test_the_counts_are_of_the_padded_training_reviews_and_the_log_odds_add_one_to_each(tmp_path):
    plot_words(learned_words(VECTORS, TRAIN), VOCABULARY, tmp_path / "embedding.csv")
    columns = "word", "positive", "negative", "log_odds"
    assert [tuple(row[name] for name in columns) for row in rows(tmp_path / "embedding.csv")] == [
        ("good", "3", "0", str(round(math.log(4 / 1), 6))),
        ("fine", "1", "0", str(round(math.log(2 / 1), 6))),
        ("bad", "1", "1", "0.0"),
        ("awful", "0", "4", str(round(math.log(1 / 5), 6))),
    ]


def test_the_picture_is_the_same_bytes_each_time(tmp_path):
    for name in "a", "b":
        plot_words(learned_words(VECTORS, TRAIN), VOCABULARY, tmp_path / f"{name}.csv")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("vectors", "train"),
    [
        (VECTORS, Padded(np.zeros((2, 3), np.int32), np.array([0, 1], np.uint8))),
        (VECTORS, Padded(np.array([[4]], np.int32), np.array([1], np.uint8))),
        (np.ones((9, 3)), TRAIN),
        (VECTORS, Padded(np.array([[4, 5, 6]] * 2, np.int32), np.array([0, 1], np.uint8))),
    ],
    ids=["no word", "one word", "equal vectors", "equal log-odds"],
)
@pytest.mark.filterwarnings("error")
def test_what_is_not_defined_is_none_and_the_picture_is_drawn_all_the_same(tmp_path, vectors, train):
    words = learned_words(vectors, train)
    metrics = embedding_metrics(words)
    assert metrics["pc1_log_odds_spearman"] is None
    assert (metrics["pc1_variance"] is None) == (len(np.unique(words.places[:, 0])) < 2)
    plot_words(words, VOCABULARY, tmp_path / "embedding.csv")
    assert len(rows(tmp_path / "embedding.csv")) == len(words.ids)
    assert (tmp_path / "embedding.png").exists()


def test_an_embedding_of_one_dimension_has_no_second_component():
    words = learned_words(VECTORS[:, :1], TRAIN)
    assert words.places[:, 1].tolist() == [0] * 4
    assert embedding_metrics(words)["pc1_variance"] == pytest.approx(1, abs=1e-6)


@pytest.mark.training
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_vector_of_a_word_is_its_embedding_or_its_row_of_the_kernels(tmp_path, bidirectional):
    params = {"embedding_dim": 3, "cell": "gru", "units": 2, "bidirectional": bidirectional, "pooling": "last"}
    dropouts = {"dropout": 0.0, "output_dropout": 0.0}
    models, vectors = {}, {}
    for name in "embedding", "one_hot":
        model_params = ModelSection(input=name, **params, **dropouts)
        models[name] = build_model(4, 9, model_params, seed=1)
        save_model(models[name], tmp_path / "model.keras")
        vectors[name] = word_vectors(read_network(tmp_path / "model.keras"))
        assert vectors[name].dtype == np.float64
    np.testing.assert_array_equal(vectors["embedding"], models["embedding"].layers[0].embeddings.numpy())
    assert vectors["one_hot"].shape == (9, 3 * 2 * (2 if bidirectional else 1))
    for i, (kernel, _, _) in enumerate(cell_weights(models["one_hot"], model_params)):
        np.testing.assert_array_equal(vectors["one_hot"][:, 6 * i : 6 * i + 6], kernel.numpy())


def test_the_report_gives_the_outermost_words_and_the_nearest_by_cosine():
    names = ["great", "superb", "film", "awful"]
    vectors = np.vstack([np.zeros((4, 2)), [[1, 0.1], [9, 0.2], [0, 1], [-2, 0.1]]])
    words = learned_words(vectors, Padded(np.array([[4, 5, 6], [6, 7, 7]], np.int32), np.array([1, 0], np.uint8)))
    assert outermost(words, names)["positive"] == ["superb", "great", "film", "awful"]
    assert outermost(words, names)["negative"] == ["awful", "film", "great", "superb"]
    assert neighbours(words, names) == {"great": ["superb", "film", "awful"], "awful": ["film", "great", "superb"]}
