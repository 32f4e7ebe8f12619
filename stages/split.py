"""Keep the frequent words of each review, and split the training reviews into training and validation.

Takes data/reviews/{train,test}.npz. Writes data/split/{train,validation,test}.npz, whose tokens are Keras's ids: rank + 3; and
copies.json, the number of validation and of test reviews that are token for token among the training reviews.
"""

from pathlib import Path

from sentiment.common.files import write_json
from sentiment.common.parameters import read_params
from sentiment.common.reviews import load_reviews, save_reviews
from sentiment.preprocessing import keep_frequent, number_of_copies, split_reviews

REVIEWS = Path("data/reviews")
SPLIT = Path("data/split")


def main() -> None:
    params = read_params()
    labelled, test = (load_reviews(REVIEWS / name) for name in ("train.npz", "test.npz"))
    training, validation = split_reviews(labelled, params.split)
    for name, reviews in ("train", training), ("validation", validation), ("test", test):
        save_reviews(SPLIT / f"{name}.npz", keep_frequent(reviews, params.split))
    copies = {name: number_of_copies(reviews, training) for name, reviews in (("validation", validation), ("test", test))}
    write_json(SPLIT / "copies.json", copies)


if __name__ == "__main__":
    main()
