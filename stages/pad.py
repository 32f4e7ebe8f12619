"""Cut and pad all reviews to one length.

Takes data/split/{train,validation,test}.npz. Writes data/padded/{train,validation,test}.npz: ids `x`, int32, shape
(n, maxlen), and labels `y`, uint8, shape (n,).
"""

from pathlib import Path

from sentiment.common.parameters import read_params
from sentiment.common.reviews import load_reviews, save_padded
from sentiment.preprocessing import pad

SPLIT = Path("data/split")
PADDED = Path("data/padded")


def main() -> None:
    params = read_params()
    for name in "train.npz", "validation.npz", "test.npz":
        save_padded(PADDED / name, pad(load_reviews(SPLIT / name), params.pad))


if __name__ == "__main__":
    main()
