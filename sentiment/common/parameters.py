"""The parameters: what params.yaml may say. `python -m sentiment.common.parameters` checks the file and does nothing else."""

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sentiment.common.errors import UserError, start_command
from sentiment.common.files import damaged, read_bytes
from sentiment.common.problems import sentence
from sentiment.common.values import CodecName, Count, Label, Labels, Seed, Sha256, Size, Text


class Section(BaseModel):
    """A section of a file. Each key has to be there; the text below it is its description in messages."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Sha256Section(Section):
    """Digests that identify the data; params.yaml has those of `keras.datasets.imdb`."""

    train: Sha256
    """sha256 of the tokens, lengths and labels of the training reviews"""
    test: Sha256
    """sha256 of the tokens, lengths and labels of the test reviews"""
    vocabulary: Sha256
    """sha256 of vocabulary.txt"""


class LabelsSection(Section):
    """How files spell the labels."""

    positive: Labels
    """labels that count as positive, whatever their case and outer spaces"""
    negative: Labels
    """labels that count as negative"""
    ignore: list[Label]
    """labels whose rows are left out"""

    @model_validator(mode="after")
    def no_label_means_two_things(self) -> Self:
        for one, other in combinations(LabelsSection.model_fields, 2):
            if both := sorted({*getattr(self, one)} & {*getattr(self, other)}):
                raise ValueError(f"`fetch.csv.{one}` and `fetch.csv.{other}` both have {both[0]!r}: leave it in one of them.")
        return self


class CsvSection(LabelsSection):
    """The user's own reviews, read when the source is `csv`."""

    folder: Text
    """folder with train.csv or train.tsv and, if there are test reviews, test.csv or test.tsv"""
    text: Text
    """name of the column with the texts"""
    label: Text
    """name of the column with the labels"""
    encoding: CodecName
    """encoding of the files, as Python calls it, such as utf-8, utf-16, cp1252 or mac_roman"""
    tokens: Literal["words", "characters"]
    """what the texts are cut into; characters: for Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese"""


class FetchSection(Section):
    source: Literal["package", "keras", "archive", "csv"]
    """where the reviews come from"""
    archive: Text
    """URL or path of aclImdb_v1.tar.gz, read when the source is `archive`"""
    csv: CsvSection
    sha256: Sha256Section


class WordsSection(Section):
    """Which words stay."""

    num_words: Annotated[int, Field(ge=5, lt=2**31)]
    """ids from this one on are dropped (id = frequency rank + 3)"""
    skip_top: Annotated[int, Field(ge=0)]
    """ids below this one are dropped"""

    @model_validator(mode="after")
    def some_words_stay(self) -> Self:
        if self.num_words <= self.skip_top:
            raise ValueError(
                f"`split.num_words` is {self.num_words}: it must be above `split.skip_top`, which is {self.skip_top}, "
                "or no word remains."
            )
        return self


class SplitSection(WordsSection):
    train_size: Size
    """training reviews, their number or their share, rounded down; the others are for validation"""
    seed: Seed
    """seed of the permutation that splits the reviews"""
    keep_copies_together: bool
    """whether all copies of a text, token for token, are for training or all for validation"""


class PadSection(Section):
    # No text that is read has more tokens.
    maxlen: Annotated[int, Field(ge=1, le=1_000_000)]
    """length of the padded sequences, in tokens"""
    padding: Literal["pre", "post"]
    """the side on which zeros are added"""
    truncating: Literal["pre", "post"]
    """the side on which longer sequences are cut"""


class Encoding(Section):
    """How texts became tokens: tokenizer.json, beside the fetched reviews."""

    tokenizer: Literal["keras_imdb", "words", "characters"]
    """what cut the texts into tokens"""
    labels: LabelsSection
    vocabulary_sha256: Sha256
    """sha256 of vocabulary.txt"""


class Preprocessing(Encoding, PadSection, WordsSection):
    """How a text becomes the input of a trained model: preprocessing.json in its folder."""


class ModelSection(Section):
    input: Literal["embedding", "one_hot"]
    """what the cell is given for a token"""
    embedding_dim: Count
    """dimensions of the embedding"""
    cell: Literal["simple_rnn", "lstm", "gru", "none"]
    """the recurrent layer; none: the embeddings go straight to the pooling"""
    units: Count
    """units of the cell, if there is one"""
    bidirectional: bool
    """whether a second cell reads the tokens backwards, beside the first one"""
    pooling: Literal["last", "max", "mean", "max_mean"]
    """what reaches the last layer: the last output of the cell, or the maximum or mean over all tokens and padding, or both"""
    dropout: Annotated[float, Field(ge=0, lt=1)]
    """share of the tokens that each training step drops"""
    output_dropout: Annotated[float, Field(ge=0, lt=1)]
    """share of what goes into the last layer that each training step drops"""

    @model_validator(mode="after")
    def without_a_cell_embeddings_are_pooled(self) -> Self:
        if self.cell == "none" and (self.input != "embedding" or self.bidirectional or self.pooling == "last"):
            allowed = "`model.input` must be embedding, `model.bidirectional` false, and `model.pooling` mean, max or max_mean"
            raise ValueError(f"`model.cell` is none: then {allowed}.")
        return self


class TrainSection(Section):
    optimizer: Literal["adam", "sgd", "rmsprop"]
    """Keras's optimizer of this name"""
    learning_rate: Annotated[float, Field(gt=0)] | None
    """learning rate of the optimizer; empty (null): Keras's default for it"""
    schedule: Literal["constant", "linear"]
    """the learning rate over the steps of all epochs, whether or not patience ends them early; linear: it falls to zero"""
    epochs: Count
    """how often each training review is seen"""
    batch_size: Count
    """reviews in a batch"""
    seed: Seed
    """seed of the initial weights, of the order of the batches and of the dropout"""
    patience: Count | None
    """stop after this many epochs without a better validation accuracy, and keep the best epoch; null: keep the last one"""


class EvaluateSection(Section):
    threshold: Annotated[float, Field(ge=0, le=1)]
    """a review with a higher probability counts as positive"""


class Params(Section):
    fetch: FetchSection
    split: SplitSection
    pad: PadSection
    model: ModelSection
    train: TrainSection
    evaluate: EvaluateSection


Known = TypeVar("Known", bound=Section)


def validate(schema: type[Known], values: object, where: str) -> Known:
    """The values as an instance of the schema. Raises UserError: a line for each problem, which begins with `where`."""
    if not isinstance(values, dict):
        raise UserError(f"{where} must hold the sections {', '.join(schema.model_fields)}.")
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        documented = dict(documented_keys(schema))
        problems = error.errors()[: len(documented)]  # a file of something else may have thousands
        raise UserError("\n".join(f"{where}: {sentence(problem, documented)}" for problem in problems)) from error


def read_section(schema: type[Known], path: Path) -> Known:
    """Read a JSON file that a stage wrote. Raises UserError if it can't be read, or holds something else."""
    try:
        return validate(schema, json.loads(read_bytes(path, at_most=10_000)), str(path))
    except (ValueError, RecursionError) as error:
        raise damaged(path, error) from error


def read_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check all parameters. Raises UserError if the file can't be read, or has problems: a line for each."""
    # Imported here: predictions need the checks above, and no YAML.
    from sentiment.common.yaml_reader import read_yaml

    if not path.exists():
        raise UserError(f"{path.absolute()} does not exist: run the command in the project's folder, which has a params.yaml.")
    return validate(Params, read_yaml(path), str(path))


def change_params(params: Params, changes: Mapping[str, dict]) -> Params:
    """The parameters with these changes, by section. Raises UserError: a line for each problem."""
    unchanged = params.model_dump()
    changed = unchanged | {section: unchanged.get(section, {}) | change for section, change in changes.items()}
    return validate(Params, changed, f"params.yaml with {json.dumps(changes)}")


def documented_keys(section: type[Section] = Params, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The full name of each parameter and what it means, and of each section and what it holds."""
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield prefix + name, f"a section with {', '.join(field.annotation.model_fields)}"
            yield from documented_keys(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, str(field.description)


if __name__ == "__main__":
    start_command()
    read_params()
