"""The vocabulary: its file, its digest, and the words of ids.

Line i of vocabulary.txt is the word of rank i, in UTF-8. It has the id i + 3, as in Keras's encoding, where id 0 is padding,
1 the start of a review, and 2 a dropped word.
"""

import hashlib
from pathlib import Path

import numpy as np

from sentiment.common.files import damaged, read_bytes, write_bytes

INDEX_FROM = 3
FIRST_ID = INDEX_FROM + 1


def vocabulary_bytes(words: list[bytes]) -> bytes:
    """The content of vocabulary.txt: each word ends with a newline alone, since some hold U+0085 and other line ends."""
    return b"".join(word + b"\n" for word in words)


def vocabulary_sha256(words: list[bytes]) -> str:
    """Hex digest of vocabulary.txt."""
    return hashlib.sha256(vocabulary_bytes(words)).hexdigest()


def write_vocabulary(path: Path, words: list[bytes]) -> None:
    write_bytes(path, vocabulary_bytes(words))


def read_vocabulary(path: Path, sha256: str) -> list[bytes]:
    """The words of a vocabulary.txt, by rank. Raises UserError if it can't be read, or has another digest."""
    words = read_bytes(path).removesuffix(b"\n").split(b"\n")
    if vocabulary_sha256(words) != sha256:
        raise damaged(path, ValueError("it has other words, or other line ends, than it had when it was made"))
    return words


def words_of_ids(ids: np.ndarray, words: list[bytes]) -> list[str]:
    """The words of these ids, int of shape (n,), from FIRST_ID on."""
    return [words[i - FIRST_ID].decode() for i in ids]
