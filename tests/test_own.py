"""Reviews of one's own: a CSV file in place of IMDB, in any language, through the same pipeline."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Project, copy_of_project
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from helpers import finish_queue, package_rows, queue_states

from sentiment.common.errors import UserError
from sentiment.common.parameters import CsvSection, SplitSection
from sentiment.common.reviews import Padded, load_padded
from sentiment.corpus.csv_files import from_csv
from sentiment.corpus.encoding import Dataset
from sentiment.evaluation.words import learned_words
from sentiment.inference.forward import probabilities
from sentiment.inference.model_folder import read_model
from sentiment.plots.words import plot_words
from sentiment.preprocessing import split_reviews

DEFAULTS = {
    "folder": "own", "text": "review", "label": "sentiment", "tokens": "words",
    "positive": ["positive", "pos", "1"], "negative": ["negative", "neg", "0"],
}  # fmt: skip
GOOD, BAD = "great,positive", "awful,negative"
# By language: how its texts are cut, and words of good and of bad reviews and of both.
LANGUAGES = {
    "German": ("words", "großartig schön wunderbar", "schlecht öde furchtbar", "das Buch ist und nicht ganz"),
    "Hindi": ("words", "अच्छी शानदार बढ़िया", "बुरी बेकार ख़राब", "यह फ़िल्म बहुत है और"),
    "Korean": ("characters", "재미있어요 최고예요 감동적", "지루해요 최악이에요 별로", "이 영화는 정말 배우가"),
    "Japanese": ("characters", "最高 感動した 面白い", "退屈 最悪 つまらない", "この 映画 は とても です"),
    "Chinese": ("characters", "很好看 精彩 推荐", "难看 无聊 失望", "这 部 电影 真的 我"),
}


def write_rows(path: Path, rows: list[tuple[str, str]], columns: tuple[str, str] = ("review", "sentiment")) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([columns, *rows])


def made_rows(
    language: str, n: int, seed: int = 0, labels: tuple[str, str] = ("positive", "negative")
) -> list[tuple[str, str]]:
    """Reviews of which the words tell the label."""
    tokens, good, bad, common = LANGUAGES[language]
    random, rows = np.random.default_rng(seed), []
    for i in range(n):
        telling = (good, bad)[i % 2].split()
        chosen = random.choice(telling * 2 + common.split(), random.integers(4, 12))
        rows.append(((" " if tokens == "words" else "").join(chosen) + "!", labels[i % 2]))
    return rows


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """What the source `csv` gives of files in a folder."""

    def fetch(files: dict[str, str | bytes], **changes: object) -> Dataset:
        monkeypatch.chdir(tmp_path)
        Path("own").mkdir(exist_ok=True)
        for name, content in files.items():
            Path("own", name).write_bytes(content.encode() if isinstance(content, str) else content)
        return from_csv(CsvSection.model_validate(DEFAULTS | changes), tmp_path)

    return fetch


def texts_of(dataset: Dataset, split: str = "train") -> list[str]:
    """The reviews, decoded by the vocabulary."""
    reviews = getattr(dataset, split)
    return [
        b" ".join(dataset.vocabulary[rank - 1] for rank in tokens).decode()
        for tokens in np.split(reviews.tokens, reviews.offsets[1:-1])
    ]


def test_the_reviews_are_in_the_order_of_the_file_and_words_ranked_by_count_then_by_first_sight(fetched):
    dataset = fetched(
        {
            "train.csv": 'sentiment,review,id\n1,b c a b,7\n NEG ,c d,8\nPositive,"d, d",9\n',
            "test.csv": "review,sentiment\na new b,0\n",
        }
    )
    assert dataset.vocabulary == [b"d", b"b", b"c", b"a"]
    assert texts_of(dataset) == ["b c a b", "c d", "d d"]
    assert dataset.train.labels.tolist() == [1, 0, 1]
    assert texts_of(dataset, "test") == ["a b"]
    assert dataset.test.labels.tolist() == [0]
    assert dataset.tokenizer == "words"


def test_tabs_separate_the_values_of_a_tsv_file_and_any_two_classes_will_do(fetched):
    dataset = fetched(
        {"train.tsv": 'text\tclass\n"Win, now"\tSpam\nsee you\tham\n'},
        text="text", label="class", positive=["spam"], negative=["ham"],
    )  # fmt: skip
    assert texts_of(dataset) == ["win now", "see you"]
    assert dataset.train.labels.tolist() == [1, 0]
    assert len(dataset.test.labels) == 0


HEADER = "review,sentiment\n"
TRAIN = {"train.csv": f"{HEADER}{GOOD}\n{BAD}\n"}


@pytest.mark.parametrize(
    ("files", "is_told"),
    [
        ({}, "own has neither train.csv nor train.tsv: put your reviews there"),
        (TRAIN | {"train.tsv": ""}, "own has both train.csv and train.tsv: remove the one that is not to be read."),
        (TRAIN | {"test.csv": "", "test.tsv": ""}, "own has both test.csv and test.tsv: remove"),
        (
            {"train.csv": "review;sentiment\n"},
            "own/train.csv, line 1 has no column 'review'; its header has 'review;sentiment': save it with commas between",
        ),
        (
            {"train.tsv": HEADER},
            "own/train.tsv, line 1 has no column 'review'; its header has 'review,sentiment': save it with tabs between",
        ),
        ({"train.csv": "review,label\n"}, "own/train.csv, line 1 has no column 'sentiment'; its header has 'review', 'label'."),
        ({"train.csv": f"review,{HEADER}"}, "own/train.csv, line 1 has 2 columns 'review'; its header"),
        (
            {"train.csv": f"{HEADER}{GOOD}\n{BAD}\nso so,neutral\n"},
            "own/train.csv, line 4 has the label 'neutral'; allowed are positive, pos, 1, negative, neg, 0.",
        ),
        (
            {"train.csv": f"{HEADER}{GOOD}\n  ,negative\n"},
            "own/train.csv, line 3 has no text in the column 'review': write it, or remove the row.",
        ),
        ({"train.csv": f"{HEADER}{GOOD}\nawful\n"}, "own/train.csv, line 3 has 1 values, but the header has 2"),
        (
            {"train.csv": f"{HEADER}{GOOD}\n{GOOD}\n"},
            "own/train.csv has 2 positive and 0 negative reviews, with 1 different words: it needs a review of each class",
        ),
        ({"train.csv": f"{HEADER}{BAD}\n"}, "own/train.csv has 0 positive and 1 negative reviews"),
        ({"train.csv": f"{HEADER}!!,1\n??,0\n"}, "own/train.csv has 1 positive and 1 negative reviews, with 0 different words"),
        (TRAIN | {"test.csv": f"text,sentiment\n{GOOD}\n"}, "own/test.csv, line 1 has no column 'review'"),
        (TRAIN | {"test.csv": HEADER}, "own/test.csv has no review: add some, or remove the file."),
        ({"train.csv": f"{HEADER}{GOOD}\n".encode("utf-16")}, "own/train.csv, line 1 is not UTF-8 text"),
    ],
)
def test_a_file_that_can_not_be_used_is_refused_with_its_name_and_line(fetched, files, is_told):
    with pytest.raises(UserError) as error:
        fetched(files)
    assert str(error.value).startswith(is_told)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("n", "share", "size"), [(10, 0.8, 8), (8530, 0.8, 6824), (7, 0.5, 3), (2, 0.8, 1)])
def test_a_share_of_the_reviews_is_for_training(fetched, n, share, size):
    dataset = fetched({"train.csv": "review,sentiment\n" + n // 2 * f"{GOOD}\n" + (n - n // 2) * f"{BAD}\n"})
    train, validation = split_reviews(dataset.train, SplitSection(num_words=10, skip_top=0, train_size=share, seed=1))
    assert (len(train.labels), len(validation.labels)) == (size, n - size)


@pytest.mark.parametrize("train_size", [3, 20_000, 0.1])
def test_a_train_size_that_does_not_fit_is_refused_with_those_that_do(fetched, train_size):
    reviews = fetched({"train.csv": f"review,sentiment\n{GOOD}\n{BAD}\n{BAD}\n"}).train
    with pytest.raises(UserError) as error:
        split_reviews(reviews, SplitSection(num_words=10, skip_top=0, train_size=train_size, seed=1))
    assert str(error.value) == (
        f"`split.train_size` is {train_size}: of 3 reviews, 1 to 2 can be for training, so that at least one is left for "
        "validation; a share such as 0.8 fits any number of reviews."
    )


def beaten(project: Project) -> dict[str, float]:
    """What the report sets beside the network, and the network: their validation accuracies."""
    report = (project.folder / "report.html").read_text()
    table = report[report.index("what the network has to beat") : report.index("<h2>Curves")]
    return {name: float(value) for name, value in re.findall(r'<td>(.+)</td><td class="number">(.+)</td>', table)}


@pytest.fixture
def own_project(make_project):
    """Makes projects with a file of their own and the parameters for it, not run yet."""

    def make(
        language: str, n: int = 120, test: bool = False, labels: tuple[str, str] = ("positive", "negative"), **params: object
    ) -> Project:
        project = make_project()
        write_rows(project.folder / "data/own/train.csv", made_rows(language, n, labels=labels))
        if test:
            write_rows(project.folder / "data/own/test.csv", made_rows(language, 40, 1, labels))
        project.set_params(
            fetch__source="csv", fetch__csv__tokens=LANGUAGES[language][0], split__train_size=0.8, split__skip_top=0, **params
        )
        return project

    return make


@pytest.mark.pipeline
@pytest.mark.parametrize(
    "language", ["Korean", *(pytest.param(name, marks=pytest.mark.slow) for name in LANGUAGES if name != "Korean")]
)
def test_a_model_of_any_language_predicts_raw_texts_as_evaluate_does(own_project, language):
    spelled = {"fetch__csv__positive": ["spam"], "fetch__csv__negative": ["ham"]}
    project = own_project(language, test=True, labels=("Spam", "ham"), train__epochs=8, **spelled)
    printed = project.run("dvc", "repro")
    assert "120 training reviews, 40 test reviews" in printed
    assert "missing from" not in printed, "a warning of matplotlib"
    metrics = json.loads((project.folder / "metrics/metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.6
    arguments = "--json", "--file", "data/own/test.csv", "--csv", "review", "--labels", "sentiment"
    # The model knows how its labels are spelled, independent of the current params.yaml.
    project.set_params(fetch__csv__positive=["good"], fetch__csv__negative=["bad"])
    *answers, compared = map(json.loads, project.run("python", "-m", "sentiment.predict", *arguments).splitlines())
    model = read_model(project.folder / "data/model")
    assert model.preprocessing.tokenizer == LANGUAGES[language][0]
    evaluated = probabilities(model.network, load_padded(project.folder / "data/padded/test.npz").x)
    np.testing.assert_allclose([answer["probability"] for answer in answers], evaluated, rtol=0, atol=1e-6)
    assert compared["accuracy"] == pytest.approx(metrics["test"]["accuracy"], abs=1e-6)
    project.set_params(**spelled)
    project.run("python", "-m", "report.run")
    assert "film" not in (report := (project.folder / "report.html").read_text())
    assert [line for line in report.splitlines() if "IMDB" in line] == [
        "<p>Validation accuracy on the reviews of IMDB over seeds, as last recorded by <code>make study</code>.</p>"
    ]
    assert beaten(project)["always the more frequent label of the training reviews"] <= 0.6
    assert beaten(project)["the network"] == pytest.approx(metrics["validation"]["accuracy"], abs=1e-4)


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
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0)), pen.lineTo((500, 700)), pen.lineTo((500, 0)), pen.closePath()
    font = FontBuilder(1000)
    font.setupGlyphOrder([".notdef", "letter"])
    font.setupCharacterMap({0xF8F3: "letter"})
    font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "letter": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (600, 0), "letter": (600, 0)})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Made", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(tmp_path / "made.ttf")
    monkeypatch.setattr("matplotlib.font_manager.X11FontDirectories", [str(tmp_path)])
    plot_words(learned, ["\uf8f3\uf8f3".encode(), b"plain"], tmp_path / "with.csv")
    assert capfd.readouterr().err == ""
    assert not recwarn.list
    assert (tmp_path / "with.csv").read_bytes() == (tmp_path / "without.csv").read_bytes()
    assert (tmp_path / "with.png").read_bytes() != (tmp_path / "without.png").read_bytes()


@pytest.mark.slow
@pytest.mark.pipeline
def test_a_changed_file_reruns_what_depends_on_it_and_the_same_reviews_nothing_after_fetch(own_project):
    project = own_project("German")
    path = project.folder / "data/own/train.csv"
    assert project.repro() == ["fetch", "split", "pad", "train", "evaluate"]
    path.write_text(path.read_text().replace("positive", "POS").replace("!", " !"))
    assert project.repro() == ["fetch"]
    shutil.move(path, path.with_name("kept"))
    write_rows(path, made_rows("German", 122))
    assert project.repro() == ["fetch", "split", "pad", "train", "evaluate"]
    shutil.move(path.with_name("kept"), path)
    assert project.repro() == [], "DVC has it in its cache"


@pytest.mark.slow
@pytest.mark.pipeline
def test_git_keeps_what_dvc_add_writes_and_an_experiment_elsewhere_needs_it(own_project):
    project = own_project("German")
    project.run("git", "config", "user.name", "t")
    project.run("git", "config", "user.email", "t@example.com")
    project.set_params(fetch__source="package", split__train_size=250)
    changes = "-S", "fetch.source=csv", "-S", "split.train_size=0.8"
    project.run("dvc", "exp", "run", "--queue", "--name", "queued", *changes)
    finish_queue(project)
    assert queue_states(project) == ["Failed"]
    temporary = project.run("dvc", "exp", "run", "--temp", *changes, status=255)
    for refused in temporary, project.run("dvc", "queue", "logs", "queued"):
        assert (
            "ERROR: data/own/train.csv is missing in the folder of this experiment, which has what git or DVC tracks: "
            "run `dvc add data/own/train.csv`, and commit what it writes.\n"
        ) in refused
    project.run("dvc", "add", "data/own/train.csv")
    assert project.run("git", "status", "--porcelain", "data/own").splitlines() == [
        "?? data/own/.gitignore", "?? data/own/train.csv.dvc"
    ]  # fmt: skip
    project.commit()
    assert "120 training reviews, 0 test reviews" in project.run("dvc", "exp", "run", "--temp", *changes)


@pytest.mark.pipeline
def test_another_folder_of_reviews_is_a_parameter_and_a_dependency(own_project):
    project = own_project("German")
    write_rows(project.folder / "data/other/train.tsv", made_rows("German", 60))
    project.set_params(fetch__csv__folder="data/other")
    assert "60 training reviews" in project.run("dvc", "repro", "fetch")
    write_rows(project.folder / "data/other/train.tsv", made_rows("German", 62))
    assert "data/other" in project.run("dvc", "status", "fetch")


@pytest.mark.pipeline
def test_a_folder_that_is_not_there_is_told_by_dvc(own_project):
    project = own_project("German")
    project.set_params(fetch__csv__folder="data/nosuch")
    printed = project.run("dvc", "repro", "fetch", status=255)
    assert "ERROR: failed to reproduce 'fetch': [Errno 2] No such file or directory:" in printed
    assert "data/nosuch" in printed


@pytest.mark.pipeline
def test_the_study_says_that_it_is_one_of_imdb(own_project):
    project = own_project("German")
    project.run("dvc", "repro", "--quiet", "fetch")
    told = "ERROR: data/reviews has your own reviews, but the study needs IMDB's: set `fetch.source` to package"
    assert project.run("python", "-m", "studies.variants", status=1).startswith(told)
    for stages in "", "reference", "with_ratios":  # whose parts are of IMDB's ids
        assert told in project.run("sh", "-c", f"cd studies && dvc repro {stages}", status=255)
    assert (project.folder / "Makefile").read_text().count("dvc repro fetch\n\tpython -m studies.variants\n") == 2
    project.run("git", "checkout", "--quiet", "params.yaml")
    project.run("dvc", "repro", "--quiet", "fetch")
    assert project.run("python", "-m", "studies.variants") == ""


@pytest.fixture
def real_project(tmp_path):
    """This project with its own parameters, in git."""
    copy_of_project(tmp_path)
    project = Project(tmp_path)
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.commit()
    return project


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.pipeline
def test_three_commands_train_a_model_of_the_sentences_of_rotten_tomatoes(real_project, tmp_path_factory):
    project = real_project
    reviews = tmp_path_factory.mktemp("elsewhere") / "reviews.csv"
    write_rows(reviews, package_rows("rotten_tomatoes"))
    project.run("cp", str(reviews), "data/own/train.csv")
    project.run("dvc", "add", "data/own/train.csv")
    project.run("git", "add", "data/own")
    project.run("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "Our reviews")
    assert project.run("git", "status", "--porcelain") == ""
    changes = "-S", "fetch.source=csv", "-S", "split.train_size=0.8", "-S", "split.skip_top=0"
    assert "8530 training reviews, 0 test reviews" in project.run("dvc", "exp", "run", *changes)
    metrics = json.loads((project.folder / "metrics/metrics.json").read_text())
    assert 0.60 < metrics["validation"]["accuracy"] < 0.70, "docs/own-reviews.md: the lesson's network learns them by heart"
    project.run("python", "-m", "report.run")
    assert 0.70 < beaten(project)["a logistic regression on the bag of the same words"] < 0.80


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.pipeline
def test_imdb_as_kaggle_has_it_gives_an_accuracy_within_the_spread_of_the_lesson(real_project):
    project = real_project
    write_rows(project.folder / "data/own/train.csv", package_rows("imdb"))
    project.set_params(fetch__source="csv")
    assert "25000 training reviews, 0 test reviews" in project.run("dvc", "repro")
    metrics = json.loads((project.folder / "metrics/metrics.json").read_text())
    assert 0.796 <= metrics["validation"]["accuracy"] <= 0.819
