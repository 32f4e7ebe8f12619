"""Why a network says so: what each word did, and how the opinion changed as the network read."""

from typing import NamedTuple

import numpy as np

from sentiment.common.reviews import join
from sentiment.corpus.encoding import encode
from sentiment.corpus.tokenizers import placed_tokens
from sentiment.inference.forward import sigmoid
from sentiment.inference.model_folder import Model
from sentiment.inference.occlusion import logits_of, seen_by, token_effects
from sentiment.preprocessing import keep_frequent


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
    seen = seen_by(known, model.preprocessing)
    effects = dict(zip(seen, token_effects(model.network, model.preprocessing, ids), strict=True))
    up_to_each = (seen_by(ids[: i + 1], model.preprocessing) for i in range(len(ids)))
    probabilities = dict(zip(known, sigmoid(logits_of(model.network, model.preprocessing, up_to_each)), strict=True))
    explained, probability = [], None
    for i, (_, start, end) in enumerate(tokens):
        probability = probabilities.get(i, probability)
        explained.append(ExplainedWord(start, end, effects.get(i), probability))
    return explained
