"""What cuts a text into tokens, by the name that tokenizer.json has for it; and where in the text the tokens stand."""

import re
from collections.abc import Iterator
from functools import cache
from unicodedata import category, normalize

from sentiment.corpus.encoding import as_ascii, tokenise

_LINE_BREAK_TAG = re.compile(r"</?(br|p)\s*/?>", re.IGNORECASE)


class _Separators(dict):
    """For str.translate: in any script, all but letters, digits, combining marks and apostrophes become a space."""

    def __missing__(self, code: int) -> str:
        self[code] = "".join(" " if c != "'" and category(c)[0] in "PSZC" else c for c in as_ascii(chr(code)))
        return self[code]


_SEPARATORS = _Separators()


def words(text: str) -> list[bytes]:
    """The words of a text in a script with spaces: of `Isn't it «ÇA»?<br />`, these are `isn't`, `it` and `ça`."""
    spaced = _LINE_BREAK_TAG.sub(" ", normalize("NFC", text)).translate(_SEPARATORS).lower()
    # An apostrophe belongs to a word only within it.
    return [word for piece in spaced.encode().split() if (word := piece.strip(b"'"))]


def characters(text: str) -> list[bytes]:
    """The characters of these words: for scripts without spaces, and for Korean, whose particles stick to words."""
    return [character.encode() for word in words(text) for character in word.decode()]


TOKENIZERS = {"keras_imdb": lambda text: tokenise(as_ascii(text).encode()), "words": words, "characters": characters}


@cache
def _separates(character: str, tokenizer: str) -> bool:
    return len(TOKENIZERS[tokenizer](f"a{character}a")) == 2


def placed_tokens(text: str, tokenizer: str) -> Iterator[tuple[bytes, int, int]]:
    """The tokens of a text, each with where it starts and where it ends: it comes from text[start:end]."""
    cut = "words" if tokenizer == "characters" else tokenizer
    if cut == "words":
        text = _LINE_BREAK_TAG.sub(lambda tag: " " * len(tag[0]), text)
    # Between separators stands one word or, of apostrophes and characters that are not seen alone, none.
    spaced = "".join(" " if _separates(character, cut) else character for character in text)
    for run in re.finditer("[^ ]+", spaced):
        tokens = TOKENIZERS[tokenizer](run[0])
        each = len(tokens) == len(run[0])  # or one is made of several characters: the place of all is then the word's
        for i, token in enumerate(tokens):
            yield token, run.start() + (i if each else 0), run.start() + i + 1 if each else run.end()
