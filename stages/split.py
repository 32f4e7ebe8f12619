"""Keep the frequent words of each review, and split the training reviews into training and validation.

Takes data/reviews/{train,test}.npz. Writes data/split/{train,validation,test}.npz, whose tokens are Keras's ids: rank + 3.
"""

from pathlib import Path

from sentiment.common.parameters import read_params
from sentiment.common.reviews import load_reviews, save_reviews
from sentiment.preprocessing import keep_frequent, split_reviews

REVIEWS = Path("data/reviews")
SPLIT = Path("data/split")


def main() -> None:
    params = read_params()
    labelled, test = (keep_frequent(load_reviews(REVIEWS / name), params.split) for name in ("train.npz", "test.npz"))
    training, validation = split_reviews(labelled, params.split)
    save_reviews(SPLIT / "train.npz", training)
    save_reviews(SPLIT / "validation.npz", validation)
    save_reviews(SPLIT / "test.npz", test)


if __name__ == "__main__":
    main()
