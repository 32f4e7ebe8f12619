"""Reviews with their words marked by what each did, for the report: from the raw text where the source still has it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from report.texts import training_texts
from sentiment.common.errors import UserError
from sentiment.common.parameters import Params
from sentiment.common.reviews import LABEL_NAMES, Padded, Reviews, join
from sentiment.common.vocabulary import words_of_ids
from sentiment.corpus.encoding import encode
from sentiment.corpus.tokenizers import TOKENIZERS
from sentiment.inference.effects import ExplainedWord, explain
from sentiment.inference.forward import probabilities
from sentiment.inference.model_folder import Model
from sentiment.preprocessing import keep_frequent, split_reviews

# Reviews of each kind; words of a list; and characters before and after the seen words from which they are folded.
SHOWN, STRONGEST, FOLDED = 10, 5, 300


class Piece(NamedTuple):
    """A piece of a review: a word with its class in page.css and a title, or what stands between words, without them."""

    text: str
    style: str = ""
    title: str = ""


class ShownReview(NamedTuple):
    """A review as the page shows it. The text before and after `pieces` is long, and the network sees none of it."""

    label: str
    probability: float
    raw: bool
    """whether it is the text that people wrote; or else the words of its ids"""
    before: str
    pieces: list[Piece]
    after: str
    strongest: dict[str, list[str]]
    unseen: int
    tokens: int


def validation_texts(params: Params, validation: Reviews) -> list[str | None]:
    """The raw text of each validation review; None where the source has none, or has another one by now.

    A text is found by its place: as fetch orders the reviews, and split permutes them. `shown_review` then compares its ids.
    """
    try:
        texts = training_texts(params.fetch, Path())
    except UserError:  # It has gone since the reviews were fetched.
        texts = None
    nothing: list[str | None] = [None] * len(validation.labels)
    if texts is None:
        return nothing
    n = len(texts)
    # What split does, with reviews of one token each, which is their own place.
    places = Reviews(np.arange(n, dtype=np.uint32), np.arange(n + 1), np.zeros(n, np.uint8))
    try:
        _, order = split_reviews(places, params.split)
    except UserError:
        return nothing
    return [texts[i] for i in order.tokens] if len(order.tokens) == len(nothing) else nothing


def ids_of(model: Model, text: str) -> np.ndarray:
    """The ids that the network takes of a text, before it is cut: uint32, (n,)."""
    tokens = TOKENIZERS[model.preprocessing.tokenizer](text)
    return keep_frequent(join([(encode(tokens, model.ranks), 0)]), model.preprocessing).tokens


def most_wrong_and_most_right(
    model: Model, params: Params, padded: Padded, validation: Reviews
) -> tuple[list[ShownReview], list[ShownReview]]:
    """The validation reviews with the most certain answers: wrong ones, then right ones, by the threshold.

    `padded` are those of `validation` as the network takes them. Reviews without a known word are left aside.
    """
    predicted = probabilities(model.network, padded.x)
    errors = np.abs(padded.y - predicted)
    known, right = padded.x.any(axis=1), np.equal(predicted > params.evaluate.threshold, padded.y)
    order = np.argsort(-errors, kind="stable")
    most_wrong, most_right = order[(known & ~right)[order]][:SHOWN], order[(known & right)[order]][: -SHOWN - 1 : -1]
    texts = validation_texts(params, validation)

    def shown(i: int) -> ShownReview:
        ids = validation.tokens[validation.offsets[i] : validation.offsets[i + 1]]
        return shown_review(model, LABEL_NAMES[padded.y[i]], float(predicted[i]), ids, texts[i])

    return [shown(i) for i in most_wrong], [shown(i) for i in most_right]


def shown_review(model: Model, label: str, probability: float, ids: np.ndarray, text: str | None) -> ShownReview:
    """A review by the ids that split kept of it, and by its raw text, where this is one of exactly these ids."""
    raw = text is not None and np.array_equal(ids_of(model, text), ids)
    if text is None or not raw:
        text = " ".join(words_of_ids(ids, model.vocabulary))
    words = explain(model, text)
    places = list(by_place(words))
    seen = [place for place in places if place.effect is not None]
    largest = max((abs(place.effect or 0) for place in seen), default=0)
    first, last = (seen[0].start, seen[-1].end) if seen else (0, len(text))
    first = first if first > FOLDED else 0
    last = last if len(text) - last > FOLDED else len(text)
    return ShownReview(
        label,
        probability,
        raw,
        text[:first],
        list(pieces(text, [place for place in places if first <= place.start < last], first, last, largest)),
        text[last:],
        {
            f"for {name}": [f"{text[start:end]}\u00a0{signed(effect, 2)}" for effect, start, end in strongest(seen, sign)]
            for name, sign in ((LABEL_NAMES[1], 1), (LABEL_NAMES[0], -1))
        },
        sum(word.effect is None for word in words),
        len(words),
    )


def signed(effect: float, decimals: int) -> str:
    return f"{effect:+.{decimals}f}".replace("-", "−")  # noqa: RUF001  (the sign that is as wide as a plus)


def by_place(words: list[ExplainedWord]) -> Iterator[ExplainedWord]:
    """The words, those that come from the same place of the text as one, with the sum of their effects."""
    place: ExplainedWord | None = None
    for word in words:
        if place and place.start == word.start:
            effects = [effect for effect in (place.effect, word.effect) if effect is not None]
            word = word._replace(effect=sum(effects) if effects else None)
        elif place:
            yield place
        place = word
    if place:
        yield place


def strongest(seen: list[ExplainedWord], sign: int) -> list[tuple[float, int, int]]:
    """The strongest effects of this sign that two decimals show, each with its place, the strongest first."""
    effects = [(word.effect, word.start, word.end) for word in seen if word.effect is not None and word.effect * sign >= 0.005]
    return sorted(effects, key=lambda effect: -abs(effect[0]))[:STRONGEST]


def pieces(text: str, places: list[ExplainedWord], start: int, end: int, largest: float) -> Iterator[Piece]:
    """The text from start to end in pieces."""
    for place in places:
        yield Piece(text[start : place.start])
        yield Piece(text[place.start : place.end], *style(place, largest))
        start = place.end
    yield Piece(text[start:end])


def style(place: ExplainedWord, largest: float) -> tuple[str, str]:
    """The class and the title of a word, as `classOf` of demo.js has them: three steps by the share of the largest effect."""
    if place.effect is None or place.probability is None:
        return "unseen", "not seen"
    share = abs(place.effect) / max(largest, 1e-12)
    step = 3 if share >= 0.6 else 2 if share >= 0.25 else 1 if share >= 0.08 else 0
    name = f"{LABEL_NAMES[int(place.effect > 0)]}-{step}" if step else "seen"
    return name, f"{signed(place.effect, 4)}, probability {place.probability:.4f}"
