"""Fetch the IMDB reviews, in the encoding and the order of `keras.datasets.imdb`.

Takes the source that `fetch.source` names. Writes data/reviews/{train,test}.npz, whose tokens are frequency ranks (1 = most
frequent), and data/reviews/vocabulary.txt. A source without test reviews gives a test.npz of none.
"""

from pathlib import Path

from sentiment.common.files import write_bytes
from sentiment.common.parameters import read_params
from sentiment.common.reviews import save_reviews
from sentiment.common.vocabulary import vocabulary_bytes
from sentiment.corpus.digests import check_digests
from sentiment.corpus.encoding import Dataset
from sentiment.corpus.sources import download, from_archive, from_keras, from_package

REVIEWS = Path("data/reviews")
DOWNLOAD = Path(".dvc/tmp/aclImdb_v1.tar.gz")


def main_checkout() -> Path:
    """The checkout that paths in parameters are relative to: this one, or the one that a DVC workspace was made from.

    `dvc exp run --temp` and `dvc queue` run stages in folders under <checkout>/.dvc/tmp/exps.
    """
    here = Path.cwd()
    return next((parent for parent in here.parents if parent / ".dvc/tmp/exps" in here.parents), here)


def read_source(source: str, archive: str) -> Dataset:
    """Read the reviews from `package`, `keras` or `archive`; `archive` is the URL or the path of the last one."""
    if source == "package":
        return from_package()
    if source == "keras":
        return from_keras()
    if "://" in archive:
        download(archive, DOWNLOAD)
        return from_archive(DOWNLOAD, archive)
    return from_archive(main_checkout() / archive, archive)


def main() -> None:
    params = read_params()
    dataset = read_source(params.fetch.source, params.fetch.archive)
    check_digests(dataset, params.fetch.source, params.fetch.sha256)
    save_reviews(REVIEWS / "train.npz", dataset.train)
    save_reviews(REVIEWS / "test.npz", dataset.test)
    write_bytes(REVIEWS / "vocabulary.txt", vocabulary_bytes(dataset.vocabulary))
    print(f"{len(dataset.train.labels)} training reviews, {len(dataset.test.labels)} test reviews")


if __name__ == "__main__":
    main()
