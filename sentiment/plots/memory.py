"""The mean size of a token's effect by its place, as a CSV file and as a picture."""

from pathlib import Path

import numpy as np

from sentiment.common.files import write_csv
from sentiment.plots.figures import REFERENCE, VALIDATION, new_figure, save_figure

PARTS = 10


def plot_memory(effects: np.ndarray, reviews: int, csv_path: Path) -> None:
    """A row a place, from the first token to the last; in the picture also the means of ten parts of the review.

    The effects are means over so many reviews. Of none, the picture says so.
    """
    places = np.arange(1, len(effects) + 1)
    write_csv(csv_path, ["place", "effect"], zip(places.tolist(), effects, strict=True))
    figure, axes = new_figure("What a token does to the logit, by its place", "place in the review", "mean size of the effect")
    axes.plot(places, effects, "o", color=REFERENCE, markersize=3, label=f"place, mean of {reviews} reviews")
    parts = [part for part in np.array_split(places, PARTS) if len(part)]
    starts, ends = ([part[end] for part in parts] for end in (0, -1))
    means = [effects[part - 1].mean() for part in parts]
    axes.hlines(means, np.subtract(starts, 0.5), np.add(ends, 0.5), color=VALIDATION, label="tenth")
    if not reviews:
        axes.text(0.5, 0.5, "No review has ten tokens that the network sees.", ha="center", transform=axes.transAxes)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, csv_path.with_suffix(".png"))
