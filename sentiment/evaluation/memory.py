"""What a network remembers: how much a token does to the logit, by its place in the review."""

from collections.abc import Callable

import numpy as np

from sentiment.common.reviews import Reviews

# Tokens of a review that counts, and reviews without one of their tokens that are scored: 150 reviews of 100 tokens.
FEWEST, SCORED = 10, 15_000


def effect_by_place(reviews: Reviews, effects_of: Callable[[np.ndarray], np.ndarray], maxlen: int) -> tuple[np.ndarray, int]:
    """The mean size of a token's effect at each place, float64 (maxlen,), and how many reviews it is of.

    `effects_of` gives the effects, (s,), of the tokens of a review that the network sees. A review of fewer tokens than places
    is stretched: of ten tokens, the first has the first tenth of the places. The first reviews of FEWEST tokens or more count.
    Where there is none, the shape is (0,).
    """
    sizes = []
    for i in np.flatnonzero(reviews.lengths >= min(FEWEST, maxlen))[: max(1, SCORED // maxlen)]:
        effects = np.abs(effects_of(reviews.tokens[reviews.offsets[i] : reviews.offsets[i + 1]]))
        sizes.append(effects[np.arange(maxlen) * len(effects) // maxlen])
    return np.mean(sizes, axis=0) if sizes else np.empty(0), len(sizes)
