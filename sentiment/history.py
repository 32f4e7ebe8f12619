"""The history of a training: its file and its pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.ticker import MaxNLocator

from sentiment.figures import TRAINING, VALIDATION, new_figure, save_figure
from sentiment.files import write_csv


def write_history(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Write a row for each epoch, counted from 1."""
    write_csv(path, ["epoch", *history[0]], ([epoch, *row.values()] for epoch, row in enumerate(history, start=1)))


def draw_history(history: Sequence[Mapping[str, float]], metric: str, ylabel: str, path: Path) -> None:
    """Draw one metric by epoch, training beside validation."""
    figure, axes = new_figure(f"{metric.capitalize()} by epoch", "epoch", ylabel)
    epochs = range(1, len(history) + 1)
    axes.plot(epochs, [row[metric] for row in history], "o-", color=TRAINING, label="training")
    axes.plot(epochs, [row[f"val_{metric}"] for row in history], "s--", color=VALIDATION, label="validation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)
