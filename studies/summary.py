"""Put the runs of the study together.

Takes studies/runs/*.json and studies/variants.yaml. Writes studies/metrics/study.json (by variant: mean, standard deviation,
minimum and maximum of the accuracies, parameters, input bytes), studies/plots/study.csv (a row a run) and study.png.
"""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sentiment.figures import REFERENCE, VALIDATION, new_figure, save_figure
from sentiment.files import read_bytes, rounded, write_csv, write_json
from studies.variants import STUDIES, read_study

SPLITS = "validation", "test"
COLUMNS = "accuracy", "loss", "f1", "roc_auc"


def spread(values: list[float]) -> dict[str, float | None]:
    """Mean, standard deviation (of a sample: n - 1; null for one value), minimum and maximum."""
    return {
        "mean": rounded(statistics.fmean(values)),
        "std": rounded(statistics.stdev(values)) if len(values) > 1 else None,
        "min": min(values),
        "max": max(values),
    }


def summarise(runs: list[dict]) -> dict:
    accuracies = {f"{name}_accuracy": spread([run[name]["accuracy"] for run in runs]) for name in SPLITS if name in runs[0]}
    return accuracies | runs[0]["model"] | {"runs": len(runs)}


def rows(runs: dict[str, list[dict]]) -> Iterator[list]:
    """A row a run: variant, seed and scores. What a run doesn't have is empty."""
    for variant, of_variant in runs.items():
        for run in of_variant:
            yield [variant, run["seed"], *(run[name][column] if name in run else "" for name in SPLITS for column in COLUMNS)]


def draw(runs: dict[str, list[dict]], published: dict[str, list[float]], path: Path) -> None:
    """Every run a dot, the means and the published values marked."""
    figure, axes = new_figure("Validation accuracy of every run", "", "accuracy (share of 5,000 reviews)")
    for place, (variant, of_variant) in enumerate(runs.items()):
        accuracies = [run["validation"]["accuracy"] for run in of_variant]
        first = place == 0
        beside = place + np.linspace(-0.15, 0.15, len(accuracies)) if len(accuracies) > 1 else [place]
        axes.plot(beside, accuracies, "o", color=VALIDATION, alpha=0.6, label="a run" if first else None)
        axes.plot([place - 0.3, place + 0.3], [np.mean(accuracies)] * 2, color="black", label="mean" if first else None)
        values = published.get(variant, [])
        axes.plot([place] * len(values), values, "x", color=REFERENCE, markersize=9, label="published" if first else None)
    axes.set_xticks(range(len(runs)), [variant.replace("_", "\n") for variant in runs])
    axes.grid(alpha=0.3, axis="y")
    axes.legend(loc="lower right")
    save_figure(figure, path)


def main() -> None:
    study = read_study()
    runs = {name: json.loads(read_bytes(STUDIES / f"runs/{name}.json")) for name in [*study.variants, "linear"]}
    write_json(STUDIES / "metrics/study.json", {variant: summarise(of_variant) for variant, of_variant in runs.items()})
    columns = [f"{name}_{column}" for name in SPLITS for column in COLUMNS]
    write_csv(STUDIES / "plots/study.csv", ["variant", "seed", *columns], rows(runs))
    draw(runs, study.published, STUDIES / "plots/study.png")


if __name__ == "__main__":
    main()
