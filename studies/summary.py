"""Put the runs of the study together.

Takes studies/runs/*.json and studies/variants.yaml. Writes studies/metrics/study.json (by variant: mean, standard deviation,
minimum and maximum of the accuracies, parameters, input bytes), studies/plots/study.csv (a row a run) and study.png.
"""

import json
import statistics
from pathlib import Path

import numpy as np

from stages.figures import REFERENCE, VALIDATION, new_figure, save_figure
from stages.files import rounded, write_csv, written_whole
from studies import STUDIES, read_study


def read_runs(seeds: list[int], variants: list[str]) -> dict[str, list[dict]]:
    """The results of each variant, one a seed, and last those of the linear reference and of the preset, one each."""
    names = {variant: [f"{variant}-{seed}" for seed in seeds] for variant in variants}
    names |= {"linear": ["linear"], "preset": ["preset-0"]}
    return {
        variant: [json.loads((STUDIES / f"runs/{name}.json").read_text()) for name in of_variant]
        for variant, of_variant in names.items()
    }


def spread(values: list[float]) -> dict[str, float | None]:
    """Mean, standard deviation (of a sample: n - 1; null for one value), minimum and maximum."""
    return {
        "mean": rounded(statistics.fmean(values)),
        "std": rounded(statistics.stdev(values)) if len(values) > 1 else None,
        "min": min(values),
        "max": max(values),
    }


def summarise(runs: list[dict]) -> dict:
    accuracies = {
        f"{name}_accuracy": spread([result[name]["accuracy"] for result in runs])
        for name in ("validation", "test")
        if name in runs[0]
    }
    return accuracies | runs[0]["model"] | {"runs": len(runs)}


def draw(runs: dict[str, list[dict]], published: dict[str, list[float]], path: Path) -> None:
    """Every run a dot, the means and the published values marked."""
    figure, axes = new_figure("Validation accuracy of every run", "", "accuracy (share of 5,000 reviews)")
    for place, (variant, results) in enumerate(runs.items()):
        accuracies = [result["validation"]["accuracy"] for result in results]
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
    runs = read_runs(study.seeds, list(study.variants))
    with written_whole(STUDIES / "metrics/study.json") as part:
        part.write_text(json.dumps({variant: summarise(results) for variant, results in runs.items()}, indent=2) + "\n")
    columns = ["accuracy", "loss", "f1", "roc_auc"]
    write_csv(
        STUDIES / "plots/study.csv",
        ["variant", "seed", *(f"{name}_{column}" for name in ("validation", "test") for column in columns)],
        (
            [
                variant,
                seed if variant != "linear" else "",
                *(result[name][column] if name in result else "" for name in ("validation", "test") for column in columns),
            ]
            for variant, results in runs.items()
            for seed, result in zip(study.seeds, results)  # noqa: B905 (the preset and the linear model run once)
        ),
    )
    draw(runs, study.published, STUDIES / "plots/study.png")


if __name__ == "__main__":
    main()
