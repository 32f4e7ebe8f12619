"""The whole way from fetched reviews to what the network takes, in memory."""

from pathlib import Path

from sentiment.padding import Padded, pad
from sentiment.parameters import PadSection, SplitSection
from sentiment.reviews import load_reviews
from sentiment.splitting import filter_and_split


def padded_splits(reviews: Path, splitting: SplitSection, padding: PadSection) -> dict[str, Padded]:
    """The `train`, `validation` and `test` reviews of a folder that fetch wrote, as split and pad make them."""
    train, test = (load_reviews(reviews / f"{name}.npz") for name in ("train", "test"))
    return {
        name: pad(split, padding.maxlen, padding.padding, padding.truncating)
        for name, split in filter_and_split(train, test, splitting).items()
    }
