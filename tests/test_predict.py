"""Raw text in, sentiment out: what `python -m sentiment.predict` prints."""

import gzip
import os
import pty
import re
import shutil
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from conftest import ROOT, Project, copy_of_project
from helpers import written

from sentiment.common.errors import UserError
from sentiment.common.reviews import load_padded
from sentiment.corpus.archive import read_archive
from sentiment.corpus.csv_rows import read_csv
from sentiment.corpus.encoding import IMDB_LABELS, as_ascii
from sentiment.corpus.text_files import LONGEST, TextFile, read_lines
from sentiment.inference.classifier import classify
from sentiment.inference.forward import probabilities
from sentiment.inference.model_folder import read_model

pytestmark = pytest.mark.pipeline


@pytest.mark.real
@pytest.mark.slow
def test_the_raw_test_reviews_of_the_archive_get_the_probabilities_of_evaluate(real_data, tmp_path):
    """But for 29 texts with HTML entities, or typed with a word processor: predictions read these as ASCII."""
    copy_of_project(tmp_path)
    project = Project(tmp_path)
    project.run("git", "init", "--quiet")
    archive = real_data / "aclImdb_v1_labelled.tar.gz"
    project.set_params(fetch__source="archive", fetch__archive=str(archive), train__epochs=1)
    project.run("dvc", "repro", "--quiet")
    model, padded = read_model(tmp_path / "data/model"), load_padded(tmp_path / "data/padded/test.npz")
    _, test = read_archive(archive, "archive")
    texts = [texts[i].decode() for texts in test for i in sorted(texts, key="{}_".format)]
    # In the order in which fetch writes them, after the training reviews.
    random = np.random.RandomState(113)
    _, order = random.permutation(len(texts)), random.permutation(len(texts))
    texts = [texts[i] for i in order]
    in_ascii = np.array([as_ascii(text) == text for text in texts])
    assert np.sum(~in_ascii) == 29
    found, expected = classify(model, texts)[0], probabilities(model.network, padded.x)
    np.testing.assert_allclose(found[in_ascii], expected[in_ascii], rtol=0, atol=1e-9)


def test_texts_are_taken_from_arguments_a_file_or_standard_input_a_line_each(finished, predict, answers, tmp_path):
    path = written(tmp_path, "A wonderful film\nFilm\nAwful and boring\x85, a\x0bwaste")
    from_file = answers("--file", path)
    from_input = finished.run("sh", "-c", f"python -m sentiment.predict --json < {path}")
    assert from_input == predict("--json", "--file", path).out, "predictions and nothing else"
    assert [answer["known_words"] for answer in from_file] == [3, 1, 2]
    for answer in from_file:
        assert answer["label"] == ("positive" if answer["probability"] > 0.5 else "negative")
    assert answers("A wonderful film") == from_file[:1]


@pytest.mark.parametrize("end", ["\r\n", "\r"], ids=["Windows", "old Mac"])
def test_files_with_windows_line_ends_and_a_byte_order_mark_get_the_same_answers(answers, tmp_path, end):
    expected = answers("wonderful film\nperfect", "awful boring")
    assert answers(f"wonderful film{end}perfect", f"awful boring{end}") == expected
    expected = [answer["probability"] for answer in expected]
    for arguments, content in (
        ([], "wonderful film perfect\nawful boring\n\n"),
        (["--csv", "review"], 'review\n"wonderful film\nperfect"\nawful boring\n'),
    ):
        path = written(tmp_path, "\ufeff" + content.replace("\n", end))
        found = answers("--file", path, *arguments)
        assert [answer["probability"] for answer in found] == expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("A wonderful film\n".encode("utf-16"), "line 1, column 1 is not utf-8 text (its byte 0xff can't be read)"),
        (gzip.compress(b"A wonderful film\n"), "line 1, column 2 is not utf-8 text (its byte 0x8b can't be read)"),
        ("A film\nA wonderful café\n".encode("latin-1"), "line 2, column 16 is not utf-8 text (its byte 0xe9 can't be read)"),
        (b"A film\rA wonderful\0 film\r", "line 2 is not text"),
    ],
    ids=["UTF-16", "gzip", "Latin-1", "NUL"],
)
def test_what_is_no_utf_8_text_is_refused(tmp_path, content, problem):
    path = written(tmp_path, content)
    advice = "unpack a compressed file, or name the encoding, such as cp1252 or utf-16, with `--encoding`"
    for reviews in read_lines(TextFile(path)), read_csv(TextFile(path), "A film", None, IMDB_LABELS):
        with pytest.raises(UserError, match=f"^{re.escape(f'{path}, {problem}; {advice}.')}$"):
            list(reviews)


def test_an_argument_that_is_no_utf_8_text_is_refused(predict):
    with pytest.raises(UserError, match=r"^Text 2 is not text; convert it to UTF-8, or put it in a file and name its encoding"):
        predict("A wonderful film", os.fsdecode(b"caf\xe9"))


def test_a_review_without_a_known_word_is_unknown(answers, tmp_path):
    path = written(tmp_path, "Xqzt\n\nA wonderful film\n\n  \n\n")
    *unknown, known = answers("--file", path)
    assert unknown == [{"line": line, "label": None, "probability": None, "known_words": 0} for line in (1, 2)]
    assert known == answers("A wonderful film")[0] | {"line": 3}


def test_the_option_threshold_decides_what_is_positive(answers):
    (answer,) = answers("A wonderful film")
    for change, label in (-1e-4, "positive"), (1e-4, "negative"):
        threshold = str(answer["probability"] + change)
        assert answers("--threshold", threshold, "A wonderful film") == [answer | {"label": label}]


def test_a_review_may_have_a_million_characters(tmp_path):
    file = TextFile(written(tmp_path, "A film\n" + (LONGEST - 1) * "a" + "\n"))
    assert [len(review.text) for review in read_lines(file)] == [6, LONGEST - 1]
    assert [len(review.text) for review in read_csv(file, "A film", None, IMDB_LABELS)] == [LONGEST - 1]


@pytest.mark.slow
def test_the_longest_reviews_need_no_more_memory_however_many_they_are(finished, tmp_path):
    program = "from sentiment.predict import main; main(); print(open('/proc/self/status').read())"
    peaks = []
    for reviews in 20, 40:
        # An emoji has each character take 4 bytes.
        path = written(tmp_path, reviews * (("wonderful " * (LONGEST // 10))[:-5] + "\U0001f600\n"))
        printed = finished.run("python", "-c", program, "--json", "--file", path)
        peaks.append(int(re.search(r"VmHWM:\s+(\d+) kB", printed)[1]))
    assert peaks[1] < peaks[0] + 50_000


def test_the_reviews_of_a_csv_file_are_compared_with_its_labels(predict, answers, tmp_path):
    """Some have a newline or quotes; each spelling of the labels is there."""
    probability = {text: answers(text)[0]["probability"] for text in ("Awful", "Wonderful film")}
    low, high = sorted(probability, key=probability.__getitem__)
    path = written(
        tmp_path,
        f'id,review,sentiment\n1,"{high},\n",positive\n2,{high},NEG\n\n3,{low},pos\n4,"""{low}"", ",0\n5,{high},1\n'
        "6,Xqzt,Negative\n7,,pos\n",
    )
    arguments = "--threshold", f"{np.mean([*probability.values()])}", "--csv", "review", "--labels", "sentiment", "--file", path
    answered = answers(*arguments)
    assert [answer["probability"] for answer in answered[:2]] == 2 * [probability[high]]
    assert predict(*arguments).out.endswith(
        "\n\n"
        "actual    predicted positive  negative  unknown\n"
        "positive                   2         1        1\n"
        "negative                   1         1        1\n"
        "accuracy 0.6000, unknown reviews aside\n"
    )  # fmt: skip


def test_without_a_review_of_known_words_there_is_no_accuracy(predict, tmp_path):
    arguments = "--csv", "review", "--labels", "label", "--file", written(tmp_path, "review,label\nXqzt,1\n")
    assert predict(*arguments).out.endswith("accuracy none, unknown reviews aside\n")


def test_a_prediction_is_explained_by_its_strongest_words_each_way_and_by_what_was_not_seen(predict):
    printed = predict("--explain", "Wonderful, but awful\x1b[2J! A superb café; boring", "Xqzt").out.splitlines()
    assert [line[4:18].strip() for line in printed[1:5]] == ["starts at", "for positive", "for negative", "not seen"]
    effects = [[float(value) for value in re.findall(r" ([+-]\d\.\d\d)", line)] for line in printed[2:4]]
    assert all(value > 0 for value in effects[0]) and effects[0] == sorted(effects[0], reverse=True)
    assert all(value < 0 for value in effects[1]) and effects[1] == sorted(effects[1])
    assert printed[7:] == ["    for positive  -", "    for negative  -", "    not seen      1 of 1 words"]
    assert not any("\x1b" in line for line in printed), "neither colours, where there is no terminal, nor what a text has"


def test_an_explanation_in_json_has_each_word_with_its_place_its_effect_and_the_probability_after_it(answers, tmp_path):
    """By hand: the effect of a word, from the probabilities of the text with it and without it."""
    text, without = "Xqzt! Wonderful, but awful\u2026 superb", "Xqzt! Wonderful, but \u2026 superb"
    whole, changed = answers("--explain", text, without)
    assert [word["word"] for word in whole["words"]] == ["Xqzt", "Wonderful", "but", "awful", "superb"]
    assert all(text[word["start"] : word["end"]] == word["word"] for word in whole["words"])
    assert whole["words"][0] == {"word": "Xqzt", "start": 0, "end": 4, "effect": None, "probability": None}
    logit, logit_without = (np.log(p / (1 - p)) for p in (whole["probability"], changed["probability"]))
    assert whole["words"][3]["effect"] == pytest.approx(logit - logit_without, abs=2e-5)
    assert whole["words"][-1]["probability"] == whole["probability"]
    path = written(tmp_path, f'review,label\n"{text}",1\n')
    arguments = "--csv", "review", "--labels", "label", "--file", path
    assert answers("--explain", *arguments)[0] == whole | {"line": 2, "actual": "positive"}
    assert "words" not in answers(*arguments)[0]


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """A terminal of 40 columns: the end that its user has, and that of a command."""
    ends = pty.openpty()
    termios.tcsetwinsize(ends[1], (24, 40))
    yield ends
    for end in ends:
        os.close(end)


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_person_gets_lines_that_fit_the_terminal_and_colours_unless_no_color_is_set(finished, no_color, coloured):
    texts = "wonderful superb café", "awful \x1b[31m waste " + 10 * "terrible ", "Xqzt"
    command, environment = ["python", "-m", "sentiment.predict", "--explain", *texts], finished.environment
    with terminal() as (user, end):
        assert finished.start(*command, stdout=end, env=environment | {"NO_COLOR": no_color}).wait() == 0
        printed = os.read(user, 65536).decode()
    assert printed.count("\x1b[33m") == printed.count("\x1b[35m") == 3 * coloured
    assert ("\x1b" in printed) == coloured, "what a text has steers nothing"
    good, bad, unknown = printed.splitlines()[::5]
    assert re.match(r"(positive|negative)  0\.\d{4}  wonderful superb café$", good)
    assert "awful  [31m" in bad and bad.endswith("…") and len(bad) == 40
    assert unknown == f"{'unknown':18}Xqzt"
    assert good.index("wonderful") == bad.index("awful") == unknown.index("Xqzt")


def test_at_a_terminal_the_command_says_what_it_waits_for(finished):
    with terminal() as (user, end):
        os.write(user, b"A wonderful film\n\x04")
        printed, _ = finished.start("python", "-m", "sentiment.predict", "--json", stdin=end).communicate()
    told, answer = printed.splitlines()
    assert told == "Waiting for reviews, one per line; end with Ctrl-D on an empty line."
    assert answer.startswith('{"line": 1, ')


@pytest.mark.parametrize("answers_are_on_the_terminal", [False, True])
def test_a_bar_shows_how_much_of_a_file_has_been_read_where_no_answers_do(finished, tmp_path, answers_are_on_the_terminal):
    command = ["python", "-m", "sentiment.predict", "--file", written(tmp_path, "A film\n")]
    with terminal() as (user, end):
        to = end if answers_are_on_the_terminal else subprocess.DEVNULL
        assert finished.start(*command, stdout=to, stderr=end).wait() == 0
        os.write(end, b"end")
        assert (b"%|" in os.read(user, 65536)) != answers_are_on_the_terminal


QUOTING = "; put a text with separators, quotes or line ends in double quotes, and double the quotes in it."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\n", ", line 1 has no column 'review'; its header has 'text', 'label': `--csv` names the column."),
        ("review,class\n", ", line 1 has no column 'label'; its header has 'review', 'class': `--labels` names the column."),
        ("", " has no column 'review'; its header has none: `--csv` names the column."),
        (
            "review,label,review\na,1,b\n",
            ", line 1 has 2 columns 'review'; its header has 'review', 'label', 'review': `--csv` names the column.",
        ),
        (
            'review,label\n"a\nb",1\n\nfine, really,1\n',
            ", line 5 has 3 values, but the header has 2; add what is missing, and put a text with separators or line ends in "
            "double quotes.",
        ),
        (
            "review,label\nfine,1\nfine,2\n",
            ", line 3 has the label '2', not one of positive, pos, 1, 1.0, true, negative, neg, 0, 0.0, false; "
            "the training of the model set them.",
        ),
        (
            'review,label\n"a\nb",1\n"fine" film,1\n',
            f", line 4 starts a row that is not valid CSV (',' expected after '\"'){QUOTING}",
        ),
        ('review,label\nfine,1\n"fine,1\n', f", line 3 starts a row that is not valid CSV (unexpected end of data){QUOTING}"),
    ],
    ids=["texts", "labels", "empty file", "column twice", "values", "label", "after quotes", "no closing quote"],
)
def test_a_csv_file_that_does_not_hold_what_is_asked_for_is_refused(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(UserError, match=f"^{re.escape(path + message)}$"):
        list(read_csv(TextFile(path), "review", "label", IMDB_LABELS))


WITH_A_TABLE = "allowed only with --csv, and without --json and --explain"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--file=x", "y"], "give texts or a file, not both"),
        (["--file="], "argument --file: expected a path, or - for standard input"),
        (["--labels=x"], "argument --labels: not allowed without --csv"),
        (["--threshold=1.5", "x"], "argument --threshold: expected a number from 0 to 1"),
        (["--threshold=nan", "x"], "argument --threshold: expected a number from 0 to 1"),
        (["--output=x", "awful"], f"argument --output: {WITH_A_TABLE}"),
        (["--output=x", "--csv=review", "--json"], f"argument --output: {WITH_A_TABLE}"),
        (["--output=x", "--csv=review", "--explain"], f"argument --output: {WITH_A_TABLE}"),
        (["--output=/dev/null", "--csv=review"], "argument --output: expected a file"),
        (["--output=/", "--csv=review"], "argument --output: expected a file"),
    ],
)
def test_options_that_do_not_fit_are_refused(predict, capfd, arguments, message):
    with pytest.raises(SystemExit, match=r"^2$"):
        predict(*arguments)
    assert capfd.readouterr().err.endswith(f": error: {message}\n")


def test_the_model_and_the_package_with_what_pip_installs_for_it_are_enough(finished, predict, tmp_path):
    """No params.yaml, no TensorFlow, nor what else `pip install` of this project does not bring."""
    expected = predict("--json", "A wonderful film", "Awful").out
    model = shutil.copytree(finished.folder / "data/model", tmp_path / "model")
    shutil.copytree(ROOT / "sentiment", tmp_path / "elsewhere/sentiment")
    for name in "tensorflow", "keras", "yaml", "yamlcore", "sklearn", "scipy", "matplotlib", "dvc":
        (tmp_path / f"elsewhere/{name}.py").write_text("raise ModuleNotFoundError(__name__)")
    elsewhere = Project(tmp_path / "elsewhere")
    command = "python", "-m", "sentiment.predict", "--json", "A wonderful film", "Awful"
    assert elsewhere.run(*command, "--model", str(model)) == expected
    of_file = "--json", "--model", str(model), "--file", written(tmp_path, "A wonderful film\nAwful\n")
    assert elsewhere.run("python", "-m", "sentiment.predict", *of_file) == expected
    installed = "python", "-c", "from sentiment.predict import command; command()"
    assert elsewhere.run(*installed, "text", status=1).startswith("ERROR: data/model has no model: ")
