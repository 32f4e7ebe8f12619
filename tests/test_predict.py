"""Raw text in, sentiment out: what `python -m sentiment.predict` prints."""

import json
import re
import shutil
import subprocess

import made_corpus
import numpy as np
import pytest
from conftest import ROOT, Project, copy_of_project

from sentiment.encoding import LabelledTexts
from sentiment.errors import UserError
from sentiment.predict import main
from sentiment.predictions import text_predictor
from sentiment.sources import read_archive

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def project(make_finished_project):
    return make_finished_project()


def predict(project: Project, *arguments: str, stdin: bytes | None = None) -> bytes:
    """Standard output of the command, which has to end well."""
    command = ["python", "-m", "sentiment.predict", *arguments]
    done = subprocess.run(command, cwd=project.folder, env=project.environment, input=stdin, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture
def predict_here(project, monkeypatch, capfdbinary):
    """The same in this process, which has imported TensorFlow already."""

    def predict(*arguments: str) -> bytes:
        monkeypatch.chdir(project.folder)
        monkeypatch.setattr("sys.argv", ["predict", *arguments])
        main()
        return capfdbinary.readouterr().out

    return predict


def answers(printed: bytes) -> list[dict]:
    return [json.loads(line) for line in printed.splitlines()]


def fetched_order(train: LabelledTexts, test: LabelledTexts) -> list[bytes]:
    """The test reviews in the order in which fetch writes them."""
    random = np.random.RandomState(113)
    random.shuffle(np.arange(sum(map(len, train))))
    texts = [texts[i] for texts in test for i in sorted(texts, key="{}_".format)]
    order = np.arange(len(texts))
    random.shuffle(order)
    return [texts[i] for i in order]


def evaluated(project: Project) -> np.ndarray:
    """The probabilities of the test reviews as evaluate computes them."""
    script = (
        "import sys, numpy\n"
        "from sentiment.network import predictor\n"
        "from sentiment.saving import read_model\n"
        "x = numpy.load('data/padded/test.npz')['x']\n"
        "numpy.save('probabilities.npy', predictor(read_model('data/model/model.keras'))(x))"
    )
    project.run("python", "-c", script)
    return np.load(project.folder / "probabilities.npy")


def assert_as_evaluated(project: Project, texts: list[bytes]) -> None:
    lines = b"".join(text.replace(b"\n", b" ") + b"\n" for text in texts)
    predicted = answers(predict(project, "--json", stdin=lines))
    np.testing.assert_allclose([answer["probability"] for answer in predicted], evaluated(project), rtol=0, atol=1e-6)
    accuracy = json.loads((project.folder / "metrics/metrics.json").read_text())["test"]["accuracy"]
    labels = np.load(project.folder / "data/padded/test.npz")["y"]
    right = [(answer["label"] == "positive") == label for answer, label in zip(predicted, labels, strict=True)]
    assert np.mean(right) == pytest.approx(accuracy, abs=1e-6)


@pytest.mark.slow
def test_raw_texts_get_the_probabilities_of_evaluate_review_by_review(make_finished_project):
    project = make_finished_project()
    archive = made_corpus.write_archive(project.folder / "archive.tar.gz")
    project.set_params(fetch__source="archive", fetch__archive=archive.name)
    project.run("dvc", "repro", "--quiet")
    assert_as_evaluated(project, fetched_order(made_corpus.TRAIN, made_corpus.TEST))


@pytest.mark.real
@pytest.mark.slow
def test_the_raw_test_reviews_of_the_archive_get_the_probabilities_of_evaluate(real_data, tmp_path):
    copy_of_project(tmp_path)
    project = Project(tmp_path)
    project.run("git", "init", "--quiet")
    archive = real_data / "aclImdb_v1_labelled.tar.gz"
    project.set_params(fetch__source="archive", fetch__archive=str(archive), train__epochs=1)
    project.run("dvc", "repro", "--quiet")
    assert_as_evaluated(project, fetched_order(*read_archive(archive, "archive")))


def test_texts_are_taken_from_arguments_a_file_or_standard_input_a_line_each(project, predict_here, tmp_path):
    (tmp_path / "reviews").write_bytes(b"A wonderful film\n\nAwful and boring\x85, a\x0bwaste")
    from_file = answers(predict_here("--json", "--file", str(tmp_path / "reviews")))
    assert from_file == answers(predict(project, "--json", stdin=(tmp_path / "reviews").read_bytes()))
    assert [answer["known_words"] for answer in from_file] == [3, 0, 2]
    for answer in from_file:
        assert answer["label"] == ("positive" if answer["probability"] > 0.5 else "negative")
    assert answers(predict_here("--json", "A wonderful film")) == from_file[:1]


def test_a_person_gets_aligned_lines_that_fit_the_terminal(predict_here, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    printed = predict_here("wonderful superb café", "awful \x1b[31m waste " + 10 * "terrible ", "Xqzt").decode()
    good, bad, unknown = printed.splitlines()
    assert re.match(r"(positive|negative)  0\.\d{4}  wonderful", good)
    assert good.endswith("  wonderful superb café")
    assert "awful  [31m" in bad
    assert len(bad) == 40
    assert bad.endswith("…")
    assert unknown.endswith("(no known word) Xqzt")
    assert good.index("wonderful") == bad.index("awful") == unknown.index("(no")


def test_the_folder_of_the_model_alone_is_enough_and_params_yaml_does_not_matter(project, predict_here, tmp_path):
    expected = predict_here("--json", "A wonderful film", "Awful")
    shutil.copytree(project.folder / "data/model", tmp_path / "model")
    shutil.copytree(ROOT / "sentiment", tmp_path / "elsewhere/sentiment")
    elsewhere = Project(tmp_path / "elsewhere")
    assert predict(elsewhere, "--model", str(tmp_path / "model"), "--json", "A wonderful film", "Awful") == expected


def test_more_lines_than_are_read_at_once_are_answered_in_order(predict_here, tmp_path):
    first, second = answers(predict_here("--json", "A wonderful film", "awful"))
    assert first != second
    (tmp_path / "reviews").write_bytes(b"".join(b"A wonderful film\n" if i % 3 else b"awful\n" for i in range(2500)))
    assert answers(predict_here("--json", "--file", str(tmp_path / "reviews"))) == [
        first if i % 3 else second for i in range(2500)
    ]


def told(project: Project, *arguments: str) -> str:
    printed = project.run("python", "-m", "sentiment.predict", *arguments, status=1)
    assert "Traceback" not in printed
    return printed.splitlines()[-1]


def test_what_is_missing_is_told(project, tmp_path):
    assert told(project, "--model", str(tmp_path), "text") == (
        f"ERROR: {tmp_path} has no model: run `make` or `dvc repro`, which train one, or name its folder with `--model`."
    )
    assert told(project, "--file", "missing") == "ERROR: missing can't be read: No such file or directory."
    assert "give texts or a file, not both" in project.run("python", "-m", "sentiment.predict", "--file=x", "y", status=2)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("vocabulary.txt", lambda content: content[:-3]),
        ("vocabulary.txt", lambda content: b""),
        ("preprocessing.json", lambda content: content[:20]),
        ("preprocessing.json", lambda content: content.replace(b"40", b'"40"')),
        ("preprocessing.json", lambda content: content.replace(b"40", b"41")),
        ("preprocessing.json", lambda content: content.replace(b"12", b"13")),
    ],
    ids=["cut", "empty", "cut", "text for a number", "words of another model", "length of another model"],
)
def test_a_folder_that_is_not_whole_is_refused(project, tmp_path, name, damage):
    folder = shutil.copytree(project.folder / "data/model", tmp_path / "model")
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    with pytest.raises(UserError, match=rf"^{folder} is not whole \(.*copy it again, or run `dvc repro`"):
        text_predictor(folder)
