"""What each token of a review does, in any network: the logit with it and without it."""

from collections.abc import Iterable
from itertools import islice

import numpy as np

from sentiment.common.parameters import PadSection
from sentiment.common.reviews import join
from sentiment.inference.forward import Network, logits
from sentiment.preprocessing import pad

# Sequences that are made and padded at a time, which bounds the memory.
SEQUENCES_AT_ONCE = 1024


def token_effects(network: Network, padding: PadSection, ids: np.ndarray) -> np.ndarray:
    """The effect of each token that the network sees of a filtered review, ids of shape (n,): float64, (min(n, maxlen),).

    It is the logit of the review less the logit of the review without the token, cut and padded again: occlusion, or leave one
    out (Zeiler and Fergus 2014; of words: Li, Monroe and Jurafsky 2016, arXiv 1612.08220).
    """
    # One token more than the network sees: it comes in when another one goes out.
    window = seen_by(ids, padding.model_copy(update={"maxlen": padding.maxlen + 1}))
    without = (np.delete(window, place) for place in seen_by(np.arange(len(window)), padding))
    return logits_of(network, padding, [window]) - logits_of(network, padding, without)


def seen_by(values: np.ndarray, padding: PadSection) -> np.ndarray:
    """What `pad` leaves of the values, one for each token."""
    return values[-padding.maxlen :] if padding.truncating == "pre" else values[: padding.maxlen]


def logits_of(network: Network, padding: PadSection, sequences: Iterable[np.ndarray]) -> np.ndarray:
    """The logits, (n,), of sequences of ids, padded. SEQUENCES_AT_ONCE bounds the memory."""
    sequences = iter(sequences)
    found = [np.empty(0)]
    while some := list(islice(sequences, SEQUENCES_AT_ONCE)):
        found.append(logits(network, pad(join((ids, 0) for ids in some), padding).x))
    return np.concatenate(found)
