"""What cuts a text into tokens, by the name that tokenizer.json has for it; and where in the text the tokens stand.

A tokenizer reads a text with spaces for what separates its words, and cuts it there. It reads the pieces of a text as it reads
the whole: so a token has the place of its pieces. The package `regex` brings one Unicode for all Pythons.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from unicodedata import normalize

import regex

from sentiment.corpus.encoding import ENTITY, as_ascii, spaced, without_entities

# The patterns are for Python and for JavaScript: report/network.js uses them too.
TAG = r"</?(?:[Bb][Rr]|[Pp])[ \t\n\r\f]*/?>"
# What changes a picture: its colour, marks, and the letters of a region's flag.
_CHANGES = r"[\p{EMod}\p{M}" + "\U000e0020-\U000e007f]*"
_PICTURE = r"\p{Emoji}(?<![0-9#*])" + _CHANGES
# A keycap, the two letters of a country's flag, or pictures that are joined.
EMOJI = r"\p{Emoji}(?:(?<=[0-9#*])\ufe0f?\u20e3|(?<=\p{RI})\p{RI}|" + rf"(?<![0-9#*]){_CHANGES}(?:\u200d{_PICTURE})*)"
WORD = r"[\p{L}\p{M}\p{N}]+"
# What is not seen, and the stroke through `≠`.
INVISIBLE = r"[\p{DI}\u0338]"
# NFKC would join Korean letters that are typed alone, and part ŉ and a Thai and a Lao vowel. Python 3.11 lacks the last ones.
UNFOLDED = r"[\u0149\u3131-\u318e\uffa0-\uffdc\u0e33\u0eb3" + "\U0001e030-\U0001e06d]"

_TAG, _ENTITY, _EMOJI = re.compile(TAG), re.compile(ENTITY), regex.compile(f"({EMOJI})")
_PIECE = regex.compile(f"{TAG}|{EMOJI}|.", regex.DOTALL)
_WORD, _INVISIBLE, _UNFOLDED = map(regex.compile, (WORD, INVISIBLE, UNFOLDED))


class _Table(dict):
    """For str.translate: asks `read` for each character once."""

    def __init__(self, read: Callable[[str], str]) -> None:
        self.read = read

    def __missing__(self, code: int) -> str:
        self[code] = self.read(chr(code))
        return self[code]


def _in_words(character: str) -> str:
    """Letters, marks and digits as words have them; an apostrophe stays, what is invisible goes, all else becomes a space.

    The form is that of NFKC, if this has no other characters: `2½` must not be 21 and 2. A word in capitals has the same form:
    `SS` and `ß` are `ss`; `I` and the Turkish i without a dot are `i`.
    """
    typed = _INVISIBLE.sub("", as_ascii(character))
    if typed in ("", "'"):
        return typed
    if not _WORD.fullmatch(typed):
        return " "
    folded = normalize("NFKC", typed).lower().upper().lower()
    return folded if _WORD.fullmatch(folded) and not _UNFOLDED.match(typed) else typed.lower()


_IN_WORDS = _Table(_in_words)
_IN_KERAS = _Table(lambda character: spaced(as_ascii(character).encode()).decode())


def _read_words(text: str) -> str:
    text = _TAG.sub(" ", text)
    if text.isascii():
        return text.translate(_IN_WORDS)
    parts = _EMOJI.split(text)  # every other one is an emoji
    parts[::2] = [part.translate(_IN_WORDS) for part in parts[::2]]
    parts[1::2] = [f" {emoji} ".replace("\ufe0e", "").replace("\ufe0f", "") for emoji in parts[1::2]]
    return "".join(parts)


def _cut_words(read: str) -> list[bytes]:
    # `İ` in lower case is an i with a dot above it.
    composed = normalize("NFC", read.replace("i\u0307", "i"))
    # An apostrophe belongs to a word only within it.
    return [word for piece in composed.encode().split() if (word := piece.strip(b"'"))]


def _cut_characters(read: str) -> list[bytes]:
    parts = _EMOJI.split(b" ".join(_cut_words(read)).decode())  # every other one is an emoji
    return [token.encode() for i, part in enumerate(parts) for token in ([part] if i % 2 else part.replace(" ", ""))]


class _Tokenizer(NamedTuple):
    read: Callable[[str], str]
    cut: Callable[[str], list[bytes]]

    def __call__(self, text: str) -> list[bytes]:
        return self.cut(self.read(without_entities(text)))


TOKENIZERS = {
    "keras_imdb": _Tokenizer(lambda text: text.translate(_IN_KERAS), lambda read: [*filter(None, read.encode().split(b" "))]),
    "words": _Tokenizer(_read_words, _cut_words),  # of scripts with spaces
    "characters": _Tokenizer(_read_words, _cut_characters),  # of the words, for other scripts and for Korean
}


def placed_tokens(text: str, tokenizer: str) -> Iterator[tuple[bytes, int, int]]:
    """The tokens of a text, each with where it starts and where it ends: it comes from text[start:end]."""
    read, cut = TOKENIZERS[tokenizer]
    outside = "" if tokenizer == "keras_imdb" else "'"
    text += " "  # it ends the last word
    places = _places(text)
    word: list[tuple[str, int, int]] = []
    for piece in _PIECE.finditer(without_entities(text)):
        for character in read(piece[0]):
            if character != " ":
                if word or character != outside:
                    word.append((character, places[piece.start()], places[piece.end()]))
                continue
            while word and word[-1][0] == outside:
                word.pop()
            tokens = cut("".join(character for character, _, _ in word))
            # Where a token is made of several characters, the place of all is the word's.
            each = len(tokens) == len(word)
            for i, token in enumerate(tokens):
                yield token, word[i if each else 0][1], word[i if each else -1][2]
            word = []


def _places(text: str) -> list[int]:
    """Where each character of the text without its entities starts in the text, and where the last one ends."""
    places, end = [], 0
    for entity in _ENTITY.finditer(text):
        more = len(without_entities(entity[0])) - 1
        places += [*range(end, entity.start() + 1), *[entity.end()] * more]
        end = entity.end()
    return [*places, *range(end, len(text) + 1)]
