"""The pages with charts, opened in a real browser that has no network."""

import re
from collections import Counter
from pathlib import Path

import browser
import pytest
from conftest import Project
from helpers import rows

from sentiment.common.reviews import LABEL_NAMES

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

# Put at the end of a page: waits until Vega has drawn, or for ten seconds, and tells what can be seen.
LOOK = """
function isSeen(mark) {
    const box = mark.getBBox();
    return box.width > 0 || box.height > 0;
}
function isOutside(mark) {
    const frame = mark.closest("g:has(> path.background)").querySelector("path.background").getBoundingClientRect();
    const box = mark.getBoundingClientRect();
    return box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom;
}
const all = (root, query) => [...root.querySelectorAll(query)];
function seenOf(chart) {
    return {
        marks: all(chart, "svg.marks g.role-mark path").filter(isSeen).length,
        outside: all(chart, "svg.marks g.role-mark.mark-symbol path").filter(isOutside).length,
        texts: all(chart, "svg.marks text").map(text => text.textContent),
        dashes: all(chart, ".role-legend-symbol path").map(path => path.getAttribute("stroke-dasharray")).filter(Boolean),
        said: all(chart, "[role=graphics-document]").map(drawing => drawing.getAttribute("aria-label")).join(),
        right: Math.max(0, ...all(chart, "svg.marks").map(svg => svg.getBoundingClientRect().right)),
    };
}
function look(rest) {
    const boxes = all(document, ":is(body, main) > div[id]"), isPicture = box => box.querySelector("img");
    const charts = boxes.filter(box => !isPicture(box)).map(seenOf);
    if (charts.some(chart => !chart.marks) && rest > 0) { setTimeout(() => look(rest - 1), 100); return; }
    parent.postMessage({
        charts,
        pictures: [...document.images].map(image => image.complete ? image.naturalWidth : 0),
        alternatives: [...document.images].map(image => image.alt),
        headings: all(document, "h1, h2").map(heading => heading.textContent),
        inputs: all(document, "input").length,
        width: document.documentElement.scrollWidth,
        overflows: [...new Set(boxes.map(box => getComputedStyle(box).overflowX))],
    }, "*");
}
addEventListener("load", () => look(100));
"""


@pytest.fixture(scope="module")
def project(finished):
    """A project in which everything has run, with the page for charts that `make` sets up."""
    finished.run("python", "-m", "report.charts", ".dvc/tmp/charts.html")
    finished.run("dvc", "config", "--local", "plots.html_template", "tmp/charts.html")
    return finished


def opened(page: Path, width: int = 1300) -> dict:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=.https?:", text)
    return browser.told(text, LOOK, page.parent, width)


@pytest.fixture(scope="module")
def shown(project) -> dict:
    """What is seen of the page of `dvc plots show`."""
    project.run("dvc", "plots", "show")
    return opened(project.folder / "dvc_plots/index.html")


def test_every_chart_and_picture_of_dvc_plots_is_drawn_without_a_network(shown):
    assert len(shown["charts"]) == 7
    assert all(chart["marks"] for chart in shown["charts"])
    assert shown["pictures"] == [800] * 7


def test_the_confusion_matrix_shows_its_numbers(project, shown):
    counts = Counter((row["actual"], row["predicted"]) for row in rows(project.folder / "plots/confusion.csv"))
    (texts,) = (chart["texts"] for chart in shown["charts"] if {"actual", "predicted"} <= {*chart["texts"]})
    numbers = sorted(int(text.replace(",", "")) for text in texts if text[0].isdigit())
    assert numbers == sorted(counts[actual, predicted] for actual in LABEL_NAMES for predicted in LABEL_NAMES)
    assert shown["inputs"] == 0


# In an order that is neither that of the alphabet nor that in which they ran.
REVISIONS = ["mole", "zebra", "ant", "bee"]


@pytest.fixture(scope="module")
def four_revisions(project):
    """The page of `dvc plots diff` of four experiments."""
    for name, threshold in ("ant", 0.3), ("bee", 0.35), ("mole", 0.55), ("zebra", 0.6):
        project.run("dvc", "exp", "run", "--quiet", "--name", name, "-S", f"evaluate.threshold={threshold}")
    project.run("dvc", "plots", "diff", *REVISIONS, "--out", "four")
    return project.folder / "four/index.html"


@pytest.fixture(scope="module")
def compared(four_revisions) -> dict:
    """What is seen of it."""
    return opened(four_revisions)


def test_four_revisions_stand_in_the_order_of_the_command_in_every_chart_and_in_reach(compared):
    assert compared["pictures"] == [800] * 28
    for chart in compared["charts"]:
        assert chart["marks"]
        assert [text for text in chart["texts"] if text in REVISIONS] == REVISIONS
        assert chart["right"] <= 1300
        assert chart["outside"] == 0


def test_the_lines_of_four_revisions_are_told_apart_by_dashes_with_gaps_that_are_seen(compared):
    for chart in compared["charts"][:2]:
        assert [text for text in chart["texts"] if text in ("training", "validation")] == ["training", "validation"]
        assert len(set(chart["dashes"])) == 4
        solid, *others = ([float(length) for length in dash.split(",")] for dash in chart["dashes"])
        assert solid == [1, 0]
        assert all(min(dash[1::2]) >= 3 for dash in others), "lines are two pixels wide"


def test_the_page_of_charts_has_headings_and_says_what_is_seen(compared):
    charts = "Loss", "Accuracy", "Confusion matrix", "ROC curve", "Precision by recall", "The words in the embedding"
    assert compared["headings"][:7] == ["Plots", *charts]
    for heading, chart in zip(compared["headings"][1:], compared["charts"], strict=False):
        assert chart["said"].startswith(heading)
        assert chart["said"].endswith("Revisions: mole, zebra, ant, bee.")
    assert compared["charts"][3]["said"].startswith("ROC curve: true positive rate by false positive rate. ")
    assert "plots/loss.png of zebra" in compared["alternatives"]
    assert "plots/loss.png" in compared["headings"]


def test_a_phone_shows_the_charts_whole(four_revisions):
    seen = opened(four_revisions, width=390)
    assert all(chart["marks"] for chart in seen["charts"])
    assert max(chart["right"] for chart in seen["charts"]) <= 390
    assert seen["width"] <= 390
    assert seen["overflows"] == ["auto"], "so that what is wider, the pictures, scrolls in its own box"


def test_the_chart_of_the_study_has_a_mark_for_every_run_and_cuts_none_off(project):
    studies = Project(project.folder / "studies")
    studies.environment = project.environment
    studies.run("dvc", "config", "--local", "plots.html_template", "../../.dvc/tmp/charts.html")
    studies.run("dvc", "plots", "show", "plots/study.csv", "plots/study.png")
    seen = opened(studies.folder / "dvc_plots/index.html")
    runs = (studies.folder / "plots/study.csv").read_text().splitlines()[1:]
    assert [(chart["marks"], chart["outside"]) for chart in seen["charts"]] == [(len(runs), 0)]
    assert seen["pictures"] == [800]
    assert "dvc_plots" not in project.run("git", "status", "--porcelain")
