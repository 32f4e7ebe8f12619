"""The page in which one types a review, in a real browser without a network: it says what Python says."""

# ruff: noqa: RUF001  (letters that look like others are what some of these texts are about)
import html
import json
import re
import shutil
from collections import Counter
from itertools import product
from pathlib import Path

import browser
import numpy as np
import pytest
from helpers import package_rows
from made_model import random_model

from report import page as report_page
from report.page import make_page, network_data
from sentiment.common.reviews import LABEL_NAMES
from sentiment.corpus.tokenizers import TOKENIZERS
from sentiment.inference.classifier import classify
from sentiment.inference.effects import explain
from sentiment.inference.forward import CELLS
from sentiment.inference.model_folder import Model

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

TYPED = [
    "",
    " \n\t ",
    "great",
    "Isn’t it “great”? – No… it’s ‘bad’ — don′t",
    "soft\u00adhyphen zero\u200bwidth no\u00a0break ideographic\u3000space ＂wide＂ ＇tis",
    "one<br />two<BR>three<p>four</p >five<br/>six < br> <b r>",
    "'quoted' ''twice'' ' '' it's rock'n'roll",
    "tab\tand\nnew\r\nline\x0bvertical\x0cform\x85next",
    "10/10!!! ★★★ (a+b)=c_d $5 100% #1 @you [x] {y} ~z `w` ^v |u| \\t",
    "caf\u00e9 cafe\u0301 \ufb01ne ＷＩＤＥ \u212bngstr\u00f6m",
    "Das Buch ist groß­artig, „schön“ und nicht ÖDE! Straße STRASSE",
    "Ο ΟΔΥΣΣΕΎΣ ήταν ΥΠΈΡΟΧΟΣ; ΣΑΣ",
    "İstanbul'da IŞIK ıslak",
    "यह फ़िल्म बहुत अच्छी है। बुरी नहीं",
    "이 영화는 정말 재미있어요! \u110c\u1162\u1106\u1175",
    "この映画はとても「最高」です。つまらなくない",
    "这部电影真的很好看，推荐！不无聊。",
    "هذا فيلم رائع، جداً؟ ليس مملاً",
    "Скучно, НЕ смотрите… Ужас",
    "🎬 👍🏽 great 👨‍👩‍👧 bad𝒜𐐀𐐨 🇩🇪",
    "didn&#039;t &amp; caf&eacute; &amp;quot;x&amp;quot; &lt;br /&gt;y &lt;3 R&D &not &rsquo;s&#x2764;&#xFE0F;",
    "&notit; &fjlig; &bne;a &#1;b&#xD800; &#128; &#13;c &#xFFFF; &#9999999; &hellip;d&nbsp;e &NoSuch; &;",
    "❤️❤ 👨‍👩‍👧‍👦ok 1️⃣2 🏴\U000e0067\U000e0062\U000e007f 🇩🇪🇫🇷🇩 👍🏽👍 ™ ↔\u0338 ℹ a\u200d ☺\u0301",
    "2½ ① ㄱㅏ ㅋㅋㅠㅠ ｶﾞ น้ำ ﻻ ﷺ m² ẞ ŉ Ŀ ǰ i̇yi ꭰ a=\u0338b ᄒ\u1161\u11ab '这部电影' H\u0331 \u3164 \ufe0f",
    "constructor __proto__ toString hasOwnProperty",
]
# Put at the end of a page: does what `driven` is told to, and tells what came of it.
DRIVER = """
async function exactly(network, text) {
  const reading = read(network, text);
  await explain(network, reading);
  const words = reading.tokens.map((token) => [text.slice(token.start, token.end), token.effect ?? null, token.probability]);
  return { probability: reading.probability, words };
}
async function typed(text) {
  const box = document.getElementById("text"), answer = document.querySelector('[data-part="answer"]');
  answer.setAttribute("aria-busy", "waiting");
  box.value = text;
  box.dispatchEvent(new Event("input"));
  while (answer.getAttribute("aria-busy") !== "false") await new Promise((resolve) => setTimeout(resolve, 20));
  const parts = [...document.querySelectorAll("#try [data-part]")];
  const words = [...document.querySelectorAll('[data-part="words"] span')];
  const shown = Object.fromEntries(parts.map((part) => [part.dataset.part, part.textContent]));
  const spans = words.map((word) => [word.textContent, word.className, word.title]);
  const curve = document.querySelector('[data-part="curve"]').getAttribute("points");
  return { ...shown, text: box.value, spans, curve, elements: document.querySelectorAll('[data-part="words"] *').length };
}
addEventListener("load", async () => {
  const seen = { typed: [], exactly: [], others: [] };
  for (const text of texts) { seen.typed.push(await typed(text)); seen.exactly.push(await exactly(network, text)); }
  for (const [data, texts] of others) {
    const other = unpack(JSON.parse(data));
    for (const text of texts) seen.others.push(await exactly(other, text));
  }
  seen.title = document.title;
  seen.pictures = document.images.length;
  parent.postMessage(seen, "*");
});
"""


def driven(page: str, folder: Path, texts: list[str] = (), others: list[tuple[str, list[str]]] = ()) -> dict:
    """What a browser shows of texts typed in a page, and what its script computes of other networks."""
    data = json.dumps([texts, others]).replace("<", "\\u003c")
    return browser.told(page, f"const [texts, others] = {data};{DRIVER}", folder)


@pytest.fixture(scope="module")
def reviews() -> list[str]:
    """Real reviews, with the line ends of a text box."""
    return [text.replace("\r\n", "\n") for text, _ in package_rows("imdb")[::100]]


@pytest.fixture(scope="module")
def lesson(reviews) -> Model:
    """A model of the lesson's sizes."""
    return random_model(reviews, units=8, dim=32, maxlen=100, num_words=1000, skip_top=20)


def by_python(model: Model, text: str) -> dict:
    probability, known = (array.item() for array in classify(model, [text]))
    label = LABEL_NAMES[int(probability > 0.3)] if known else "unknown"
    words = [[text[word.start : word.end], word.effect, word.probability] for word in explain(model, text)]
    return {"label": label, "probability": probability, "words": words}


def assert_same(seen: dict, expected: dict, what: object) -> None:
    assert seen["probability"] == pytest.approx(expected["probability"], abs=1e-9), what
    assert [word for word, _, _ in seen["words"]] == [word for word, _, _ in expected["words"]], what
    for (word, *numbers), (_, *wanted) in zip(seen["words"], expected["words"], strict=True):
        for number, want in zip(numbers, wanted, strict=True):
            assert (number is None) == (want is None), (what, word)
            assert number is None or number == pytest.approx(want, abs=1e-9), (what, word)


def test_a_typed_review_gets_the_label_the_effects_and_the_curve_that_python_gives(lesson, reviews, tmp_path):
    texts = [*reviews[:100], *(text.replace("\r\n", "\n") for text in TYPED)]
    page = make_page("demo.html", lesson, "Try", 0.3)
    start = classify(lesson, [""])[0].item()
    assert "A text is positive if its probability is above the threshold, 0.3." in page
    assert f"<dt>starts at</dt><dd>{start:.4f}, the probability of no word at all</dd>" in page
    seen = driven(page, tmp_path, texts)
    labels = Counter()
    for text, shown, exact in zip(texts, seen["typed"], seen["exactly"], strict=True):
        expected = by_python(lesson, text)
        assert_same(exact, expected, text)
        labels[expected["label"]] += 1
        assert (shown["text"], shown["words"]) == (text, text), "all of the text stands there again"
        words = expected["words"]
        assert shown["unseen"] == f"{sum(effect is None for _, effect, _ in words)} of {len(words)} words"
        largest = max((abs(effect) for _, effect, _ in words if effect is not None), default=0)
        for (span, style, title), (word, effect, probability) in zip(shown["spans"], words, strict=True):
            assert span == word
            if effect is None:
                assert (style, title) == ("unseen", "not seen")
            else:
                numbers = re.fullmatch(r"([+−]\d+\.\d{4}), probability (\d\.\d{4})", title)
                assert float(numbers[1].replace("−", "-")) == pytest.approx(effect, abs=5.1e-5)
                assert float(numbers[2]) == pytest.approx(probability, abs=5.1e-5)
                if abs(effect) / largest > 0.61:
                    assert style == ("positive-3" if effect > 0 else "negative-3"), (text, word)
        if expected["label"] == "unknown":
            assert shown["result"].startswith("unknown: ") and shown["curve"] == ""
        else:
            result = re.fullmatch(r"(\w+), probability (\d\.\d{4})", shown["result"])
            assert result[1] == expected["label"]
            assert float(result[2]) == pytest.approx(expected["probability"], abs=5.1e-5)
            heights = [1 - float(point.split(",")[1]) / 200 for point in shown["curve"].split(" ")]
            curve = [start, *(words[i][2] for i in known_places(lesson, text))]
            np.testing.assert_allclose(heights, curve, rtol=0, atol=1e-6)
            assert shown["said"].startswith(f"It starts at {start:.2f} before the first word, is lowest at {min(curve):.2f} ")
    assert min(labels["positive"], labels["negative"]) > 20
    assert labels["unknown"] >= 3


def known_places(model: Model, text: str) -> list[int]:
    """The tokens of a text that have an id that the network takes."""
    ids = [model.ranks.get(token, -9) + 3 for token in TOKENIZERS[model.preprocessing.tokenizer](text)]
    return [i for i, id in enumerate(ids) if model.preprocessing.skip_top <= id < model.preprocessing.num_words]


def test_every_network_that_the_parameters_describe_says_what_it_says_in_python(reviews, tmp_path):
    """Of texts shorter and longer than maxlen, padded and cut on either side."""
    sides = np.random.default_rng(0).choice(["pre", "post"], (51, 2)).tolist()
    without_a_cell = product(["none"], [0], ["max", "mean", "max_mean"], [False])
    networks = [*product(CELLS, [1, 2], ["last", "max", "mean", "max_mean"], [False, True]), *without_a_cell]
    names = "cell", "directions", "pooling", "one_hot", "padding", "truncating"
    texts = ["it was good", " ".join(reviews[3].split()[:25]), " ".join(reviews[4].split()[:60])]
    cases = []
    for seed, (network, side) in enumerate(zip(networks, sides, strict=True)):
        setting = dict(zip(names, (*network, *side), strict=True))
        cases.append((setting, random_model(reviews[:50], seed, **setting), texts))
    compare_others(cases, tmp_path)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_texts_of_all_scripts_are_cut_as_in_python(tokenizer, reviews, tmp_path):
    settings = {"tokenizer": tokenizer, "maxlen": 12, "num_words": 4000, "skip_top": 0}
    model = random_model([*TYPED, *browser.HOSTILE, *reviews[:20]], **settings)
    compare_others([(tokenizer, model, [*TYPED, *browser.HOSTILE, *reviews[20:40]])], tmp_path)


def compare_others(cases: list[tuple[object, Model, list[str]]], folder: Path) -> None:
    """Compare what a page's script says of texts with networks that are given to it as a page has them."""
    page = make_page("demo.html", cases[0][1], "Try", 0.3)
    seen = iter(driven(page, folder, others=[(network_data(model), texts) for _, model, texts in cases])["others"])
    effects = []
    for what, model, texts in cases:
        for text in texts:
            expected = by_python(model, text)
            assert_same(next(seen), expected, (what, text))
            effects += [abs(effect) for _, effect, _ in expected["words"] if effect is not None]
    assert np.mean(effects) > 0.05, "the words must do something for this to show anything"


def test_a_hostile_review_or_vocabulary_runs_nothing(tmp_path):
    words = browser.HOSTILE + [word for text in browser.HOSTILE for word in text.split()]
    model = random_model(["good bad"], num_words=100, skip_top=0)
    model = Model(model.network, model.preprocessing, [word.encode() for word in words][:96])
    page = make_page("demo.html", model, "Try", 0.3)
    assert page.count("</script") == 2, "of the data and of the script"
    seen = driven(page, tmp_path, browser.HOSTILE)
    assert (seen["title"], seen["pictures"]) == ("Try", 0)
    for text, shown in zip(browser.HOSTILE, seen["typed"], strict=True):
        assert shown["words"] == text
        assert shown["elements"] == len(shown["spans"])
    # The words of the vocabulary arrive as they are.
    data = re.search(r'id="network">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(data)["vocabulary"] == [word.decode() for word in model.ranks]


def test_the_page_lets_no_other_script_run(lesson, tmp_path):
    """Even if one got in. That the policy works with the page's own script, all other tests show."""
    page = make_page("demo.html", lesson, "Try", 0.3)
    intruders = "<script>document.title = 'hacked'</script><img src=x onerror=\"document.title = 'hacked'\">"
    assert driven(page.replace("<main>", intruders + "<main>"), tmp_path)["title"] == "Try"


def test_a_long_text_is_read_whole_and_the_page_says_what_it_leaves_out(lesson, reviews, tmp_path):
    long = " ".join(reviews[:60])
    (shown,) = driven(make_page("demo.html", lesson, "Try", 0.3), tmp_path, [long])["typed"]
    expected = by_python(lesson, long)
    assert shown["result"] == f"{expected['label']}, probability {expected['probability']:.4f}"
    said = re.fullmatch(
        r"A long text: the colours and the lists are of 5000 words of (\d+); the curve has one of (\d+) known words\. "
        r"The label is that of all of it\.",
        shown["left"],
    )
    assert int(said[1]) == len(expected["words"])
    assert len(shown["spans"]) == 5000
    assert sum(style != "unseen" for _, style, _ in shown["spans"]) == 100, "the words that the network sees are among them"
    assert len(shown["curve"].split(" ")) == 1 + -(-len(known_places(lesson, long)) // int(said[2]))


def test_a_network_that_is_too_large_for_a_page_is_left_to_the_command_line(monkeypatch, lesson):
    monkeypatch.setattr(report_page, "LARGEST", 1000)
    page = make_page("demo.html", lesson, "Try", 0.3)
    assert 'python -m sentiment.predict --explain "A review."' in html.unescape(page)
    assert len(page) < 10_000
    assert "<script" not in page


def test_make_demo_writes_the_page_of_the_model_and_says_where_it_is_and_of_which_commit(project):
    printed = project.run("make", "--old-file=.venv/installed", "demo", BROWSER="true")
    page = project.folder / "demo.html"
    assert f"The page is {page}" in printed
    assert "above the threshold, 0.5." in page.read_text(encoding="utf-8"), "as in predictions"
    commit = project.run("git", "log", "-1", "--format=%h of %cs").strip()
    assert f"Of commit {commit}." in page.read_text(encoding="utf-8")
    assert project.run("git", "status", "--porcelain") == ""
    project.set_params(evaluate__threshold=0.4)
    project.run("python", "-m", "report.demo")
    told = f"Of commit {commit}, in a working tree with changes that are not committed."
    assert told in page.read_text(encoding="utf-8")
    shutil.rmtree(project.folder / ".git")
    project.run("python", "-m", "report.demo")
    assert "Of commit" not in page.read_text(encoding="utf-8")
