"""The pages with charts and the report, opened in a real browser that has no network."""

import csv
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Project
from helpers import is_missing

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

# Put at the end of a page: waits until Vega has drawn, or for ten seconds, and says in the page what can be seen.
LOOK = """<script>
function countMarks(chart) {
    const marks = [...chart.querySelectorAll("svg.marks g.role-mark path")].map(mark => mark.getBBox());
    return marks.filter(box => box.width > 0 || box.height > 0).length;
}
function look(rest) {
    const charts = [...document.querySelectorAll("body > div[id]")].filter(div => !div.querySelector("img"));
    const marks = charts.map(countMarks);
    if (marks.includes(0) && rest > 0) { setTimeout(() => look(rest - 1), 100); return; }
    const seen = {marks, pictures: [...document.images].map(image => image.complete ? image.naturalWidth : 0)};
    document.body.dataset.seen = JSON.stringify(seen);
}
addEventListener("load", () => look(100));
</script>"""


@pytest.fixture(scope="module")
def project(make_finished_project):
    """A project in which everything has run, with the page for charts that `make` sets up."""
    project = make_finished_project()
    project.run("python", "-m", "report.charts", ".dvc/tmp/charts.html")
    project.run("dvc", "config", "--local", "plots.html_template", "tmp/charts.html")
    return project


def opened(page: Path) -> dict[str, list[int]]:
    """What a browser without a network shows of a page: the number of marks in each chart, and the widths of the pictures."""
    chromium = shutil.which("chromium")
    if not chromium:
        is_missing("chromium (Debian's package of this name) is not installed")
    copy = page.with_name(f"looked_at_{page.name}")
    copy.write_text(page.read_text(encoding="utf-8") + LOOK, encoding="utf-8")
    without_network = "--proxy-server=http://127.0.0.1:9", "--host-resolver-rules=MAP * ~NOTFOUND"
    options = "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"
    done = subprocess.run([chromium, *without_network, *options, copy.as_uri()], capture_output=True, text=True, timeout=120)
    (seen,) = re.findall('data-seen="([^"]+)"', done.stdout) or [pytest.fail(done.stderr)]
    return json.loads(html.unescape(seen))


@pytest.mark.parametrize("command", [("show",), ("diff", "HEAD")], ids=" ".join)
def test_every_chart_of_dvc_plots_is_drawn_without_a_network(project, command):
    project.set_params(evaluate__threshold=0.5 if command == ("show",) else 0.4)
    project.run("dvc", "repro", "--quiet")
    project.run("dvc", "plots", *command)
    page = project.folder / "dvc_plots/index.html"
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=.https?:", page.read_text(encoding="utf-8"))
    seen = opened(page)
    assert len(seen["marks"]) == 7
    assert all(seen["marks"])
    assert len(seen["pictures"]) == (6 if command == ("show",) else 12)
    assert all(width == 800 for width in seen["pictures"])


def test_the_page_of_dvc_itself_would_stay_empty_without_a_network(project):
    """That a chart which is not drawn is found out."""
    project.run("dvc", "config", "--local", "--unset", "plots.html_template")
    try:
        project.run("dvc", "plots", "show", "--out", "own")
    finally:
        project.run("dvc", "config", "--local", "plots.html_template", "tmp/charts.html")
    assert opened(project.folder / "own/index.html")["marks"] == [0] * 7


def test_the_chart_of_the_study_has_a_mark_for_every_run(project):
    studies = Project(project.folder / "studies")
    studies.environment = project.environment
    studies.run("dvc", "config", "--local", "plots.html_template", "../../.dvc/tmp/charts.html")
    studies.run("dvc", "plots", "show")
    seen = opened(studies.folder / "dvc_plots/index.html")
    runs = (studies.folder / "plots/study.csv").read_text().splitlines()[1:]
    assert seen == {"marks": [len(runs)], "pictures": [800]}
    assert "dvc_plots" not in project.run("git", "status", "--porcelain")


def test_the_report_holds_the_run_and_opens_alone_and_without_a_network(project, tmp_path):
    project.run("python", "-m", "report.run")
    alone = Path(shutil.copy(project.folder / "report.html", tmp_path))
    text = html.unescape(alone.read_text(encoding="utf-8"))
    assert "http" not in re.sub(r"<td>https?://[^<]*</td>", "", text)
    assert opened(alone)["pictures"] == [800] * 7

    metrics = json.loads((project.folder / "metrics/metrics.json").read_text())
    for name, value in metrics["validation"].items():
        assert f'<tr><td>{name}</td><td class="number">{value:.4f}</td></tr>' in text
    for name, value in ("train.epochs", 2), ("train.learning_rate", "null"), ("model.cell", "simple_rnn"):
        assert f"<tr><td>{name}</td><td>{value}</td></tr>" in text
    study = json.loads((project.folder / "studies/metrics/study.json").read_text())
    for variant, result in study.items():
        assert f'<tr><td>{variant}</td><td class="number">{result["validation_accuracy"]["mean"]:.4f}</td>' in text


def test_the_report_shows_what_the_embedding_learned(project):
    project.run("python", "-m", "report.run")
    text = html.unescape((project.folder / "report.html").read_text(encoding="utf-8"))
    with (project.folder / "plots/embedding.csv").open(encoding="utf-8", newline="") as file:
        by_place = [row["word"] for row in sorted(csv.DictReader(file), key=lambda row: float(row["pc1"]))]
    assert f"<tr><td>negative</td><td>{', '.join(by_place[:10])}</td></tr>" in text
    assert f"<tr><td>positive</td><td>{', '.join(by_place[:-11:-1])}</td></tr>" in text
    rows = dict(re.findall(r"<tr><td>([^<]+)</td><td>([^<,]+(?:, [^<,]+){4})</td></tr>", text))
    assert rows.keys() == {"perfect", "awful", "boring"}, "of the fixed words, those that the model knows"
    assert all(word not in nearest.split(", ") for word, nearest in rows.items())


def test_a_report_of_what_has_not_run_is_told(project, tmp_path):
    shutil.copyfile(project.folder / "params.yaml", tmp_path / "params.yaml")
    elsewhere = Project(tmp_path)
    elsewhere.environment = project.environment | {"PYTHONPATH": str(project.folder)}
    printed = elsewhere.run("python", "-m", "report.run", status=1)
    assert printed.splitlines()[-1].startswith("ERROR: What the report is made of can't be read (")
    assert "Traceback" not in printed
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_the_report_shows_the_reviews_that_the_model_is_most_wrong_about(project):
    project.run("python", "-m", "report.run")
    text = html.unescape((project.folder / "report.html").read_text(encoding="utf-8"))
    rows = re.findall(r'<tr><td>(positive|negative)</td><td class="number">(0\.\d{4}|1\.0000)</td><td>(.*)</td></tr>', text)
    errors = [abs((label == "positive") - float(probability)) for label, probability, _ in rows]
    assert len(rows) == 10
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.5
    vocabulary = (project.folder / "data/model/vocabulary.txt").read_bytes().decode().split("\n")
    for _, _, words in rows:
        # num_words is 40, and the first word has id 4.
        assert set(words.split(" ")) <= set(vocabulary[: 40 - 4])
        assert len(words.split(" ")) <= 12
