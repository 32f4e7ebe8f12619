"""Write report.html: one page for the run that lies in the folders now, with its pictures inside, to send or to keep.

Takes params.yaml, metrics/metrics.json, plots/*.png, the model, the padded training and validation reviews, and the study's
results.
"""

import base64
import json
from pathlib import Path

import jinja2
import numpy as np
from sklearn.metrics.pairwise import cosine_similarity

from sentiment.common.errors import UserError
from sentiment.common.files import write_bytes
from sentiment.common.parameters import read_params
from sentiment.common.reviews import LABEL_NAMES, Padded, load_padded
from sentiment.common.vocabulary import FIRST_ID, words_of_ids
from sentiment.evaluation.regression import bag_of_words, fit_regression
from sentiment.evaluation.words import LearnedWords, learned_words
from sentiment.inference.forward import probabilities, word_vectors
from sentiment.inference.model_folder import Model, read_model

PICTURES = "accuracy", "loss", "confusion", "roc", "precision_recall", "embedding"
MOST_WRONG = 10
OUTERMOST = 10
NEIGHBOURS = 5
NEIGHBOURS_OF = "great", "perfect", "funny", "awful", "boring", "waste"


def flat(values: dict, prefix: str = "") -> dict[str, object]:
    """Nested dicts as one, by the keys joined with dots."""
    result: dict[str, object] = {}
    for key, value in values.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return result


def references(train: Padded, validation: Padded, num_words: int) -> dict[str, float]:
    """The validation accuracy of what a network has to beat. A label of which there is one training review is not learned."""
    counts = np.bincount(train.y, minlength=2)
    accuracies = {"always the more frequent label of the training reviews": float((validation.y == counts.argmax()).mean())}
    if min(counts) > 1:
        predicted = fit_regression(train, num_words).predict(bag_of_words(validation.x, num_words))
        accuracies["a logistic regression on the bag of the same words"] = float((predicted == validation.y).mean())
    return accuracies


def most_wrong(model: Model, validation: Padded) -> list[dict]:
    """The reviews whose probability is farthest from their label, with the words that the model was given of them."""
    x, y = validation
    predicted = probabilities(model.network, x)
    farthest = np.argsort(-np.abs(y - predicted), kind="stable")[:MOST_WRONG]
    return [
        {
            "label": LABEL_NAMES[y[i]],
            "probability": predicted[i],
            "words": " ".join(words_of_ids(x[i][x[i] >= FIRST_ID], model.vocabulary)),
        }
        for i in farthest
    ]


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
    model = read_model(Path("data/model"))
    train, validation = (load_padded(Path(f"data/padded/{name}.npz")) for name in ("train", "validation"))
    words = learned_words(word_vectors(model.network), train)
    names = words_of_ids(words.ids, model.vocabulary)
    template = jinja2.Template(Path(__file__).with_suffix(".html").read_text(encoding="utf-8"), autoescape=True)
    return template.render(
        parameters=flat(read_params().model_dump()),
        metrics=metrics,
        study=json.loads(Path("studies/metrics/study.json").read_text()),
        pictures={path.stem: base64.b64encode(path.read_bytes()).decode() for path in pictures},
        references=references(train, validation, model.preprocessing.num_words),
        outermost=outermost(words, names),
        neighbours=neighbours(words, names),
        most_wrong=most_wrong(model, validation),
    )


def main() -> None:
    try:
        report = page()
    except (OSError, ValueError) as error:
        raise UserError(f"What the report is made of can't be read ({error}); `make report` runs what is missing.") from error
    write_bytes(Path("report.html"), report.encode())


if __name__ == "__main__":
    main()
