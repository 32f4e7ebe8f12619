"""The study: what variants.yaml says of it. Its commands end as those of the stages do."""

from pathlib import Path
from typing import Any

from pydantic import Field

from stages.params import Section, Seed, checked, read_yaml

STUDIES = Path("studies")
VARIANTS = STUDIES / "variants.yaml"

# Parameters by section, as in params.yaml.
Changes = dict[str, dict[str, Any]]


class Study(Section):
    """What variants.yaml holds."""

    seeds: list[Seed] = Field(min_length=1, description="the seeds (train.seed) that each variant is trained from")
    variants: dict[str, Changes] = Field(description="by variant, the parameters that it changes")
    preset: Changes = Field(description="the parameters that the preset changes")
    published: dict[str, list[float]] = Field(description="by variant, accuracies that were published")


def read_study() -> Study:
    """Read and check studies/variants.yaml.

    Raises:
        StageError: the file can't be read, or has problems: one line for each.
    """
    return checked(Study, read_yaml(VARIANTS), str(VARIANTS))
