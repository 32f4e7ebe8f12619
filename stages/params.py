"""The parameters: what params.yaml may say, and how the stages read it."""

import difflib
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stages.command import StageError

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=1)]
# numpy.random.RandomState takes seeds of 32 bits.
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Sha256Section(Section):
    """The identity of the data: of the tokens, lengths and labels of the reviews, and of vocabulary.txt."""

    train: Sha256
    test: Sha256
    vocabulary: Sha256


class FetchSection(Section):
    source: Literal["package", "keras", "archive"] = Field(description="where the reviews come from")
    archive: str = Field(min_length=1, description="URL or path of aclImdb_v1.tar.gz, read when the source is `archive`")
    sha256: Sha256Section


class SplitSection(Section):
    num_words: int = Field(ge=5, description="ids from this one on are dropped (id = frequency rank + 3)")
    skip_top: int = Field(ge=0, description="ids below this one are dropped")
    train_size: Count = Field(description="number of training reviews; the others are for validation")
    seed: Seed = Field(description="of the permutation that the reviews are split by")

    @model_validator(mode="after")
    def some_words_stay(self) -> "SplitSection":
        if self.num_words <= self.skip_top:
            raise ValueError(f"num_words ({self.num_words}) must be above skip_top ({self.skip_top}), or no word stays")
        return self


class PadSection(Section):
    maxlen: Count = Field(description="length of the padded sequences, in tokens")
    padding: Literal["pre", "post"] = Field(description="the side on which zeros are added")
    truncating: Literal["pre", "post"] = Field(description="the side on which longer sequences are cut")


class ModelSection(Section):
    input: Literal["embedding", "one_hot"] = Field(description="what the cell is given for a token")
    embedding_dim: Count = Field(description="dimensions of the embedding")
    cell: Literal["simple_rnn", "lstm", "gru"]
    units: Count = Field(description="units of the cell")
    dropout: float = Field(ge=0, lt=1, description="share of the tokens that are blanked out, at random, in a step of the training")


class TrainSection(Section):
    optimizer: Literal["adam", "sgd", "rmsprop"]
    learning_rate: Annotated[float, Field(gt=0)] | None = Field(description="null: Keras's default for the optimizer")
    epochs: Count
    batch_size: Count = Field(description="reviews in a batch")
    seed: Seed = Field(description="of the initial weights, of the order of the batches and of the dropout")
    patience: Count | None = Field(
        description="stop after as many epochs without a better validation accuracy, and keep the weights of the best epoch; "
        "null: keep those of the last one"
    )


class EvaluateSection(Section):
    threshold: float = Field(ge=0, le=1, description="a review with a higher probability counts as positive")


class Params(Section):
    fetch: FetchSection
    split: SplitSection
    pad: PadSection
    model: ModelSection
    train: TrainSection
    evaluate: EvaluateSection


def read_params(path: Path = Path("params.yaml"), changes: dict[str, dict] | None = None) -> Params:
    """Read and check all parameters, whichever of them the caller needs, with changes by section if there are any.

    Raises:
        StageError: the file can't be read, or has problems: one line for each.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise StageError(f"{path} can't be read: {error}") from error
    if not isinstance(values, dict):
        raise StageError(f"{path} must hold the sections {', '.join(Params.model_fields)}.")
    for section, changed in (changes or {}).items():
        values[section] = values.get(section, {}) | changed
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise StageError("\n".join(f"{path}: {_sentence(problem)}" for problem in error.errors())) from error


def _sentence(problem: dict) -> str:
    key = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(key, _known_keys(Params), n=1, cutoff=0)
        return f"`{key}` is no parameter; the nearest one is `{nearest[0]}`."
    if problem["type"] == "missing":
        return f"`{key}` is missing."
    return f"`{key}` is {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}."


def _known_keys(section: type[Section], prefix: str = "") -> list[str]:
    keys = []
    for name, field in section.model_fields.items():
        keys.append(prefix + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            keys += _known_keys(field.annotation, f"{prefix}{name}.")
    return keys
