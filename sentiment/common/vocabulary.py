"""The words and their ids. Line i of vocabulary.txt has the word of rank i, which has the id i + 3."""

import numpy as np

# In Keras's encoding, id 0 is padding, 1 the start of a review, 2 a dropped word; the first word has id 4.
INDEX_FROM = 3


def vocabulary_bytes(vocabulary: list[bytes]) -> bytes:
    """The content of vocabulary.txt: each word ends with a newline alone, since some hold U+0085 and other line ends."""
    return b"".join(word + b"\n" for word in vocabulary)


def names_of(ids: np.ndarray, vocabulary: list[str]) -> list[str]:
    """The words of these ids, int of shape (n,), from the lines of vocabulary.txt; line 1 is the word of the first id."""
    return [vocabulary[i - INDEX_FROM - 1] for i in ids]
