"""Reviews of one's own: a CSV file in place of IMDB, in any language, through the same pipeline."""

import json
import os
import re
from functools import partial
from operator import methodcaller
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from conftest import ROOT, Project
from fontTools.ttLib import TTFont
from helpers import sequences, write_reviews

from sentiment.common.errors import UserError
from sentiment.common.parameters import read_params
from sentiment.common.reviews import Padded, Reviews, load_padded
from sentiment.corpus.csv_files import from_csv, reviews_file
from sentiment.corpus.encoding import Dataset
from sentiment.evaluation.words import learned_words
from sentiment.inference.forward import probabilities
from sentiment.inference.model_folder import read_model
from sentiment.plots.words import plot_words

GOOD, BAD = "great,positive", "awful,negative"
# Words of good and of bad reviews, and of both.
TELLING = "재미있어요 최고예요 감동적".split(), "지루해요 최악이에요 별로".split()
COMMON = "이 영화는 정말 배우가".split()


def made_rows(n: int, seed: int = 0) -> list[tuple[str, str]]:
    """Reviews in Korean of which the words tell the label."""
    random = np.random.default_rng(seed)
    texts = ["".join(random.choice(TELLING[i % 2] * 2 + COMMON, random.integers(4, 12))) + "!" for i in range(n)]
    return [(text, ("Spam", "ham")[i % 2]) for i, text in enumerate(texts)]


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """What the source `csv` gives of files in a folder."""

    def fetch(files: dict[str, str], **changes: object) -> Dataset:
        monkeypatch.chdir(tmp_path)
        Path("own").mkdir()
        for name, content in files.items():
            Path("own", name).write_text(content)
        return from_csv(read_params(ROOT / "params.yaml").fetch.csv.model_copy(update={"folder": "own"} | changes), tmp_path)

    return fetch


def texts_of(dataset: Dataset, reviews: Reviews) -> list[str]:
    """The reviews, decoded by the vocabulary."""
    return [b" ".join(dataset.vocabulary[rank - 1] for rank in ranks).decode() for ranks in sequences(reviews)]


def test_the_reviews_are_in_the_order_of_the_file_and_words_ranked_by_count_then_by_first_sight(fetched):
    dataset = fetched(
        {
            "train.csv": 'sentiment,review,id\n1,b c a b,7\n NEG ,c d,8\nPositive,"d, d",9\n',
            "test.csv": "review,sentiment\na new b,0\n",
        }
    )
    assert dataset.vocabulary == [b"d", b"b", b"c", b"a"]
    assert texts_of(dataset, dataset.train) == ["b c a b", "c d", "d d"]
    assert dataset.train.labels.tolist() == [1, 0, 1]
    assert texts_of(dataset, dataset.test) == ["a b"]
    assert dataset.test.labels.tolist() == [0]
    assert dataset.tokenizer == "words"


def test_tabs_separate_the_values_of_a_tsv_file_and_any_two_classes_will_do(fetched):
    dataset = fetched(
        {"train.tsv": 'text\tclass\n"Win, now"\tSpam\nsee you\tham\n'},
        text="text", label="class", positive=["spam"], negative=["ham"],
    )  # fmt: skip
    assert texts_of(dataset, dataset.train) == ["win now", "see you"]
    assert dataset.train.labels.tolist() == [1, 0]
    assert len(dataset.test.labels) == 0


@pytest.mark.parametrize(
    ("name", "rows", "is_told"),
    [
        ("train.csv", [GOOD, "  ,0"], ", line 3 has no text in the column 'review': write it, or remove the row."),
        ("train.csv", [GOOD, GOOD], " has 2 positive and 0 negative reviews, with 1 different words: it needs a review of "),
        ("train.csv", ["!!,1", "??,0"], " has 1 positive and 1 negative reviews, with 0 different words"),
        ("test.csv", [], " has no review: add some, or remove the file."),
    ],
)
def test_a_file_that_can_not_be_used_is_refused_with_its_name_and_line(fetched, name, rows, is_told):
    files = {"train.csv": f"review,sentiment\n{GOOD}\n{BAD}\n"}
    with pytest.raises(UserError, match=f"^own/{re.escape(name + is_told)}"):
        fetched(files | {name: "\n".join(["review,sentiment", *rows, ""])})


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({"text": "comment"}, r", line 1 has no column 'comment'; .*: `fetch\.csv\.text` names the column"),
        ({"label": "class"}, r", line 1 has no column 'class'; .*: `fetch\.csv\.label` names the column"),
        ({"positive": ["spam"]}, r", line 2 has the label '1', .* spam, neg.*; `fetch\.csv\.positive` .* `fetch\.csv\.ignore`"),
        ({"encoding": "ascii"}, r", line 3, column 1 is not ascii text .*, or name the encoding, .* `fetch\.csv\.encoding`"),
    ],
)
def test_what_a_parameter_would_mend_is_told_with_its_name(fetched, changes, is_told):
    with pytest.raises(UserError, match=f"^own/train.csv{is_told}"):
        fetched({"train.csv": "review,sentiment\nfine,1\nübel,0\n"}, **changes)


def test_rows_with_an_ignored_label_are_left_out_and_counted_as_are_texts_of_several_lines(fetched, capfd):
    rows = 'fine,1.0\nbad\x85,False\n,Neutral\n"so\nso",True\n'
    dataset = fetched({"train.csv": f"review,sentiment\n{rows}"}, ignore=["neutral"])
    assert texts_of(dataset, dataset.train) == ["fine", "bad", "so so"]
    assert dataset.train.labels.tolist() == [1, 0, 1]
    assert dataset.labels.ignore == ["neutral"], "predictions know it"
    told = "own/train.csv: texts of several lines: 1\nown/train.csv: rows left out for their label: 1\n"
    assert capfd.readouterr().out == told


@pytest.mark.parametrize("make", [os.mkfifo, partial(os.symlink, "nowhere")], ids=["a pipe", "a link to nothing"])
def test_what_is_no_file_is_not_opened(tmp_path, make):
    make(tmp_path / "train.csv")
    with pytest.raises(UserError, match=r"train.csv is no file, nor a link to one: put your reviews there\.$"):
        reviews_file(str(tmp_path), "train", tmp_path)


@pytest.mark.parametrize(
    ("names", "is_told"),
    [
        ([], "own has neither train.csv nor train.tsv: put your reviews there"),
        (["train.csv", "train.tsv"], "own has both train.csv and train.tsv: remove the one that is not to be read."),
    ],
)
def test_a_folder_without_a_file_or_with_two_of_a_kind_is_refused(fetched, names, is_told):
    with pytest.raises(UserError, match=f"^{is_told}"):
        fetched(dict.fromkeys(names, f"review,sentiment\n{GOOD}\n{BAD}\n"))


@pytest.fixture(scope="module")
def korean(make_project) -> Project:
    """A project of its own reviews, labelled spam and ham, in which everything has run."""
    project = make_project()
    write_reviews(project.folder / "data/own/train.csv", made_rows(120))
    write_reviews(project.folder / "data/own/test.csv", made_rows(40, seed=1))
    project.set_params(
        fetch__source="csv", fetch__csv__tokens="characters", fetch__csv__positive=["spam"], fetch__csv__negative=["ham"],
        split__train_size=0.8, split__skip_top=0, train__epochs=8,
    )  # fmt: skip
    printed = project.run("dvc", "repro")
    assert "120 training reviews, 40 test reviews" in printed
    assert "missing from" not in printed, "a warning of matplotlib"
    return project


@pytest.mark.pipeline
def test_a_model_of_another_language_predicts_raw_texts_as_evaluate_does(korean):
    """It knows how its labels are spelled, whatever params.yaml has now."""
    metrics = json.loads((korean.folder / "metrics/metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.6
    arguments = "--json", "--file", "data/own/test.csv", "--csv", "review", "--labels", "sentiment"
    korean.set_params(fetch__csv__positive=["good"], fetch__csv__negative=["bad"])
    printed = korean.run("python", "-m", "sentiment.predict", *arguments)
    answers = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    korean.set_params(fetch__csv__positive=["spam"], fetch__csv__negative=["ham"])
    model = read_model(korean.folder / "data/model")
    assert model.preprocessing.tokenizer == "characters"
    evaluated = probabilities(model.network, load_padded(korean.folder / "data/padded/test.npz").x)
    np.testing.assert_allclose([answer["probability"] for answer in answers], evaluated, rtol=0, atol=1e-6)
    right = [answer["label"] == answer["actual"] for answer in answers if answer["label"]]
    assert np.mean(right) == pytest.approx(metrics["test"]["accuracy"], abs=1e-6)
    assert len(answers) - len(right) == metrics["test"]["unknown"]


@pytest.mark.pipeline
@pytest.mark.slow
def test_the_report_says_nothing_of_films(korean):
    korean.run("python", "-m", "report.run")
    report = (korean.folder / "report.html").read_text()
    assert "film" not in report
    assert [line for line in report.splitlines() if "IMDB" in line] == [
        "<p>Validation accuracy on the reviews of IMDB over seeds, as last recorded by <code>make study</code>.</p>"
    ]


def test_a_name_is_drawn_with_a_font_that_this_machine_has_or_left_out_and_told(tmp_path, monkeypatch, capfd, recwarn):
    """The letter is of the private use area, which no font has but the one made here."""
    learned = learned_words(
        np.array([[0.0, 0], [0, 0], [0, 0], [0, 0], [1, 2], [3, 1]]), Padded(np.array([[4], [5]]), np.array([1, 0]))
    )
    plot_words(learned, ["\uf8f3\uf8f3".encode(), b"plain"], tmp_path / "without.csv")
    assert capfd.readouterr().err == (
        f"{tmp_path}/without.png leaves out \uf8f3\uf8f3: this machine has no font for them; install one (in Debian, "
        "fonts-noto-cjk for Chinese, Japanese and Korean, fonts-noto-core for others), and run "
        "`dvc repro --force --single-item evaluate`.\n"
    )
    font = TTFont(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSansDisplay.ttf"))
    for table in filter(methodcaller("isUnicode"), font["cmap"].tables):
        table.cmap[0xF8F3] = font.getGlyphOrder()[-1]
    for name in font["name"].names:
        name.string = "Made"
    font.save(tmp_path / "made.ttf")
    monkeypatch.setattr("matplotlib.font_manager.X11FontDirectories", [str(tmp_path)])
    plot_words(learned, ["\uf8f3\uf8f3".encode(), b"plain"], tmp_path / "with.csv")
    assert capfd.readouterr().err == ""
    assert not recwarn.list
    assert (tmp_path / "with.csv").read_bytes() == (tmp_path / "without.csv").read_bytes()
    assert (tmp_path / "with.png").read_bytes() != (tmp_path / "without.png").read_bytes()


@pytest.mark.slow
@pytest.mark.pipeline
def test_a_changed_file_reruns_what_depends_on_it_and_the_same_reviews_nothing_after_fetch(korean):
    path = korean.folder / "data/own/train.csv"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"Spam", b"SPAM").replace(b"!", b" !"))
    assert korean.repro() == ["fetch"]
    write_reviews(path, made_rows(122))
    assert korean.repro() == ["fetch", "split", "pad", "train", "evaluate"]
    path.write_bytes(whole)
    assert korean.repro() == [], "DVC has it in its cache"


@pytest.mark.slow
@pytest.mark.pipeline
def test_git_keeps_what_dvc_add_writes_and_an_experiment_elsewhere_needs_it(korean):
    experiment = "dvc", "exp", "run", "--temp", "-S", "evaluate.threshold=0.4"
    assert (
        "ERROR: data/own/train.csv is missing in the folder of this experiment, which has what git or DVC tracks: "
        "run `dvc add data/own/train.csv`, and commit what it writes.\n"
    ) in korean.run(*experiment, status=255)
    korean.run("dvc", "add", "data/own/train.csv", "data/own/test.csv")
    assert korean.run("git", "status", "--porcelain", "data/own").splitlines() == [
        "?? data/own/.gitignore", "?? data/own/test.csv.dvc", "?? data/own/train.csv.dvc"
    ]  # fmt: skip
    korean.commit()
    assert "Running stage 'evaluate'" in korean.run(*experiment)


@pytest.mark.pipeline
def test_another_folder_of_reviews_is_a_parameter_and_a_dependency(korean):
    write_reviews(korean.folder / "data/other/train.tsv", made_rows(60))
    korean.set_params(fetch__csv__folder="data/other")
    assert "60 training reviews, 0 test reviews" in korean.run("dvc", "repro", "fetch")
    write_reviews(korean.folder / "data/other/train.tsv", made_rows(62))
    assert "data/other" in korean.run("dvc", "status", "fetch")


@pytest.mark.pipeline
@pytest.mark.parametrize("missing", ["data/nosuch", "data/linked/train.csv"])
def test_a_folder_that_is_not_there_is_told_by_dvc(korean, missing):
    if missing.endswith("train.csv"):
        (korean.folder / "data/linked").mkdir()
        (korean.folder / missing).symlink_to("nowhere")
    korean.set_params(fetch__csv__folder=missing.removesuffix("/train.csv"))
    printed = korean.run("dvc", "repro", "fetch", status=255)
    assert "ERROR: failed to reproduce 'fetch': [Errno 2] No such file or directory:" in printed
    assert missing in printed
