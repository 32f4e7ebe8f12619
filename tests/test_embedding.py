"""What is said of the embedding, on words whose vectors and reviews are made by hand."""

import itertools
import json
import math

import numpy as np
import pytest
from conftest import ROOT
from helpers import rows
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from matplotlib.text import Annotation, Text

from report.run import neighbours
from sentiment.common.reviews import Padded
from sentiment.common.vocabulary import FIRST_ID
from sentiment.evaluation.words import LearnedWords, embedding_metrics, learned_words
from sentiment.plots.figures import NEGATIVE, NEUTRAL, POSITIVE
from sentiment.plots.words import plot_words

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


def test_no_line_to_a_name_runs_through_another_name_in_the_picture_of_the_committed_run(tmp_path):
    committed = rows(ROOT / "plots/embedding.csv")
    columns = {name: np.array([float(row[name]) for row in committed]) for name in committed[0] if name != "word"}
    places = np.stack([columns.pop("pc1"), columns.pop("pc2")], axis=1)
    words = LearnedWords(np.arange(FIRST_ID, FIRST_ID + len(places)), places, places, **columns)
    figure = plot_words(words, [row["word"].encode() for row in committed], tmp_path / "embedding.csv")
    figure.draw_without_rendering()
    names = [child for child in figure.axes[0].get_children() if isinstance(child, Annotation)]
    assert len(names) == 20
    boxes = [Text.get_window_extent(name) for name in names]
    lines = [name.arrow_patch.get_transform().transform_path(name.arrow_patch.get_path()) for name in names]
    for i, j in itertools.permutations(range(len(names)), 2):
        assert not lines[i].intersects_bbox(boxes[j]), (names[i].get_text(), names[j].get_text())
        assert not boxes[i].overlaps(boxes[j])


def test_the_colours_of_negative_and_positive_words_differ_in_grey_print_and_so_to_the_colour_blind():
    lightness = [np.dot(to_rgb(colour), [0.299, 0.587, 0.114]) for colour in (NEGATIVE, POSITIVE, NEUTRAL)]
    assert min(np.diff(lightness)) > 0.15


def test_the_picture_and_the_chart_have_the_same_colours():
    chart = json.loads((ROOT / ".dvc/plots/embedding.json").read_text())
    assert chart["spec"]["encoding"]["color"]["scale"]["range"] == [NEGATIVE, NEUTRAL, POSITIVE]
    pixels = imread(ROOT / "plots/embedding.png")[:, :, :3].reshape(-1, 3)
    for colour in NEGATIVE, NEUTRAL, POSITIVE:
        # The edges of the colour bar are blurred.
        assert np.abs(pixels - to_rgb(colour)).max(axis=1).min() < 0.012, colour


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


def test_the_report_gives_the_nearest_words_by_cosine():
    names = ["great", "superb", "film", "awful"]
    vectors = np.vstack([np.zeros((4, 2)), [[1, 0.1], [9, 0.2], [0, 1], [-2, 0.1]]])
    words = learned_words(vectors, Padded(np.array([[4, 5, 6], [6, 7, 7]], np.int32), np.array([1, 0], np.uint8)))
    assert neighbours(words, names) == {"great": ["superb", "film", "awful"], "awful": ["film", "great", "superb"]}
