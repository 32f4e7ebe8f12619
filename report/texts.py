"""The raw texts of the fetched training reviews, where their source still has them."""

from pathlib import Path

import numpy as np

from sentiment.common.parameters import FetchSection
from sentiment.corpus.archive import read_archive
from sentiment.corpus.csv_files import reviews_file, text_file
from sentiment.corpus.csv_rows import read_csv
from sentiment.corpus.encoding import KERAS_SEED
from sentiment.corpus.sources import DOWNLOAD, package_texts


def training_texts(fetch: FetchSection, checkout: Path) -> list[str] | None:
    """The texts of the training reviews, in fetch's order; None of `keras`, which has ids alone. It downloads nothing.

    Raises UserError if the source does not exist any more, or can't be used.
    """
    if fetch.source == "keras":
        return None
    if fetch.source == "csv":
        path = reviews_file(fetch.csv.folder, "train", checkout)
        rows = read_csv(text_file(path, fetch.csv), fetch.csv.text, fetch.csv.label, fetch.csv) if path else []
        return [row.text for row in rows if row and row.label]
    path = DOWNLOAD if "://" in fetch.archive else checkout / fetch.archive
    train = package_texts() if fetch.source == "package" else read_archive(path, fetch.archive)[0]
    # As `encode_texts` orders and shuffles them.
    texts = [of_class[review_id] for of_class in train for review_id in sorted(of_class, key="{}_".format)]
    return [texts[i].decode(errors="replace") for i in np.random.RandomState(KERAS_SEED).permutation(len(texts))]
