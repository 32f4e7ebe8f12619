"""Fetch the reviews. IMDB reviews get the encoding and the order of `keras.datasets.imdb`.

Takes the source that `fetch.source` names. Writes data/reviews/{train,test}.npz, whose tokens are frequency ranks (1 = most
frequent), vocabulary.txt, and tokenizer.json, which says how the texts became tokens and how files spell the labels. If the
source has no test reviews, test.npz is empty (n = 0).
"""

from pathlib import Path

from sentiment.common.files import write_json
from sentiment.common.parameters import Encoding, read_params
from sentiment.common.reviews import save_reviews, texts_of
from sentiment.common.vocabulary import vocabulary_sha256, write_vocabulary
from sentiment.corpus.sources import SOURCES, check_digests

REVIEWS = Path("data/reviews")


def main_checkout() -> Path:
    """The checkout that paths in parameters are relative to: this one, or the one that a DVC workspace was made from.

    `dvc exp run --temp` and `dvc queue` run stages in folders under <checkout>/.dvc/tmp/exps.
    """
    here = Path.cwd()
    return next((parent for parent in here.parents if parent / ".dvc/tmp/exps" in here.parents), here)


def main() -> None:
    params = read_params()
    dataset = SOURCES[params.fetch.source].read(params.fetch, main_checkout())
    check_digests(dataset, params.fetch)
    save_reviews(REVIEWS / "train.npz", dataset.train)
    save_reviews(REVIEWS / "test.npz", dataset.test)
    write_vocabulary(REVIEWS / "vocabulary.txt", dataset.vocabulary)
    encoding = Encoding(
        tokenizer=dataset.tokenizer, labels=dataset.labels, vocabulary_sha256=vocabulary_sha256(dataset.vocabulary)
    )
    write_json(REVIEWS / "tokenizer.json", encoding.model_dump())
    reviews, different = len(dataset.train.labels), len({*texts_of(dataset.train)})
    print(f"{reviews} training reviews, {len(dataset.test.labels)} test reviews")
    if different < reviews:
        how = "; `split.keep_copies_together: true` splits them by text" if params.fetch.source == "csv" else ""
        print(f"{different} of the training reviews are different, the others are copies{how}")


if __name__ == "__main__":
    main()
