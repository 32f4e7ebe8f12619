"""Texts as people have them: typed on a phone, with other line ends, as a table, one after another, without an end."""

import json
import re
import select
import signal
import subprocess
import tracemalloc

import pytest
from conftest import Project
from helpers import package_rows, written

from sentiment.common.errors import UserError, print_error
from sentiment.corpus import text_files
from sentiment.corpus.csv_rows import read_csv
from sentiment.corpus.encoding import IMDB_LABELS
from sentiment.corpus.text_files import CHUNK, LONGEST, RawReview, TextFile, _refuse_csv_and_json, read_lines

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def reviews() -> list[str]:
    return [text for text, _ in package_rows("imdb")]


def read_column(path: str) -> list[str]:
    """The texts of the column `review`."""
    return [review.text for review in read_csv(TextFile(path), "review", None, IMDB_LABELS)]


def read_texts(path: str, encoding: str = "utf-8") -> list[str]:
    return [review.text for review in read_lines(TextFile(path, encoding)) if review]


def assert_told(read, path: str, sentence: str) -> None:
    """Reading the file ends with its name and this sentence."""
    with pytest.raises(UserError, match=f"^{re.escape(path + sentence)}$"):
        list(read(path))


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=["Linux", "old Mac", "Windows"])
def test_a_line_is_a_review_whatever_ends_it(tmp_path, end):
    # The first one ends where a part that is read at a time ends, between \r and \n.
    texts = [(CHUNK - 1) * "a", *(f"review {i} {'é' * (i % 100)}" for i in range(20_000))]
    for content in end.join(texts), end.join([*texts, ""]):
        assert read_texts(written(tmp_path, content)) == texts
    rows = end.join(["id,review", *(f'{i},"{text}"' for i, text in enumerate(texts))])
    assert read_column(written(tmp_path, rows)) == texts


def start(finished: Project, *arguments: str, **options) -> subprocess.Popen:
    """The command for predictions, started as another program would."""
    options = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0, "text": False, "errors": None} | options
    return finished.start("python", "-m", "sentiment.predict", "--json", *arguments, **options)


def answer(child: subprocess.Popen) -> bytes:
    """The next answer, which has to come while the command waits for more."""
    assert select.select([child.stdout], [], [], 60)[0], "no answer comes"
    return child.stdout.readline()


@pytest.mark.parametrize(
    ("arguments", "writes"),
    [
        ([], [b"wonderful film\r\n", b"\nawful film\nhalf a", b" line, wonderful\n"]),
        ([], [b"wonderful film\r\r\r", b"awful film\r", b"\nwonderful\r"]),
        (["--csv", "review"], [b"id,review\r\n1,wonderful film\r\n", b'2,"awful\r\nfilm"\r\n\r\n', b"3,wonderful\r\n"]),
    ],
    ids=["blank and half lines", "line ends of old Macs, and a newline that comes later", "CSV"],
)
def test_a_program_that_waits_for_each_answer_gets_it(finished, arguments, writes):
    answers = []
    with start(finished, *arguments) as child:
        for content in writes:
            child.stdin.write(content)
            answers.append(answer(child))
            while select.select([child.stdout], [], [], 0.2)[0]:
                answers.append(answer(child))
            assert json.loads(answers[-1])["known_words"] > 0
        child.stdin.close()
        assert (child.stdout.read(), child.stderr.read(), child.wait()) == (b"", b"", 0)
    assert start(finished, *arguments).communicate(b"".join(writes))[0] == b"".join(answers)


def test_all_lines_that_came_at_once_and_slowly_get_the_same_answers(finished, tmp_path, reviews):
    at_once = start(finished, "--file", written(tmp_path, "\n".join(reviews[:3000]))).communicate()[0]
    assert at_once.count(b"\n") == 3000
    slowly = f"(head -c 100001; sleep 1; cat) < {tmp_path}/reviews"
    with subprocess.Popen(["bash", "-c", slowly], stdout=subprocess.PIPE) as writer:
        assert start(finished, stdin=writer.stdout).communicate()[0] == at_once


@pytest.mark.parametrize("arguments", [[], ["--csv", "review"]], ids=["lines", "CSV"])
def test_a_fault_in_the_middle_is_told_after_the_answers_for_what_came_before(finished, tmp_path, arguments):
    child = start(finished, *arguments, "--file", written(tmp_path, b"review\ngood film\nbad film\nbad \xe9\ngood\n"))
    printed, told = child.communicate()
    assert child.returncode == 1
    assert printed.count(b"\n") == (2 if arguments else 3)
    assert re.fullmatch(rb"ERROR: \S+, line 4, column 5 is not utf-8 text \(its byte 0xe9 .*\n", told)


def test_ctrl_c_ends_a_command_that_waits_without_a_word(finished):
    with start(finished) as child:
        child.stdin.write(b"good film\n")
        answer(child)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=60) == -signal.SIGINT
        assert (child.stdout.read(), child.stderr.read()) == (b"", b"")


@pytest.mark.parametrize(
    "header",
    [
        "review,sentiment",
        '"Review","Sentiment"',
        ",Text,Rating",
        "review;sentiment",
        "Title\tReview",
        "\ufefftext,label\r",
        "sep=;",
    ],
)
def test_a_csv_file_without_the_option_csv_is_refused(tmp_path, header):
    told = ", line 1 is the header of a CSV file; name the column of its reviews with `--csv`."
    assert_told(read_texts, written(tmp_path, header + "\nfine,1\n"), told)


@pytest.mark.parametrize(
    "line",
    ['{"text": "fine"}', "[", "{", '[{"text": "fine"},', '{"reviews": [', "[[", ' ["fine", "bad"] ', "[" * 100_000],
    ids=lambda line: line[:12],
)
def test_a_json_file_is_refused(tmp_path, line):
    told = ", line 1 is JSON; write one review per line, without JSON, or a CSV file and use `--csv`."
    assert_told(read_texts, written(tmp_path, f"{line}\n"), told)


def test_a_review_with_commas_or_brackets_is_a_review(tmp_path, reviews):
    for text in (
        "[SPOILERS] A good film, really", "[10/10]", "{rant start} I didn't like it {rant end}", "{}", "review",
        "Good film, text, label", '"Good", he said, "review".', '["Jaws", of course] Good', "good,bad,ugly",
    ):  # fmt: skip
        assert list(read_lines(TextFile(written(tmp_path, text)))) == [RawReview(text, line=1)]
    for text in reviews:
        _refuse_csv_and_json(text, "reviews")


@pytest.mark.parametrize(
    "table",
    [
        "review;sentiment\nfine, really;1\n",
        "id|review\n1|fine, really\n", "id\treview\n1\tfine, really\n",
        'sep=;\r\n"review";id\r\n"fine, really";1\r\n',
        '\ufeffsep=,\nreview\n"fine, really"\n', 'id;id2\treview\n1\tfine, really\n',
    ],
)  # fmt: skip
def test_a_table_may_have_any_usual_separator(tmp_path, table):
    assert read_column(written(tmp_path, table)) == ["fine, really"]


@pytest.mark.parametrize(
    "table",
    [
        'review\tsentiment\n"It is a wonderful film.\tPositive\nI cried all the way."\tpositive\n',
        'id\tsentiment\treview\n1\tpositive\t"It is a wonderful film.\n2\tpos\tI cried all the way."\n',
        'review;sentiment;year\n"It is; wonderful;1;2001\nI cried all the way.";1;2002\n',
    ],
    ids=["label behind", "label before", "label between"],
)
def test_quotation_marks_that_join_two_rows_are_told(tmp_path, table):
    told = ", line 2 starts a text in double quotes that holds the end of a row; "
    with pytest.raises(UserError, match=told):
        list(read_csv(TextFile(written(tmp_path, table)), "review", "sentiment", IMDB_LABELS))


@pytest.mark.parametrize("columns", ["review,sentiment", "sentiment,review"])
def test_a_text_of_several_lines_may_have_separators_and_labels(tmp_path, columns):
    text = "Not, as I thought, positive\npositive, it is not.\nNegative!"
    row = ",".join(f'"{text}"' if column == "review" else "0" for column in columns.split(","))
    path = written(tmp_path, f"{columns}\n{row}\n")
    assert [tuple(review[:3]) for review in read_csv(TextFile(path), "review", "sentiment", IMDB_LABELS)] == [
        (text, "negative", 2)
    ]


@pytest.mark.parametrize("row", ["a fine\rfilm,1", "1,a fine\rfilm"])
def test_a_carriage_return_that_pandas_wrote_is_told_with_its_line(tmp_path, row):
    columns = "review,sentiment" if row.endswith("1") else "sentiment,review"
    path = written(tmp_path, f'{columns}\n\n"1\n",1\n{row}\n')
    told = ", line 5 has 1 values, .*: it has a carriage return, which ends a row, as pandas writes it"
    with pytest.raises(UserError, match=told):
        read_column(path)


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp874", "utf-16", "utf-8-sig", "gb18030"])
def test_a_file_may_have_any_encoding(tmp_path, monkeypatch, encoding):
    monkeypatch.setattr(text_files, "CHUNK", 7)
    word = "ดี" if encoding == "cp874" else "好" if encoding == "gb18030" else "café"
    table = f"review,{word}\r\n{word},1\r\n{word},0\r\n"
    file = TextFile(written(tmp_path, table.encode(encoding)), encoding)
    assert [review.text for review in read_csv(file, "review", word, IMDB_LABELS) if review] == [word, word]
    assert read_texts(written(tmp_path, f"{word}\n{word}".encode(encoding)), encoding) == [word, word]


def test_a_column_that_is_there_twice_may_be_another_one(tmp_path):
    assert read_column(written(tmp_path, "review,sentiment,sentiment\nfine,1,0\n")) == ["fine"]


def test_a_row_without_end_is_refused_as_too_long(tmp_path):
    # Every field is short, and the row never ends.
    content = 'review,label\nfine,1\n"a' + LONGEST // 4 * '","\n'
    told = ", line 3 starts a row above 1,000,000 characters; cut it, or close its double quotes."
    assert_told(read_column, written(tmp_path, content), told)


@pytest.mark.parametrize("read", [read_texts, read_column], ids=["lines", "CSV"])
def test_a_device_without_end_is_refused_and_not_held_in_memory(read):
    tracemalloc.start()
    told = ", line 1 has more than 1,000,000 characters; cut it, or put each review on a separate line."
    assert_told(read, "/dev/zero", told)
    assert tracemalloc.get_traced_memory()[1] < 10 * LONGEST
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("option", "path", "problem"),
    [
        ("--file", "missing", "No such file or directory"),
        ("--file", ".", "Is a directory"),
        ("--file", 256 * "a", "File name too long"),
        ("--model", 256 * "a", "File name too long"),
    ],
)
def test_a_file_that_can_not_be_opened_is_told(finished, option, path, problem):
    child = start(finished, option, path, *(["fine"] if option == "--model" else []))
    assert child.communicate()[1].decode() == f"ERROR: {path} can't be read: {problem}.\n"


def test_too_little_memory_is_told_with_what_helps_also_where_python_says_nothing(capsys):
    print_error(MemoryError, MemoryError(), None)
    assert capsys.readouterr().err == (
        "ERROR: There is not enough memory: end other programs, or make the model smaller in params.yaml.\n"
    )


@pytest.mark.parametrize("option", ["--file", "--model"])
def test_nothing_that_is_quoted_steers_the_terminal(finished, option):
    child = start(finished, option, "a\x1b[31m\x9b\u202e", *(["fine"] if option == "--model" else []))
    told = child.communicate()[1].decode()
    assert told.startswith("ERROR: a\\x1b[31m\\x9b\\u202e ")
    assert told.removesuffix("\n").isprintable()
