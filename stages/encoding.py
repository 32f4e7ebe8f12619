"""From texts to the tokens of `keras.datasets.imdb`: tokenising, and the vocabulary in Keras's order."""

from collections.abc import Iterable

import numpy as np

# The defaults of the Keras tokenizer that encoded the reviews: these characters, among them tab and newline, and the space
# part the words, and ASCII letters are lower-cased. On bytes, since str.lower() and str.split() know more of both.
_SEPARATORS = b'!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_NORMALISE = bytes.maketrans(_SEPARATORS, b" " * len(_SEPARATORS))


def tokenise(text: bytes) -> list[bytes]:
    """The words of a UTF-8 text. The apostrophe is part of a word; only spaces part words in the end."""
    return [word for word in text.lower().translate(_NORMALISE).split(b" ") if word]


def rank_words(words: Iterable[bytes]) -> list[bytes]:
    """The distinct words, most frequent first; line i of vocabulary.txt is the word of rank i.

    Words of the same count stand in the order in which the Python 2.7 that made Keras's word index iterated over its
    dict of counts.
    """
    counts: dict[bytes, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return sorted(_python2_dict_order(list(counts)), key=counts.__getitem__, reverse=True)


def encode(words: Iterable[bytes], ranks: dict[bytes, int]) -> np.ndarray:
    """The ranks of the words, those that have none left out: uint32, shape (number of known words,)."""
    return np.fromiter(filter(None, map(ranks.get, words)), np.uint32)


def _python2_dict_order(words: list[bytes]) -> list[bytes]:
    """The order in which 64-bit CPython 2.7 iterates over a dict that had these distinct words inserted one by one.

    Source: Objects/dictobject.c (lookdict_string, dictresize) of CPython 2.7. The table has open addressing; an
    insertion that leaves it two thirds full has it grow.
    """
    size = 8
    table: list[tuple[int, bytes] | None] = [None] * size
    for used, word in enumerate(words, start=1):
        _insert(table, (_python2_hash(word), word))
        if 3 * used >= 2 * size:
            at_least = used * (2 if used > 50_000 else 4)
            size = 8
            while size <= at_least:
                size *= 2
            entries = [entry for entry in table if entry]
            table = [None] * size
            for entry in entries:
                _insert(table, entry)
    return [entry[1] for entry in table if entry]


def _insert(table: list[tuple[int, bytes] | None], entry: tuple[int, bytes]) -> None:
    mask = len(table) - 1
    slot = perturb = entry[0]
    while table[slot & mask] is not None:
        slot = 5 * slot + perturb + 1
        perturb >>= 5
    table[slot & mask] = entry


def _python2_hash(word: bytes) -> int:
    """hash(word) of 64-bit CPython 2.7, modulo 2**64 (string_hash in Objects/stringobject.c, PYTHONHASHSEED unset)."""
    value = word[0] << 7
    for byte in word:
        value = (1000003 * value ^ byte) & 0xFFFF_FFFF_FFFF_FFFF
    return value ^ len(word)
