"""Loss and accuracy by epoch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from sentiment.plots.figures import TRAINING, VALIDATION, new_figure, save_figure


def plot_history(history: Mapping[str, np.ndarray], metric: str, ylabel: str, path: Path) -> None:
    """A picture of one metric, training beside validation, from the columns of history.csv."""
    figure, axes = new_figure(f"{metric.capitalize()} by epoch", "epoch", ylabel)
    axes.plot(history["epoch"], history[metric], "o-", color=TRAINING, label="training")
    axes.plot(history["epoch"], history[f"val_{metric}"], "s--", color=VALIDATION, label="validation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)
