"""Results out: beside the rows of a table, line by line in JSON, and from a program."""

import csv
import io
import multiprocessing
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from helpers import written

from sentiment.common.errors import UserError
from sentiment.corpus import text_files
from sentiment.corpus.csv_rows import read_csv
from sentiment.corpus.encoding import IMDB_LABELS
from sentiment.corpus.text_files import TextFile
from sentiment.inference.classifier import Classifier
from sentiment.inference.forward import probabilities

pytestmark = pytest.mark.pipeline

TEXTS = ["A wonderful film", "Xqzt", "Awful, boring", "wonderful film\r\nperfect"]


@pytest.fixture(scope="module")
def classifier(finished) -> Classifier:
    return Classifier(finished.folder / "data/model")


TABLES = {
    "quotes": b'id,"review",x\n1,"A ""wonderful"" film",\'\n2,Xqzt,"a,b"\n3,awful,"""\n"\n',
    "Windows": b'\xef\xbb\xbfid,review\r\n1,"A wonderful film,\r\nperfect\nsuperb"\r\n\r\n2,Xqzt\r\n',
    "old Mac": b'review\r"wonderful\rfilm"\rawful\r',
    "blank lines at the end": b"review\r\nawful\r\n\r\n\n",
    "no line end at the end": "review,é\nwonderful,  ß \u2028 \nawful,".encode(),
    "header alone": b"review,label\n",
}


@pytest.mark.parametrize("content", TABLES.values(), ids=TABLES)
def test_the_rows_come_as_they_were_each_with_its_label_and_probability_behind_it(predict, answers, content):
    Path("in.csv").write_bytes(content)
    said = answers("--csv", "review", "--file", "in.csv")
    assert predict("--csv", "review", "--file", "in.csv", "--output", "new/out.csv") == ("", "")
    output = Path("new/out.csv").read_bytes()
    added = re.compile(rb",(predicted,probability|positive,\d\.\d{6}|negative,\d\.\d{6}|,)(?=[\r\n]|$)")
    assert added.sub(b"", output) == content
    header, *rows = csv.reader(io.StringIO(output.decode(), newline=""))
    assert header[-2:] == ["predicted", "probability"]
    found = [(label or None, float(probability) if probability else None) for *_, label, probability in filter(None, rows)]
    assert found == [(answer["label"], answer["probability"]) for answer in said]


def test_names_that_are_taken_get_a_number_and_tabs_stay_tabs(predict):
    path = Path("in.tsv")
    path.write_bytes(b"review\tprobability\nawful\t0.5\n")
    for _ in range(2):
        # Also where a table is to get its answers itself, and once more.
        predict("--csv", "review", "--file", "in.tsv", "--output", "in.tsv")
    names = "review", "probability", "predicted_2", "probability_2", "predicted_3", "probability_3"
    assert path.read_text().splitlines()[0].split("\t") == list(names)


def test_a_table_is_written_whole_or_not_at_all(predict):
    Path("in.csv").write_text("review,id\nwonderful,1\nawful\n")
    Path("out.csv").write_text("before")
    with pytest.raises(UserError, match=r"^in\.csv, line 3 has 1 values, but the header has 2; "):
        predict("--csv", "review", "--file", "in.csv", "--output", "out.csv")
    assert sorted(path.name for path in Path().iterdir()) == ["in.csv", "out.csv"]
    assert Path("out.csv").read_text() == "before"


def test_a_link_to_a_table_stays_a_link(predict):
    Path("in.csv").write_text("review\nawful\n")
    Path("link.csv").symlink_to("out.csv")
    predict("--csv", "review", "--file", "in.csv", "--output", "link.csv")
    assert Path("link.csv").is_symlink()
    assert Path("out.csv").read_text().startswith("review,predicted,probability\nawful,")


TABLE = b'id,review\r\n1,"awful\r\nfilm"\r\n\r\n2,wonderful\r\n'


def rows_of(path: str) -> tuple[list[str], bytes]:
    """The texts of a table with the column `review`, and its rows as they came."""
    came = []
    reviews = [review for review in read_csv(TextFile(path), "review", None, IMDB_LABELS, came.append) if review]
    header, *below = came
    return [review.text for review in reviews], "".join(
        row.text for row in [header, *(r.row for r in reviews), *below]
    ).encode()


@pytest.mark.parametrize("all_has_come", [True, False])
def test_no_byte_of_a_row_is_lost_wherever_a_read_ends(tmp_path, monkeypatch, all_has_come):
    if not all_has_come:
        monkeypatch.setattr("select.select", lambda *_: ([], [], []))
    for size in range(1, len(TABLE)):
        monkeypatch.setattr(text_files, "CHUNK", size)
        # Where a line has been answered before its \n comes, this is of the next row, or below the last one.
        assert rows_of(written(tmp_path, TABLE)) == (["awful\r\nfilm", "wonderful"], TABLE), size


def test_json_has_the_number_of_the_line(answers):
    Path("lines").write_text("\nawful\n\n\nwonderful\n\n")
    assert [answer["line"] for answer in answers("--file", "lines")] == [1, 2, 3, 4, 5]
    Path("in.csv").write_text('review\n"awful\nfilm"\n\nwonderful\nawful\n')
    assert [answer["line"] for answer in answers("--csv", "review", "--file", "in.csv")] == [2, 5, 6]
    assert [answer["line"] for answer in answers("awful", "wonderful")] == [1, 2]


def test_json_with_labels_has_objects_of_one_kind_and_compares_beside_them(predict, answers):
    Path("in.csv").write_text("review,label\nwonderful,pos\nawful,1\nXqzt,NEG\n")
    arguments = "--csv", "review", "--labels", "label", "--file", "in.csv"
    table = predict("--json", *arguments).err
    assert [(*answer, answer["actual"]) for answer in answers(*arguments)] == [
        ("line", "label", "probability", "known_words", "actual", actual) for actual in ("positive", "positive", "negative")
    ]
    assert predict(*arguments).out.endswith(table)
    assert predict(*arguments, "--output", "out.csv") == (table, "")
    assert "\naccuracy " in table


def test_an_explanation_says_where_a_text_starts(predict, answers, classifier):
    nothing = np.zeros((1, classifier.model.preprocessing.maxlen), np.int32)
    (start,) = probabilities(classifier.model.network, nothing)
    (answer,) = answers("--explain", "A wonderful film")
    assert answer["starts_at"] == round(start, 6) != answer["probability"]
    assert f"    starts at     {start:.4f}, the probability of no word at all\n" in predict("--explain", "Xqzt").out


def test_a_program_gets_what_the_command_prints(answers, classifier):
    expected = answers("--explain", *TEXTS)
    assert classifier.predict(TEXTS).tolist() == [answer["label"] for answer in expected]
    proba = classifier.predict_proba(TEXTS)
    assert (proba.shape, list(classifier.classes_)) == ((4, 2), ["negative", "positive"])
    np.testing.assert_allclose(proba.sum(axis=1), [1, np.nan, 1, 1])
    np.testing.assert_allclose(proba[:, 1], np.array([answer["probability"] for answer in expected], float), rtol=0, atol=6e-7)
    words = [(word["start"], word["end"], word["effect"]) for word in expected[2]["words"]]
    assert [(*word[:2], word.effect and round(word.effect, 6)) for word in classifier.explain(TEXTS[2])] == words
    assert classifier.predict([TEXTS[3]]) == classifier.predict(["wonderful film\nperfect"])
    np.testing.assert_array_equal(classifier.predict_proba([TEXTS[3]]), classifier.predict_proba(["wonderful film perfect"]))
    assert classifier.predict_proba([]).shape == (0, 2)


def test_a_text_is_not_taken_for_a_list(classifier):
    with pytest.raises(TypeError, match=r"^give a list of texts, not one text$"):
        classifier.predict("A wonderful film")


def test_the_lines_for_a_program_in_the_documents_run(finished, monkeypatch):
    (lines,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/sharing.md").read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(finished.folder / "data")
    exec(lines, {})


def test_threads_share_a_model_and_another_process_gets_it(finished, classifier):
    """From the first call on: then each thread finds the model as it was read."""
    texts = TEXTS * 10
    expected, explained = classifier.predict_proba(texts), classifier.explain(TEXTS[0])
    fresh, together = Classifier(finished.folder / "data/model"), threading.Barrier(8)

    def work(_: int) -> tuple[np.ndarray, list]:
        together.wait(60)
        return [(fresh.predict_proba(texts), fresh.explain(TEXTS[0])) for _ in range(5)]

    with ThreadPoolExecutor(8) as threads:
        for found in threads.map(work, range(8)):
            for probability, words in found:
                np.testing.assert_array_equal(probability, expected)
                assert words == explained
    with multiprocessing.get_context("spawn").Pool(1) as processes:
        for sent in classifier, Classifier(finished.folder / "data/model"):
            np.testing.assert_array_equal(processes.apply(sent.predict_proba, (texts,)), expected)
