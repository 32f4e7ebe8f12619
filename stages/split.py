"""Keep the frequent words of each review, and split the training reviews into training and validation.

Takes data/reviews/{train,test}.npz. Writes data/split/{train,validation,test}.npz, whose tokens are Keras's ids: rank + 3.
"""

from pathlib import Path

from sentiment.common.parameters import read_params
from sentiment.common.reviews import load_reviews, save_reviews
from sentiment.preprocessing import filter_and_split

REVIEWS = Path("data/reviews")
SPLIT = Path("data/split")


def main() -> None:
    params = read_params()
    splits = filter_and_split(load_reviews(REVIEWS / "train.npz"), load_reviews(REVIEWS / "test.npz"), params.split)
    for name, reviews in splits.items():
        save_reviews(SPLIT / f"{name}.npz", reviews)


if __name__ == "__main__":
    main()
