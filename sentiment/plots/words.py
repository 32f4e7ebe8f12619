"""The words' places on the principal components of the embedding, as a CSV file and as a picture."""

import sys
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from sentiment.common.files import write_csv
from sentiment.common.vocabulary import words_of_ids
from sentiment.evaluation.words import LearnedWords
from sentiment.plots.figures import NEGATIVE, NEUTRAL, POSITIVE, REFERENCE, font_of, new_figure, save_figure

# As in .dvc/plots/embedding.json.
NEGATIVE_TO_POSITIVE = LinearSegmentedColormap.from_list("log-odds", [NEGATIVE, NEUTRAL, POSITIVE])
# Words with their names in the picture, at each end.
LABELLED = 10


def plot_words(words: LearnedWords, vocabulary: list[bytes], csv_path: Path) -> Figure:
    """A row a word, in the order of their ids, and beside the file a picture, returned too, that names the outermost words."""
    names = words_of_ids(words.ids, vocabulary)
    x, y = words.places.T
    columns = words.positive, words.negative, words.log_odds
    header = ["word", "pc1", "pc2", "positive", "negative", "log_odds"]
    write_csv(csv_path, header, zip(names, x, y, *columns, strict=True))

    figure, axes = new_figure("The words of the training reviews in the embedding", "first component", "second component")
    limit = np.abs(words.log_odds).max(initial=1)
    points = axes.scatter(x, y, c=words.log_odds, cmap=NEGATIVE_TO_POSITIVE, vmin=-limit, vmax=limit, s=9)
    figure.colorbar(points, label="log-odds of a positive review")
    axes.margins(x=0.4)
    order = np.argsort(x, kind="stable")
    ends = min(LABELLED, len(order) // 2)
    _draw_names(axes, names, words.places, order[:ends], "left")
    _draw_names(axes, names, words.places, order[len(order) - ends :], "right")
    axes.grid(alpha=0.3)
    picture = csv_path.with_suffix(".png")
    save_figure(figure, picture)
    if left_out := [names[i] for i in (*order[:ends], *order[len(order) - ends :]) if not font_of(names[i])]:
        fonts = "in Debian, fonts-noto-cjk for Chinese, Japanese and Korean, fonts-noto-core for others"
        again = f"install one ({fonts}), and run `dvc repro --force --single-item evaluate`"
        print(f"{picture} leaves out {', '.join(left_out)}: this machine has no font for them; {again}.", file=sys.stderr)
    return figure


def _draw_names(axes: Axes, names: list[str], places: np.ndarray, which: np.ndarray, side: Literal["left", "right"]) -> None:
    """Write names one below the other at a side of the picture, by the heights of their words, each with a line to its word.

    All names end, and their lines start, at one edge between names and words: no line runs through a name.
    A name of which no font has all characters would be boxes: it is left out.
    """
    from_below = which[np.argsort(places[which, 1], kind="stable")]
    for i, height in zip(from_below, np.linspace(0.05, 0.95, len(which)), strict=True):
        if not (font := font_of(names[i])):
            continue
        axes.annotate(
            names[i],
            places[i],
            (0.18 if side == "left" else 0.82, height),
            textcoords="axes fraction",
            ha="right" if side == "left" else "left",
            va="center",
            font=font,
            fontsize=8,
            # Without patchA, matplotlib need not search for where the line leaves it; shrinkA, in points, keeps the line off.
            arrowprops={
                "arrowstyle": "-",
                "color": REFERENCE,
                "linewidth": 0.5,
                "relpos": (side == "left", 0.5),
                "patchA": None,
                "shrinkA": 4,
                "shrinkB": 0,
            },
        )
