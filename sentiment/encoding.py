"""From texts to the tokens of `keras.datasets.imdb`: words, their ranks, and the order of the reviews."""

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

import numpy as np

from sentiment.python2_dict import python2_dict_order
from sentiment.reviews import Reviews, join

# The defaults of the Keras tokenizer that encoded the reviews. These characters and the space separate words; letters are
# lower-cased in ASCII alone. On bytes, since str.lower() and str.split() know more of both.
_SEPARATORS = b'!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_NORMALISE = bytes.maketrans(_SEPARATORS, b" " * len(_SEPARATORS))
# The seed of keras.datasets.imdb.load_data.
_KERAS_SEED = 113

# UTF-8 texts by review id.
Texts = dict[int, bytes]


class LabelledTexts(NamedTuple):
    """The reviews of a split, train or test."""

    positive: Texts
    negative: Texts


class Dataset(NamedTuple):
    """What every source gives. A token is the rank of its word: vocabulary[0] has rank 1."""

    train: Reviews
    test: Reviews
    vocabulary: list[bytes]


def tokenise(text: bytes) -> list[bytes]:
    """The words of a UTF-8 text. The apostrophe is part of a word."""
    return [word for word in text.lower().translate(_NORMALISE).split(b" ") if word]


def encode(words: Iterable[bytes], ranks: dict[bytes, int]) -> np.ndarray:
    """The ranks of the words that have one: uint32, shape (number of these words,)."""
    return np.fromiter(filter(None, map(ranks.get, words)), np.uint32)


def rank_words(words: Iterable[bytes]) -> list[bytes]:
    """The distinct words, most frequent first; line i of vocabulary.txt is the word of rank i.

    Words of the same count are in the order in which the Python 2.7 that made Keras's word index iterated over its dict
    of counts.
    """
    counts: dict[bytes, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return sorted(python2_dict_order(list(counts)), key=counts.__getitem__, reverse=True)


def vocabulary_bytes(vocabulary: list[bytes]) -> bytes:
    """The content of vocabulary.txt: each word ends with a newline alone, since some hold U+0085 and other line ends."""
    return b"".join(word + b"\n" for word in vocabulary)


def encode_texts(train: LabelledTexts, test: LabelledTexts) -> Dataset:
    """Encode texts as `keras.datasets.imdb` has them: words ranked over the training reviews, both splits shuffled.

    Before the shuffle the positive reviews come first, then the negative ones, each by file name as text. The ids are
    unique, so the part of the name up to `_` is enough.
    """
    train_words, test_words = (
        [tokenise(texts[review_id]) for texts in split for review_id in sorted(texts, key="{}_".format)]
        for split in (train, test)
    )
    vocabulary = rank_words(chain.from_iterable(train_words))
    ranks = {word: rank for rank, word in enumerate(vocabulary, start=1)}
    random = np.random.RandomState(_KERAS_SEED)

    def encode_split(split: LabelledTexts, words: list[list[bytes]]) -> Reviews:
        labels = np.repeat([1, 0], [len(split.positive), len(split.negative)])
        order = np.arange(len(words))
        random.shuffle(order)
        return join([encode(words[i], ranks) for i in order], labels[order])

    return Dataset(encode_split(train, train_words), encode_split(test, test_words), vocabulary)
