"""From texts to the tokens of `keras.datasets.imdb`: words, their ranks, and the order of the reviews."""

import html
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Literal, NamedTuple

import numpy as np

from sentiment.common.parameters import LabelsSection
from sentiment.common.reviews import Reviews, join, take
from sentiment.corpus.python2_dict import python2_dict_order

# The defaults of the Keras tokenizer that encoded the reviews. These characters and the space separate words; letters are
# lower-cased in ASCII alone. On bytes, since str.lower() and str.split() know more of both.
_SEPARATORS = b'!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_SPACED = bytes.maketrans(_SEPARATORS, b" " * len(_SEPARATORS))

# A character as HTML has it: `&#039;`, `&quot;` or, encoded once more, `&amp;quot;`. The semicolon has to be there: of
# `good&not bad`, HTML would make `good¬ bad`.
ENTITY = "&(?:amp;)*(#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]*);"
_ENTITY = re.compile(ENTITY)

# Characters that phones and word processors type, with their ASCII equivalents; invisible ones are removed.
_TYPED = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc\uff07",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "...": "\u2026",
    " ": "\r\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u3000",
    "": "\u00ad\u200c\u200d\u2060\ufeff",
}
_ASCII_OF_TYPED = str.maketrans({typed: ascii for ascii, characters in _TYPED.items() for typed in characters})
# The seed of keras.datasets.imdb.load_data.
KERAS_SEED = 113

# IMDB's own labels are the names of folders; these are for files that its model is tried on.
IMDB_LABELS = LabelsSection(
    positive=["positive", "pos", "1", "1.0", "true"], negative=["negative", "neg", "0", "0.0", "false"], ignore=[]
)

# UTF-8 texts by review id.
Texts = dict[int, bytes]


class LabelledTexts(NamedTuple):
    """The reviews of a split, train or test."""

    positive: Texts
    negative: Texts


# The words of each review, and its label, 1 = positive.
Labelled = Iterable[tuple[list[bytes], int]]


class Dataset(NamedTuple):
    """What every source gives. A token is the rank of its word: vocabulary[0] has rank 1. `tokenizer` cut the texts.

    `labels` is for predictions: how files spell the labels that they are compared with.
    """

    train: Reviews
    test: Reviews
    vocabulary: list[bytes]
    tokenizer: Literal["keras_imdb", "words", "characters"] = "keras_imdb"
    labels: LabelsSection = IMDB_LABELS


def spaced(text: bytes) -> bytes:
    """The text in lower case, with spaces for what separates its words."""
    return text.lower().translate(_SPACED)


def tokenise(text: bytes) -> list[bytes]:
    """The words of a UTF-8 text. The apostrophe is part of a word."""
    return list(filter(None, spaced(text).split(b" ")))


def without_entities(text: str) -> str:
    """The text with the characters that HTML entities stand for."""
    return _ENTITY.sub(lambda entity: html.unescape(f"&{entity[1]};") or " ", text)


def as_ascii(text: str) -> str:
    """The text without entities, and with the quotes, dashes, ellipses and spaces of phones and word processors in ASCII.

    Nearly all reviews of IMDB were typed in ASCII: a model trained on them does not know `isn\u2019t`, only `isn't`.
    """
    return without_entities(text).translate(_ASCII_OF_TYPED)


def encode(words: Iterable[bytes], ranks: Mapping[bytes, int]) -> Iterator[int]:
    """The ranks of the words that have one."""
    return filter(None, map(ranks.get, words))


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
    ranked = rank_all(_by_file_name(train), _by_file_name(test), rank_words)
    random = np.random.RandomState(KERAS_SEED)
    shuffled_train, shuffled_test = (take(reviews, random.permutation(len(reviews.labels))) for reviews in ranked[:2])
    return ranked._replace(train=shuffled_train, test=shuffled_test)


def _by_file_name(split: LabelledTexts) -> Labelled:
    for texts, label in (split.positive, 1), (split.negative, 0):
        for review_id in sorted(texts, key="{}_".format):
            yield tokenise(texts[review_id]), label


def rank_all(train: Labelled, test: Labelled, rank: Callable[[Mapping[bytes, int]], list[bytes]]) -> Dataset:
    """Words become ranks; `rank` orders them by their counts in `train`, given in the order in which they first come there."""
    # One pass over the words: each gets the next number when it first comes. The numbers are then counted and ranked.
    numbers: defaultdict[bytes, int] = defaultdict(count().__next__)
    numbered = join((map(numbers.__getitem__, words), label) for words, label in train)
    vocabulary = rank(dict(zip(numbers, np.bincount(numbered.tokens).tolist(), strict=True)))
    ranks = {word: number for number, word in enumerate(vocabulary, start=1)}
    rank_of_number = np.fromiter(map(ranks.__getitem__, numbers), np.uint32)
    ranked_train = numbered._replace(tokens=rank_of_number[numbered.tokens])
    return Dataset(ranked_train, join((encode(words, ranks), label) for words, label in test), vocabulary)
