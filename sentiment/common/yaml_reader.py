"""Reads YAML files so that every value is the one that DVC reads."""

import re
from pathlib import Path

import yaml
from yamlcore import CoreLoader

from sentiment.common.errors import UserError


class _Loader(CoreLoader):
    """YAML 1.2's core schema, as DVC reads it: 1e-05 is a number, 010 is ten, and no key stands twice."""


def _refuse(_: CoreLoader, node: yaml.ScalarNode) -> None:
    advice = "write numbers in plain digits, put text in quotes, and avoid `<<`; see"
    problem = f"DVC reads `{node.value:.80}` differently: {advice}"
    raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)


# What is text to the core schema and something else to DVC's reader (ruamel.yaml): numbers such as 1_000 and 0b11, dates,
# and the key that merges another section.
_Loader.add_implicit_resolver(
    "!differs",
    re.compile(
        r"""^([-+]?0b[01_]+ | [-+]?0o[0-7_]+ | [-+]?0x[0-9a-fA-F_]+ | [-+][0-9_]+ | [0-9][0-9_]*
        | [-+]?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)? | [-+]?\.[0-9_]+([eE][-+][0-9]+)?
        | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\ \t].*)?
        | << | =)$""",
        re.VERBOSE,
    ),
    None,
)
# And one form that is a number to the core schema and text to DVC.
for first in ".+-":
    _Loader.yaml_implicit_resolvers[first].insert(0, ("!differs", re.compile(r"^[-+]?\.[0-9]+[eE][0-9]+$")))
_Loader.add_constructor("!differs", _refuse)


def read_yaml(path: Path) -> object:
    """What a YAML file holds. Raises UserError if it can't be read, or DVC would read another value."""
    try:
        with path.open(encoding="utf-8") as file:
            return yaml.load(file, _Loader)
    except Exception as error:  # The readers of numbers, tags and nested lists raise a dozen kinds.
        raise UserError(f"{path} can't be read: {' '.join(str(error).split()):.400}.") from error
