"""Why a network says so: what each word did, and how the opinion changed as the network read."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sentiment.common.reviews import join
from sentiment.corpus.encoding import encode
from sentiment.corpus.tokenizers import placed_tokens
from sentiment.inference.forward import logits, sigmoid
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
    """What each token of a text did.

    The effect is the logit of the whole text less the logit of the text without the token, filtered and padded again:
    occlusion, or leave one out (Zeiler and Fergus 2014; of words: Li, Monroe and Jurafsky 2016, arXiv 1612.08220). The
    probability is that of the text up to the token. A cell that reads backwards starts at this token then, and not at the end.
    """
    tokens = list(placed_tokens(text, model.preprocessing.tokenizer))
    # Each token is filtered as a review of its own: of length 1, or 0 where it is not known.
    filtered = keep_frequent(join((encode([token], model.ranks), 0) for token, _, _ in tokens), model.preprocessing)
    known, ids = np.flatnonzero(filtered.lengths), filtered.tokens
    n, maxlen, cut_first = len(ids), model.preprocessing.maxlen, model.preprocessing.truncating == "pre"
    # One token more than the network sees: it comes in when another one goes out.
    window = ids[max(0, n - maxlen - 1) :] if cut_first else ids[: maxlen + 1]
    seen = np.arange(len(window))[-maxlen:] if cut_first else np.arange(len(window))[:maxlen]
    without = _logits(model, len(seen), lambda i: np.delete(window, seen[i]))
    as_it_reads = _logits(model, n, lambda i: ids[: i + 1][-maxlen:] if cut_first else ids[: i + 1][:maxlen])

    effects = dict(zip(known[-maxlen:] if cut_first else known[:maxlen], as_it_reads[-1:] - without, strict=True))
    probabilities = dict(zip(known, sigmoid(as_it_reads), strict=True))
    explained, probability = [], None
    for i, (_, start, end) in enumerate(tokens):
        probability = probabilities.get(i, probability)
        explained.append(ExplainedWord(start, end, effects.get(i), probability))
    return explained


def _logits(model: Model, n: int, sequence: Callable[[int], np.ndarray]) -> np.ndarray:
    """The logits, (n,), of the sequences of ids that `sequence` gives for 0 to n - 1, padded."""
    result = np.empty(n)
    for start in range(0, n, SEQUENCES_AT_ONCE):
        some = range(start, min(n, start + SEQUENCES_AT_ONCE))
        result[some.start : some.stop] = logits(model.network, pad(join((sequence(i), 0) for i in some), model.preprocessing).x)
    return result
