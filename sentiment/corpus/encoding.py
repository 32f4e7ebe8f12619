"""From texts to the tokens of `keras.datasets.imdb`: words, their ranks, and the order of the reviews."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

import numpy as np

from sentiment.common.reviews import Reviews, join, take
from sentiment.corpus.python2_dict import python2_dict_order

# The defaults of the Keras tokenizer that encoded the reviews. These characters and the space separate words; letters are
# lower-cased in ASCII alone. On bytes, since str.lower() and str.split() know more of both.
_SEPARATORS = b'!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


_NORMALISE = bytes.maketrans(_SEPARATORS + ascii_uppercase.encode(), b" " * len(_SEPARATORS) + ascii_lowercase.encode())


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
    return [word for word in text.translate(_NORMALISE).split(b" ") if word]


def encode(words: Iterable[bytes], ranks: dict[bytes, int]) -> np.ndarray:
    """The ranks of the words that have one: uint32, shape (number of these words,)."""
    return np.fromiter(filter(None, map(ranks.get, words)), np.uint32)


def rank_words(counts: Mapping[bytes, int]) -> list[bytes]:
    """The words, most frequent first, from the count of each, in the order in which the texts first have them.

    Line i of vocabulary.txt is the word of rank i. Words of the same count are in the order in which the Python 2.7 that
    made Keras's word index iterated over its dict of counts.
    """
    return sorted(python2_dict_order(list(counts)), key=counts.__getitem__, reverse=True)


def encode_texts(train: LabelledTexts, test: LabelledTexts) -> Dataset:
    """Encode texts as `keras.datasets.imdb` has them: words ranked over the training reviews, both splits shuffled.

    Before the shuffle the positive reviews come first, then the negative ones, each by file name as text. The ids are
    unique, so the part of the name up to `_` is enough.
    """
    # One pass over the words: each gets the next number when it first comes. The numbers are then counted and ranked.
    numbers: defaultdict[bytes, int] = defaultdict(count().__next__)
    numbered = _join_in_order(train, lambda words: np.fromiter(map(numbers.__getitem__, words), np.uint32))
    vocabulary = rank_words(dict(zip(numbers, np.bincount(numbered.tokens).tolist(), strict=True)))
    ranks = {word: rank for rank, word in enumerate(vocabulary, start=1)}
    rank_of_number = np.fromiter(map(ranks.__getitem__, numbers), np.uint32)
    ranked_train = numbered._replace(tokens=rank_of_number[numbered.tokens])
    ranked_test = _join_in_order(test, lambda words: encode(words, ranks))
    random = np.random.RandomState(_KERAS_SEED)
    shuffled_train, shuffled_test = (
        take(reviews, random.permutation(len(reviews.labels))) for reviews in (ranked_train, ranked_test)
    )
    return Dataset(shuffled_train, shuffled_test, vocabulary)


def _join_in_order(split: LabelledTexts, tokens_of: Callable[[list[bytes]], np.ndarray]) -> Reviews:
    """The reviews of a split, in the order of their file names; `tokens_of` makes tokens of a review's words."""
    texts = [texts[review_id] for texts in split for review_id in sorted(texts, key="{}_".format)]
    labels = np.repeat([1, 0], [len(split.positive), len(split.negative)])
    return join([tokens_of(tokenise(text)) for text in texts], labels)
