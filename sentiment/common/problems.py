"""Problems of parameters as sentences."""

import difflib
import json
import reprlib
from collections.abc import Mapping

from pydantic_core import ErrorDetails


def sentence(problem: ErrorDetails, documented: Mapping[str, str]) -> str:
    """What is wrong, with the full name of the parameter; `documented` has the meaning of each."""
    key = ".".join(map(str, problem["loc"]))[:100]
    if problem["type"] == "value_error":
        told = str(problem["ctx"]["error"])
        return told if told.startswith("`") else f"`{key}` {told}"
    if problem["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(key, documented, n=1, cutoff=0)
        return f"`{key}` is not a parameter; the closest one is `{nearest[0]}`."
    if problem["type"] == "missing":
        return f"`{key}` is missing: {documented[key]}."
    if problem["type"] == "model_type":
        return f"`{key}` must be {documented[key]}."
    value = problem["input"]
    # Scalars as in YAML. Lists and sections as Python prints their top level: they may contain themselves, or millions.
    top = reprlib.Repr()
    top.maxlevel = 1
    shown = top.repr(value) if isinstance(value, list | dict) else json.dumps(value, ensure_ascii=False, default=str)
    return f"`{key}` is {shown:.80}: {problem['msg'][0].lower()}{problem['msg'][1:]}."
