"""What a network remembers: how much a token does to the logit, by its place in the review."""

from collections.abc import Callable

import numpy as np

# Reviews with one token less that are scored: 150 reviews of 100 tokens. A larger network takes seconds for them.
SCORED = 15_000


def effect_by_place(x: np.ndarray, predict: Callable[[np.ndarray], np.ndarray], padding: str) -> np.ndarray:
    """The mean size of a token's effect at each place, over the first reviews without padding: float64, shape (maxlen,).

    The effect is the logit of a review less the logit of the review without the token, padded again at the side `padding`.
    `x` has the padded ids, int32 (n, maxlen), and `predict` gives the logits, (n,), of such. Of no review: shape (0,).
    """
    maxlen = x.shape[1]
    whole = x[x.all(axis=1)][: max(1, SCORED // maxlen)]
    if not len(whole):
        return np.empty(0)
    side = (1, 0) if padding == "pre" else (0, 1)
    sizes = [
        np.abs(logit - predict(np.pad([np.delete(ids, place) for place in range(maxlen)], [(0, 0), side])))
        for ids, logit in zip(whole, predict(whole), strict=True)
    ]
    return np.mean(sizes, axis=0)
