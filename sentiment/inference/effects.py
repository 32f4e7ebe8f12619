"""Why a network says so: what each word did, and how the opinion changed as the network read."""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import numpy as np

from sentiment.common.parameters import PadSection
from sentiment.common.reviews import join
from sentiment.corpus.encoding import encode
from sentiment.corpus.tokenizers import placed_tokens
from sentiment.inference.forward import Network, logits, sigmoid
from sentiment.inference.model_folder import Model
from sentiment.preprocessing import keep_frequent, pad

# Sequences that are made and padded at a time, which bounds the memory.
SEQUENCES_AT_ONCE = 1024


class ExplainedWord(NamedTuple):
    """A token of a text, which has it at text[start:end]."""

    start: int
    end: int
    effect: float | None
    """on the logit; None: the network does not see the token, since it is unknown, too rare, or cut off by maxlen"""
    probability: float | None
    """of a positive review, after the token; None: no known one has come yet"""


def explain(model: Model, text: str) -> list[ExplainedWord]:
    """What each token of a text did: its effect, and the probability of the text up to it.

    A cell that reads backwards starts at this token then, and not at the end.
    """
    tokens = list(placed_tokens(text, model.preprocessing.tokenizer))
    # Each token is filtered as a review of its own: of length 1, or 0 where it is not known.
    filtered = keep_frequent(join((encode([token], model.ranks), 0) for token, _, _ in tokens), model.preprocessing)
    known, ids = np.flatnonzero(filtered.lengths), filtered.tokens
    seen = _seen(known, model.preprocessing)
    effects = dict(zip(seen, token_effects(model.network, model.preprocessing, ids), strict=True))
    up_to_each = (_seen(ids[: i + 1], model.preprocessing) for i in range(len(ids)))
    probabilities = dict(zip(known, sigmoid(_logits(model.network, model.preprocessing, up_to_each)), strict=True))
    explained, probability = [], None
    for i, (_, start, end) in enumerate(tokens):
        probability = probabilities.get(i, probability)
        explained.append(ExplainedWord(start, end, effects.get(i), probability))
    return explained


def token_effects(network: Network, padding: PadSection, ids: np.ndarray) -> np.ndarray:
    """The effect of each token that the network sees of a filtered review, ids of shape (n,): float64, (min(n, maxlen),).

    It is the logit of the review less the logit of the review without the token, cut and padded again: occlusion, or leave one
    out (Zeiler and Fergus 2014; of words: Li, Monroe and Jurafsky 2016, arXiv 1612.08220).
    """
    # One token more than the network sees: it comes in when another one goes out.
    window = _seen(ids, padding.model_copy(update={"maxlen": padding.maxlen + 1}))
    without = (np.delete(window, place) for place in _seen(np.arange(len(window)), padding))
    return _logits(network, padding, [window]) - _logits(network, padding, without)


def _seen(values: np.ndarray, padding: PadSection) -> np.ndarray:
    """What `pad` leaves of the values, one for each token."""
    return values[-padding.maxlen :] if padding.truncating == "pre" else values[: padding.maxlen]


def _logits(network: Network, padding: PadSection, sequences: Iterable[np.ndarray]) -> np.ndarray:
    """The logits, (n,), of sequences of ids, padded. SEQUENCES_AT_ONCE bounds the memory."""
    sequences = iter(sequences)
    found = [np.empty(0)]
    while some := list(islice(sequences, SEQUENCES_AT_ONCE)):
        found.append(logits(network, pad(join((ids, 0) for ids in some), padding).x))
    return np.concatenate(found)
