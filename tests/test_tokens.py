"""What is a token of a text, for each tokenizer, and where it stands. The page (test_demo.py) reads the same tokens."""

# ruff: noqa: RUF001  (letters that look like others are what some of these texts are about)
import random
from hashlib import sha256
from itertools import chain
from unicodedata import normalize

import pytest

from sentiment.corpus.encoding import tokenise
from sentiment.corpus.tokenizers import TOKENIZERS, placed_tokens

ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
FAMILY = "👨\u200d👩\u200d👧"


def tokens(text: str, tokenizer: str = "words") -> list[str]:
    return [token.decode() for token in TOKENIZERS[tokenizer](text)]


def places(text: str, tokenizer: str = "words") -> list[tuple[str, str]]:
    """Each token, and what the text as given has in its place."""
    return [(token.decode(), text[start:end]) for token, start, end in placed_tokens(text, tokenizer)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nicht „großartig“ – DER Film war’s, öde…", "nicht grossartig der film war's öde"),
        ("«C'est l’Été» 'là', ''", "c'est l'été là"),
        ("¡Qué película! 10/10 ★★★ :-)", "qué película 10 10"),
        ("Скучно, НЕ смотрите…", "скучно не смотрите"),
        ("رائع، جداً؟", "رائع جداً"),
        ("यह फ़िल्म बहुत अच्छी है।", "यह फ़िल्म बहुत अच्छी है"),
        ("one<br />two<BR>three<p>four</p>five<br/>", "one two three four five"),
        ("zero\u200bwidth, soft\u00adhyphen, tab\tand\u3000wide \u0085", "zero width softhyphen tab and wide"),
    ],
)
def test_words_are_cut_at_white_space_and_punctuation_of_any_script(text, expected):
    assert " ".join(tokens(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("이 영화는 재미있어요!", "이영화는재미있어요"),
        ("「最高」の映画。ABC", "最高の映画abc"),
        ("很好看,推荐!<br />", "很好看推荐"),
        ("น้ำ ໜ້າ", "น้ำຫນ້າ"),
    ],
)
def test_characters_are_those_of_the_words_each_a_token(text, expected):
    assert tokens(text, "characters") == list(expected)
    assert tokens(f"{FAMILY}好👍🏽", "characters") == [FAMILY, "好", "👍🏽"], "but an emoji is one"


@pytest.mark.parametrize(
    ("typed", "ascii"),
    [
        ("It’s wonderful, it‘s superb. Itʼs touching!", "It's wonderful, it's superb. It's touching!"),
        ("“Wonderful”, “superb” and «excellent» „film‟.", '"Wonderful", "superb" and "excellent" "film".'),
        ("It is awful\u2026boring—with a dull – poor‐plot", "It is awful...boring-with a dull - poor-plot"),
        ("wonderful\u00a0film,\u202fexcellent\u2009as\u3000it\u2028was", "wonderful film, excellent as it was"),
        ("won\u00adderful \u200bsuperb\ufeff movie, loved", "wonderful superb movie, loved"),
    ],
    ids=["apostrophes", "quotes", "dashes", "spaces", "invisible"],
)
def test_what_phones_and_word_processors_type_is_read_as_the_ascii_that_it_stands_for(typed, ascii):
    assert tokens(typed, "keras_imdb") == tokens(ascii, "keras_imdb")


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_html_entities_are_the_characters_that_they_stand_for(tokenizer):
    for entities, plain in {
        "I didn&#039;t &amp; left": "I didn't & left",
        "&quot;Fine&QUOT;&nbsp;caf&eacute; &#x27;&#39;": "\"Fine\" café ''",
        "isn&rsquo;t&hellip;it": "isn't...it",
        "twice &amp;quot;encoded&amp;#039;s": "twice \"encoded's",
        "one&lt;br /&gt;two": "one<br />two",
        "the bits of an emoji: &#128077;&#x1F3FD;": "the bits of an emoji: 👍🏽",
    }.items():
        assert tokens(entities, tokenizer) == tokens(plain, tokenizer)
    for text in "R&D", "good&not bad", "AT&T;", "&;", "&#;", f"&#{'9' * 5000};", "5 &lt 6":
        assert [token.replace(" ", "") for token in tokens(text, tokenizer)] == tokens(text.replace("&", " "), tokenizer), text


def test_the_place_of_a_word_with_an_entity_is_in_the_text_as_given():
    text = "&lt;br/&gt;I &quot;didn&#039;t&quot; &amp; &eacute;t&eacute;"
    assert places(text) == [("i", "I"), ("didn't", "didn&#039;t"), ("été", "&eacute;t&eacute;")]
    assert places("x&eacute;y", "characters") == [("x", "x"), ("é", "&eacute;"), ("y", "y")]
    assert places(text, "keras_imdb")[2] == ("didn't", "didn&#039;t")


def test_an_emoji_is_a_word_whole_and_with_or_without_a_variation_selector():
    assert tokens("I love this😍😍 so❤️ much❤ 😡") == "i love this 😍 😍 so ❤ much ❤ 😡".split()
    whole = ["👍🏽", "👍", FAMILY, "🏳\u200d🌈", "🇩🇪", "🇫🇷", ENGLAND, "1\u20e3", "#\u20e3"]
    assert tokens("👍🏽👍" + FAMILY + "🏳️\u200d🌈🇩🇪🇫🇷" + ENGLAND + "1️⃣#️⃣") == whole
    assert tokens("a\ufe0fb \ufe0e 1\ufe0f") == ["ab", "1"]
    assert places("ok❤️!") == [("ok", "ok"), ("❤", "❤️")]


def test_a_word_is_the_same_in_capitals_in_wide_letters_and_however_its_letters_are_composed():
    for words in (
        "café CAFÉ cafe\u0301 ＣＡＦÉ",
        "재미 \u110c\u1162\u1106\u1175",
        "\u095eिल्म फ\u093cिल्म",
        "iyi İyi I\u0307yi İYİ i\u0307yi",
        "ışık IŞIK işik",
        "straße STRASSE STRAẞE",
        "οδος ΟΔΟΣ οδοσ",
        "fine ﬁne ＦＩＮＥ",
        "ガ ｶﾞ",
        "لا ﻻ",
    ):
        assert len({*tokens(words)}) == 1, words
    assert places("STRAẞE Straße, fu\u0308r") == [("strasse", "STRAẞE"), ("strasse", "Straße"), ("für", "fu\u0308r")]


def test_nothing_is_taken_apart_or_joined_that_people_read_otherwise():
    assert tokens("2½ ㅋㅋㅠㅠ ﷺ") == ["2½", "ㅋㅋㅠㅠ", "ﷺ"]
    assert tokens("a\u2260b") == tokens(normalize("NFD", "a\u2260b")) == ["a", "b"]


def test_each_character_between_quotes_has_its_own_place():
    assert places("'这部电影好'", "characters") == [(character, character) for character in "这部电影好"]
    assert places("‘rock’n’roll’") == [("rock'n'roll", "rock’n’roll")]


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_an_explanation_has_the_tokens_of_the_prediction(tokenizer):
    """Texts of what is hard to read, put together by chance."""
    made, parts = random.Random(0), [
        *"a B ' ’ ß İ ı i 1 # \u0307 \u0338 = \u0301 é 好 ᄒ ᅡ ᆫ ｶ ﾞ ½ ´ ﷺ ❤ ↔ 👍 🏽 👨 🇩 🇪 ™ < > / br & amp lt ; . … ★".split(),
        *" \n\t\x85\u00a0\u200b\u200d\u00ad\ufe0f\u20e3\U000e0067\U000e007f",
        "<br />", "&amp;", "&#039;", "&lt;", "&fjlig;", "&#x200d;", "&#1;", "&nbsp;",
    ]  # fmt: skip
    for _ in range(3000):
        text = "".join(made.choices(parts, k=made.randint(1, 12)))
        placed = [*placed_tokens(text, tokenizer)]
        assert [token for token, _, _ in placed] == TOKENIZERS[tokenizer](text), ascii(text)
        assert all(0 <= start <= end <= len(text) for _, start, end in placed), ascii(text)
        assert [start for _, start, _ in placed] == sorted(start for _, start, _ in placed), ascii(text)


def test_every_python_reads_each_character_as_the_same_token_and_the_token_again_as_itself():
    """A newer release of `regex` may have a newer Unicode, with another digest. Tokens are read again where texts have gone."""
    ranges = (0, 0xD800), (0xE000, 0x20000), (0x2EB00, 0x32400), (0xE0000, 0xE0200)
    read = {code: tokens(chr(code)) for first, last in ranges for code in range(first, last)}
    assert all(tokens(token) == [token] for token in {*chain.from_iterable(read.values())})
    assert sha256(ascii(read).encode()).hexdigest() == "156daf033efd530c04b6362532343471c5de1eabdd4392cef2214019c46ec868"


def test_ascii_texts_have_for_predictions_the_words_that_they_have_in_training():
    text = "It's \"GOOD\"--really & truly!<br />\t10/10 'tis AT&T <3 \x0b\x0c~"
    assert tokens(text, "keras_imdb") == [word.decode() for word in tokenise(text.encode())]
