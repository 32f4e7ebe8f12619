"""Put the runs of the study together.

Takes studies/runs/*.json and studies/variants.yaml. Writes studies/metrics/study.json (by variant: mean, standard deviation,
minimum and maximum of the accuracies and of the first component's correlation with the log-odds
(sentiment/evaluation/words.py), the difference of the accuracies to those of another variant, parameters, input bytes),
studies/plots/study.csv (a row a run) and study.png; and studies/plots/memory.csv and memory.png: by tenths of a review, the
mean size of a token's effect (sentiment/evaluation/memory.py) and its standard deviation over the seeds.
"""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sentiment.common.files import read_bytes, write_csv, write_json
from sentiment.plots.figures import REFERENCE, VALIDATION, new_figure, save_figure
from studies.variants import RUNS, STUDIES, Study, read_study

# Colours of the Okabe-Ito palette, and solid or dashed lines; as many as can be told apart.
LINES = [("#0072B2", "o-"), ("#D55E00", "s-"), ("#009E73", "^-"), ("#D55E00", "s--"), ("#009E73", "^--"), ("#000000", "x:")]
SPLITS = "validation", "test"
COLUMNS = "accuracy", "loss", "f1", "roc_auc"


def spread(values: list[float]) -> dict[str, float | None]:
    """Mean, standard deviation (of a sample: n - 1; null for one value), minimum and maximum."""
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "min": min(values),
        "max": max(values),
    }


def difference(runs: list[dict], others: list[dict]) -> dict[str, float | None]:
    """The gain in validation accuracy over another variant, run by run from the same seeds.

    Mean and standard error; null where there are too few seeds. The standard error of the mean of n differences is their
    standard deviation divided by the square root of n.
    """
    accuracy_of = {run["seed"]: run["validation"]["accuracy"] for run in others}
    differences = [run["validation"]["accuracy"] - accuracy_of[run["seed"]] for run in runs if run["seed"] in accuracy_of]
    several = len(differences) > 1
    return {
        "mean": statistics.fmean(differences) if differences else None,
        "standard_error": statistics.stdev(differences) / len(differences) ** 0.5 if several else None,
    }


def summarise(runs: list[dict]) -> dict:
    accuracies = {f"{name}_accuracy": spread([run[name]["accuracy"] for run in runs]) for name in SPLITS if name in runs[0]}
    correlations = [run["words"]["pc1_log_odds_spearman"] for run in runs if "words" in run]
    defined = [correlation for correlation in correlations if correlation is not None]
    words = {"pc1_log_odds_spearman": spread(defined)} if defined else {}
    return accuracies | words | runs[0]["model"] | {"runs": len(runs)}


def compare(study: Study, runs: dict[str, list[dict]]) -> dict[str, dict]:
    """By variant, the difference to the one that it is compared with, under the name of that one."""
    references = {name: study.compared_with.get(name, "embedding") for name in study.variants}
    return {
        name: {f"difference_to_{reference}": difference(runs[name], runs[reference])}
        for name, reference in references.items()
        if reference in runs and reference != name
    }


def rows(runs: dict[str, list[dict]]) -> Iterator[list]:
    """A row a run: variant, seed and scores. What a run doesn't have is empty."""
    for variant, of_variant in runs.items():
        for run in of_variant:
            yield [variant, run["seed"], *(run[name][column] if name in run else "" for name in SPLITS for column in COLUMNS)]


def draw(runs: dict[str, list[dict]], published: dict[str, list[float]], path: Path) -> None:
    """Every run a dot, the means and the published values marked; a line a variant, the first one on top."""
    figure, axes = new_figure("Validation accuracy of every run", "accuracy (share of the validation reviews)", "")
    # Room for the names of the variants.
    figure.subplots_adjust(left=0.22)
    for place, (variant, of_variant) in enumerate(runs.items()):
        accuracies = [run["validation"]["accuracy"] for run in of_variant]
        first = place == 0
        beside = place + np.linspace(-0.2, 0.2, len(accuracies)) if len(accuracies) > 1 else [place]
        axes.plot(accuracies, beside, "o", color=VALIDATION, alpha=0.6, markersize=4, label="a run" if first else None)
        axes.plot([np.mean(accuracies)] * 2, [place - 0.4, place + 0.4], color="black", label="mean" if first else None)
        values = published.get(variant, [])
        axes.plot(values, [place] * len(values), "x", color=REFERENCE, markersize=8, label="published" if first else None)
    axes.set_yticks(range(len(runs)), list(runs), fontsize=8)
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    save_figure(figure, path)


def memory_rows(networks: dict[str, list[dict]]) -> list[tuple[str, int, float, float]]:
    """Variant, tenth of the review, and the mean and the standard deviation over the seeds (0 for one seed)."""
    return [
        (variant, tenth, float(np.mean(sizes)), float(np.std(sizes, ddof=1)) if len(sizes) > 1 else 0.0)
        for variant, runs in networks.items()
        for tenth, sizes in enumerate(zip(*(run["memory"] for run in runs), strict=True), start=1)
    ]


def draw_memory(rows: list[tuple[str, int, float, float]], variants: list[str], path: Path) -> None:
    """A line a variant, with a band of one standard deviation on each side."""
    figure, axes = new_figure("What a token does to the logit", "tenth of the review", "mean size of the effect")
    for variant, colour, line in zip(variants, *zip(*LINES, strict=True), strict=False):
        tenths, means, deviations = np.array([row[1:] for row in rows if row[0] == variant], float).reshape(-1, 3).T
        axes.plot(tenths, means, line, color=colour, label=variant)
        axes.fill_between(tenths, means - deviations, means + deviations, color=colour, alpha=0.2, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)


def main() -> None:
    study = read_study()
    networks, linear, reference, with_ratios = (
        json.loads(read_bytes(RUNS / f"{name}.json")) for name in ("networks", "linear", "reference", "with_ratios")
    )
    runs = {**networks, "linear": linear, "words_and_pairs": reference, "gru_with_ratios": with_ratios}
    differences = compare(study, runs)
    results = {variant: summarise(of_variant) | differences.get(variant, {}) for variant, of_variant in runs.items()}
    write_json(STUDIES / "metrics/study.json", results)
    columns = [f"{name}_{column}" for name in SPLITS for column in COLUMNS]
    write_csv(STUDIES / "plots/study.csv", ["variant", "seed", *columns], rows(runs))
    draw(runs, study.published, STUDIES / "plots/study.png")
    memory = memory_rows(networks)
    write_csv(STUDIES / "plots/memory.csv", ["variant", "tenth", "mean", "standard_deviation"], memory)
    draw_memory(memory, study.memory_of, STUDIES / "plots/memory.png")


if __name__ == "__main__":
    main()
