"""What each token of a review does, in any network: the logit with it and without it."""

from collections.abc import Iterable
from itertools import chain, islice

import numpy as np

from sentiment.common.parameters import PadSection
from sentiment.common.reviews import Reviews, offsets_of
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
    without = (np.concatenate([window[:place], window[place + 1 :]]) for place in seen_by(np.arange(len(window)), padding))
    logits_of_all = logits_of(network, padding, chain([window], without))
    return logits_of_all[0] - logits_of_all[1:]


def seen_by(values: np.ndarray, padding: PadSection) -> np.ndarray:
    """What `pad` leaves of the values, one for each token."""
    return values[-padding.maxlen :] if padding.truncating == "pre" else values[: padding.maxlen]


def logits_of(network: Network, padding: PadSection, sequences: Iterable[np.ndarray]) -> np.ndarray:
    """The logits, (n,), of sequences of ids, padded. SEQUENCES_AT_ONCE bounds the memory."""
    sequences = iter(sequences)
    found = [np.empty(0)]
    while some := list(islice(sequences, SEQUENCES_AT_ONCE)):
        unlabelled = Reviews(np.concatenate(some), offsets_of([len(ids) for ids in some]), np.zeros(len(some), np.uint8))
        found.append(logits(network, pad(unlabelled, padding).x))
    return np.concatenate(found)
