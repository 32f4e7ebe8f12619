"""What is said of the embedding, on words whose vectors and reviews are made by hand."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from helpers import rows
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from matplotlib.text import Annotation, Text

from report.run import neighbours, outermost
from sentiment.common.parameters import ModelSection
from sentiment.common.reviews import Padded
from sentiment.common.vocabulary import FIRST_ID
from sentiment.evaluation.words import LearnedWords, embedding_metrics, learned_words
from sentiment.inference.forward import word_vectors
from sentiment.inference.saved_model import read_network
from sentiment.plots.figures import NEGATIVE, NEUTRAL, POSITIVE, TRAINING, VALIDATION
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


def pictured(csv_path: Path, folder: Path):
    """The figure of the words of a file embedding.csv."""
    of_file = rows(csv_path)
    pc1, pc2, *columns = (
        np.array([float(row[name]) for row in of_file]) for name in ("pc1", "pc2", "positive", "negative", "log_odds")
    )
    words = LearnedWords(np.arange(FIRST_ID, FIRST_ID + len(pc1)), np.zeros((len(pc1), 1)), np.stack([pc1, pc2], 1), *columns)
    return plot_words(words, [row["word"].encode() for row in of_file], folder / "embedding.csv")


def crosses(box, start: np.ndarray, end: np.ndarray) -> bool:
    """Whether a line runs through a box, tried at a thousand points of it."""
    x, y = np.linspace(start, end, 1000).T
    return bool(((box.x0 < x) & (x < box.x1) & (box.y0 < y) & (y < box.y1)).any())


def test_no_line_to_a_name_runs_through_another_name_in_the_picture_of_the_committed_run(tmp_path):
    figure = pictured(ROOT / "plots/embedding.csv", tmp_path)
    figure.draw_without_rendering()
    names = [child for child in figure.axes[0].get_children() if isinstance(child, Annotation)]
    assert len(names) == 20
    boxes = [Text.get_window_extent(name) for name in names]
    lines = [name.arrow_patch.get_transform().transform(name.arrow_patch.get_path().vertices) for name in names]
    crossed = [
        (names[i].get_text(), names[j].get_text())
        for i, j in itertools.product(range(len(names)), repeat=2)
        if i != j and crosses(boxes[j], lines[i][0], lines[i][-1])
    ]
    assert crossed == []
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


# Of Machado, Oliveira and Fernandes (2009), for those who lack a kind of cones altogether; they take linear RGB.
SEEN_WITH = {
    "all cones": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


def lab(colour: str, eyes: str = "all cones") -> np.ndarray:
    """Lightness, green to red and blue to yellow (CIE L*a*b*, D65) as these eyes see a colour; a step of 2 can just be seen."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(SEEN_WITH[eyes] @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.maximum(to_xyz @ linear / to_xyz.sum(axis=1), 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", SEEN_WITH)
def test_the_colours_of_negative_and_positive_words_differ_to_all_eyes(eyes):
    negative, neutral, positive = (lab(colour, eyes) for colour in (NEGATIVE, NEUTRAL, POSITIVE))
    assert np.linalg.norm(negative - positive) > 50
    assert min(np.linalg.norm(negative - neutral), np.linalg.norm(positive - neutral)) > 25


def test_the_colours_of_negative_and_positive_words_differ_in_grey_print():
    negative, neutral, positive = (lab(colour)[0] for colour in (NEGATIVE, NEUTRAL, POSITIVE))
    assert abs(negative - positive) > 30
    assert abs(negative - neutral) > 30
    assert abs(positive - neutral) > 10


def test_the_colours_of_words_are_not_taken_for_training_and_validation():
    for word, reviews in itertools.product((NEGATIVE, POSITIVE), (TRAINING, VALIDATION)):
        assert np.linalg.norm(lab(word) - lab(reviews)) > 25, (word, reviews)


def test_the_picture_and_the_chart_have_the_same_colours(tmp_path):
    chart = json.loads((ROOT / ".dvc/plots/embedding.json").read_text())
    colours = chart["spec"]["encoding"]["color"]["scale"]["range"]
    assert colours == [NEGATIVE, NEUTRAL, POSITIVE]
    pictured(ROOT / "plots/embedding.csv", tmp_path)
    pixels = np.round(imread(tmp_path / "embedding.png")[:, :, :3] * 255).reshape(-1, 3)
    for colour in colours:
        # The edges of the colour bar are blurred.
        assert np.abs(pixels - np.array(to_rgb(colour)) * 255).max(axis=1).min() <= 3, colour


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
