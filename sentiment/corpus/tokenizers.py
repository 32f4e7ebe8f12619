"""What cuts a text into tokens, by the name that tokenizer.json has for it."""

import re
from unicodedata import category, normalize

from sentiment.corpus.encoding import as_ascii, tokenise

_LINE_BREAK_TAG = re.compile(r"</?(br|p)\s*/?>", re.IGNORECASE)


class _Separators(dict):
    """For str.translate: what is no letter, digit, combining mark or apostrophe becomes a space, in any script."""

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
