"""The kinds of values that parameters have. What is wrong with one is told behind its name."""

from typing import Annotated
from unicodedata import normalize

from pydantic import AfterValidator, BeforeValidator, Field

Text = Annotated[str, Field(min_length=1, max_length=1000)]


def as_label(text: str) -> str:
    """The text as labels are compared: whatever its case, its outer spaces, and how its letters are composed."""
    return normalize("NFC", text).strip().lower()


def as_encoding(name: str) -> str:
    """The name of an encoding. Raises ValueError if Python does not know it."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        must = "it must be an encoding that Python knows, such as utf-8, utf-16, cp1252 or mac_roman"
        raise ValueError(f"is {name!r:.80}: {must}.") from None
    return name


Label = Annotated[str, AfterValidator(as_label), Field(min_length=1)]
Labels = Annotated[list[Label], Field(min_length=1)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
# XLA and ids count in 32 bits.
Count = Annotated[int, Field(ge=1, lt=2**31)]
# numpy.random.RandomState takes seeds of 32 bits.
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _is_size(value: object) -> object:
    if (type(value) is int and 1 <= value < 2**31) or (type(value) is float and 0 < value < 1):
        return value
    must = "it must be a number of reviews, from 1 to 2147483647, or a share between 0 and 1"
    raise ValueError(f"is {value!r:.80}: {must}.")


CodecName = Annotated[str, AfterValidator(as_encoding)]
Size = Annotated[int | float, BeforeValidator(_is_size)]
