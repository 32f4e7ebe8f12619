"""preprocessing.json, beside the model: how a text becomes the model's input."""

from typing import Literal

from sentiment.parameters import PadSection, Section


class Preprocessing(Section):
    """How a review becomes the model's input; the fields mean what they mean in params.yaml."""

    num_words: int
    skip_top: int
    maxlen: int
    padding: Literal["pre", "post"]
    truncating: Literal["pre", "post"]


def preprocessing_of(num_words: int, skip_top: int, padding: PadSection) -> Preprocessing:
    return Preprocessing(num_words=num_words, skip_top=skip_top, **padding.model_dump())
