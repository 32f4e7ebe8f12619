"""What variants.yaml says of the study. `python -m studies.variants` checks that the fetched reviews are the study's."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from sentiment.common.errors import UserError, start_command
from sentiment.common.parameters import Encoding, Params, Section, Seed, change_params, read_params, read_section, validate
from sentiment.common.yaml_reader import read_yaml

STUDIES = Path("studies")
VARIANTS = STUDIES / "variants.yaml"
MODELS = STUDIES / "models"
RUNS = STUDIES / "runs"

Seeds = Annotated[list[Seed], Field(min_length=1)]
Changes = dict[str, Any]


class Variant(Section):
    """The parameters that a variant changes, by section as in params.yaml, and its seeds."""

    seeds: Seeds
    split: Changes | None = None
    pad: Changes | None = None
    model: Changes | None = None
    train: Changes | None = None
    evaluate: Changes | None = None


class Study(Section):
    """What variants.yaml holds."""

    seeds: Seeds
    """the seeds (train.seed) that each variant is trained from"""
    variants: dict[str, Changes]
    """by variant, the parameters that it changes"""
    compared_with: dict[str, str]
    """by variant, the one that its runs are compared with, where that is not `embedding`"""
    published: dict[str, list[float]]
    """by variant, accuracies that were published"""
    memory_of: Annotated[list[str], Field(max_length=6)]
    """the variants in the picture of what a network remembers"""

    @model_validator(mode="after")
    def variants_that_are_named_are_there(self) -> "Study":
        compared = {*self.compared_with, *self.compared_with.values()}
        for key, names in ("compared_with", compared), ("memory_of", {*self.memory_of}):
            if unknown := sorted(names - self.variants.keys()):
                raise ValueError(
                    f"`{key}` names {unknown[0]!r}, which is not a variant; the variants are {', '.join(self.variants)}."
                )
        return self


def read_study() -> Study:
    """Read studies/variants.yaml. Raises UserError if it can't be read, or has problems: a line for each."""
    return validate(Study, read_yaml(VARIANTS), str(VARIANTS))


def read_variant(name: str) -> Variant:
    """A variant, with its own seeds or those of the study. Raises UserError if there is none of this name, or it is wrong."""
    study = read_study()
    if name not in study.variants:
        raise UserError(f"{VARIANTS} has no variant `{name}`; it has {', '.join(study.variants)}.")
    return validate(Variant, {"seeds": study.seeds} | study.variants[name], f"{VARIANTS}: `variants.{name}`")


def params_of(variant: Variant, seed: int) -> Params:
    """The parameters of a run: those of params.yaml, with the changes of the variant and with this train.seed."""
    changes = variant.model_dump(exclude={"seeds"}, exclude_none=True)
    return change_params(read_params(), changes | {"train": changes.get("train", {}) | {"seed": seed}})


def check_reviews() -> None:
    """The study is one of IMDB's reviews. Raises UserError if others are fetched."""
    if read_section(Encoding, Path("data/reviews/tokenizer.json")).tokenizer != "keras_imdb":
        raise UserError(
            "data/reviews has your own reviews, but the study needs IMDB's: set `fetch.source` to package, keras or "
            "archive, and the other parameters as they were (`git checkout params.yaml`), and run `make study` again."
        )


if __name__ == "__main__":
    start_command()
    check_reviews()
