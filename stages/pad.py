"""Cut and pad all reviews to one length.

Takes data/split/{train,validation,test}.npz. Writes data/padded/{train,validation,test}.npz: ids `x`, int32, shape
(n, maxlen), and labels `y`, uint8, shape (n,).
"""

from pathlib import Path

import numpy as np

from sentiment.common.parameters import read_params
from sentiment.common.reviews import load_reviews, save_padded
from sentiment.preprocessing import pad

SPLIT = Path("data/split")
PADDED = Path("data/padded")


def what_padding_does(lengths: np.ndarray, maxlen: int) -> str:
    """How long the training reviews are, int64 (n,), and how much of what is written for them is padding."""
    padding = 1 - np.minimum(lengths, maxlen).mean() / maxlen
    said = f"The median review has {np.median(lengths):g} tokens, the longest {lengths.max()}; {padding:.0%} is padding."
    fits = max(1, int(np.percentile(lengths, 90)))
    return said if padding <= 0.5 else f"{said} `pad.maxlen: {fits}` holds nine reviews of ten whole."


def main() -> None:
    params = read_params()
    reviews = {name: load_reviews(SPLIT / name) for name in ("train.npz", "validation.npz", "test.npz")}
    for name, of_split in reviews.items():
        save_padded(PADDED / name, pad(of_split, params.pad))
    print(what_padding_does(reviews["train.npz"].lengths, params.pad.maxlen))


if __name__ == "__main__":
    main()
